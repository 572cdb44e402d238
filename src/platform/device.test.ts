import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input } from "../graph/value.js";
import { createRuntime } from "./node.js";
import type { Device, Runtime } from "./platform.js";

const x = input("x", "float32", [1]);
const session = (runtime: Runtime) => compile(runtime, { y: ops.add(x, x) }, async () => new Map());

const absent: Device = process.platform === "linux" ? "coreml" : "cuda";

test("a device that this build of the runtime does not have is refused by name, with what it needs", async () => {
  const runtime = createRuntime({ device: absent });
  await assert.rejects(session(runtime), {
    code: "unsupported",
    message: new RegExp(`^device ${absent}: .*it needs `),
  });
  await runtime.dispose();
});

test("what computes beside a device is the processor", async () => {
  const runtime = createRuntime({ device: absent });
  const { beside } = runtime;
  assert.deepEqual([runtime.device, beside().device], [absent, "cpu"]);
  const sum = await session(beside());
  assert.deepEqual((await sum.run({ x: { dtype: "float32", shape: [1], data: Float32Array.of(3) } })).y!.data[0], 6);
  await runtime.dispose();
});

const noPgrep = process.platform === "win32" ? "there is no pgrep" : false;
test("a driver that takes its process down leaves this one with an error", { skip: noPgrep }, async () => {
  const runtime = createRuntime({ device: absent });
  const [pid] = execFileSync("pgrep", ["-f", "-P", `${process.pid}`, "platform/node/device.js"])
    .toString()
    .split("\n");
  process.kill(Number(pid), "SIGSEGV");
  await assert.rejects(session(runtime), { code: "internal", message: /computes on \w+ ended .*--device cpu/ });
  await assert.rejects(session(runtime), /ended/); // and it stays so
  await runtime.dispose();
});

test("a process ends by itself though its device was not disposed of", () => {
  const script = `
    import { createRuntime } from ${JSON.stringify(new URL("./node.js", import.meta.url).href)};
    const runtime = createRuntime({ device: "${absent}" });
    await runtime.createSession(new Uint8Array()).catch((error) => console.log(error.code));
    createRuntime({ device: "${absent}" }); // one that was never asked for anything
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
  assert.equal(output.toString(), "unsupported\n");
});
