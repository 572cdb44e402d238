/** @file The public names, and nothing else. */

export { createRuntime, openFolder } from "#platform";
export type { AdapterUse } from "./adapters.js";
export type { Waveform } from "./audio/waveform.js";
export type { Chunk } from "./codec/encodec.js";
export type { Codes } from "./codes.js";
export { type ErrorCode, errorCodes, HocketError } from "./errors.js";
export { type CodecModel, loadCodec, loadModel, type MusicModel } from "./model.js";
export { type GenerateOptions, generate } from "./musicgen.js";
export type { Precision, PrecisionOptions } from "./precision.js";
export type { FinishedPiece, GenerateEvent, GenerateRequest, Piece, Region, Section, Settings } from "./request.js";
export { decodeCodes, encodeWaveform } from "./sound.js";
