/** @file The platform as Node offers it: what `#platform` stands for there. */

export * from "./node/files.js";
export * from "./node/hub.js";
export * from "./node/packages.js";
export { createRuntime, whyNoGpu } from "./node/runtime.js";
export { inThreads, threadsAtOnce } from "./node/threads.js";
export type * from "./platform.js";
