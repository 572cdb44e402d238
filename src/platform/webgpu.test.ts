import { test } from "node:test";
import { useSoftwareGpu } from "../../test/software-gpu.js";
import { runtimeConformance } from "./conformance.js";
import { createRuntime } from "./node.js";

const skip = useSoftwareGpu();
if (skip === false) runtimeConformance("WebGPU", () => createRuntime({ device: "webgpu" }), 96);
else test("WebGPU", { skip }, () => {});
