/** @file The public names, and nothing else. */
export { type ErrorCode, errorCodes, HocketError } from "./errors.js";
export type { Tensor } from "./tensor.js";
