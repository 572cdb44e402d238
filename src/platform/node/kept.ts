/** @file What is kept beside a session, wherever that is; and our tensors and names as the runtime has them. */

import * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import type { DType, Tensor } from "../../tensor.js";

/** What is fed to every run with it, and where some of its outputs go. */
export interface KeptState {
  readonly inputs: Record<string, ort.Tensor>;
  /** Whether it takes outputs at all. */
  readonly writes: boolean;
  /** Writes the outputs that are kept, and returns those that the caller gets. */
  run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<Record<string, Tensor>>;
  dispose(): void;
}

/** Uses the same memory. */
export const toOrt = (tensor: Tensor): ort.Tensor =>
  new ort.Tensor(tensor.dtype as ort.Tensor.Type, tensor.data as never, tensor.shape);

export const fromOrt = (tensor: ort.Tensor): Tensor => ({
  dtype: tensor.type as DType,
  shape: tensor.dims,
  data: tensor.data as Float32Array<ArrayBuffer>,
});

/** How a graph spells the output `name`, and the other way. */
export const spelled = (name: string): string => `out:${name}`;
export const named = (output: string): string => output.replace(/^out:/, "");

/** @throws HocketError where the session lacks an output that is to be kept */
export function checkOutputs({ outputNames }: ort.InferenceSession, kept: readonly string[]): void {
  const missing = kept.find((name) => !outputNames.includes(name));
  assert(missing === undefined, `there is no output ${missing}, there are ${some(outputNames)}`);
}

export const some = (names: readonly string[]): string =>
  names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
