/** @file Which device a model is computed on: the one that is asked for, or the best that is there and can be trusted. */

import { createRuntime, type Device, type Runtime, whyNoGpu } from "#platform";
import { HocketError } from "./errors.js";

/** "auto": a GPU where there is one and it computes what the processor does; else the processor. */
export const devices = ["auto", "cpu", "webgpu", "cuda", "coreml", "dml"] as const satisfies (Device | "auto")[];
export type DeviceChoice = (typeof devices)[number];

/**
 * Loads something on the device asked for.
 * @param load finds out whether the device can be trusted, as `loadModel` does
 * @returns also why it is not on a GPU, where that was to be found out
 */
export async function loadOn<M>(
  asked: DeviceChoice,
  load: (runtime: Runtime) => Promise<M>,
  findGpu: () => Promise<string | undefined> = whyNoGpu,
): Promise<{ runtime: Runtime; loaded: M; whyNot?: string }> {
  if (asked !== "auto") return on(asked, load);
  let whyNot = await findGpu();
  if (whyNot === undefined)
    try {
      return await on("webgpu", load);
    } catch (error) {
      if (!(error instanceof HocketError && (error.code === "unsupported" || error.code === "internal"))) throw error;
      whyNot = error.message;
    }
  return { ...(await on("cpu", load)), whyNot };
}

// --- internal ---

async function on<M>(device: Device, load: (runtime: Runtime) => Promise<M>): Promise<{ runtime: Runtime; loaded: M }> {
  const runtime = createRuntime({ device });
  try {
    return { runtime, loaded: await load(runtime) };
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
}
