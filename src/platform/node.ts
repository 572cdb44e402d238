/** @file The platform as Node offers it. */

export { createRuntime } from "./node/runtime.js";
export type * from "./platform.js";
