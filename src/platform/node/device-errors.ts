/** @file Why a device cannot be computed on, and what it needs. */

import { readdirSync, readlinkSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { HocketError } from "../../errors.js";
import type { Device } from "../platform.js";

/** @throws HocketError "unsupported" where the runtime, as it is built for this machine, has no provider for `device` */
export function checkIncluded(device: Device): void {
  const included = ort.listSupportedBackends().map(({ name }) => name);
  if (included.includes(device)) return;
  const has = `has ${included.join(", ")}`;
  throw new HocketError(
    "unsupported",
    `device ${device}: onnxruntime-node for ${process.platform} on ${process.arch} ${has}; ${needs[device]}`,
  );
}

/**
 * For a process that computes by WebGPU already: whether that is hardware. The runtime does not tell; but on Linux, whoever
 * uses a GPU has its device open.
 * @throws HocketError "unsupported" where it is software
 */
export function checkHardware(): void {
  if (process.platform !== "linux") return; // there, software is offered only to those who ask for it
  const open = readdirSync("/proc/self/fd").map((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return ""; // closed meanwhile
    }
  });
  if (!open.some((path) => /^\/dev\/(dri\/|nvidia|dxg|kfd|mali|nvhost|nvmap)/.test(path)))
    throw new HocketError("unsupported", "device webgpu: the only driver for Vulkan here computes on the processor");
}

/** An error of the runtime: of a kind for people, where it says that the device is not there. */
export function explained(device: Device, error: unknown): Error {
  if (error instanceof Error && /requires f16/.test(error.message))
    return new HocketError(
      "unsupported",
      `device ${device}: this GPU, or its driver, does not compute in half precision; take --precision fp32, int8 or int4`,
      { cause: error },
    );
  if (!(error instanceof Error) || error instanceof HocketError || !isAbsence[device]?.test(error.message))
    return error instanceof Error ? error : new Error(String(error));
  const [said] = error.message.split("\n") as [string];
  const short = said.replace(/^.* was false\. /, ""); // after where in the runtime's source
  return new HocketError("unsupported", `device ${device}: ${short}; ${needs[device]}`, { cause: error });
}

// --- internal ---

const isAbsence: { readonly [D in Device]?: RegExp } = {
  webgpu: /WebGPU (adapter|device)|RequestAdapter|RequestDevice/,
  cuda: /ExecutionProvider_Cuda|libonnxruntime_providers|\bCUDA (failure|error)/i,
  coreml: /ExecutionProvider_CoreML/,
  dml: /ExecutionProvider_DML|DML_|D3D12|DXGI/,
};

const needs: Readonly<Record<Device, string>> = {
  cpu: "it needs nothing",
  webgpu:
    "it needs a GPU with its driver (on Linux x64 one for Vulkan: vulkaninfo shows it; on Windows for Direct3D 12; on macOS Metal is there)",
  cuda: "it needs Linux x64, an NVIDIA GPU with CUDA 12 and cuDNN 9, and the runtime's files for it: npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12",
  coreml: "it needs macOS on Apple silicon",
  dml: "it needs Windows with a GPU for Direct3D 12",
};
