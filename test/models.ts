/** @file For tests: the golden checkpoints, bound to our descriptions from memory. */

import { assert } from "../src/errors.js";
import type { Binder } from "../src/graph/compile.js";
import type { Tensor } from "../src/tensor.js";
import { readGolden } from "./golden.js";

/** Binds the tensors of test/golden/<folder>/model.safetensors. */
export const goldenBinder = (folder: string, prefix = ""): Binder =>
  bindTensors(readGolden(folder, "model.safetensors"), prefix);

export const bindTensors =
  (tensors: ReadonlyMap<string, Tensor>, prefix = ""): Binder =>
  async (declared) =>
    new Map(
      declared.map(({ name, shape }) => {
        const tensor = tensors.get(prefix + name);
        assert(tensor !== undefined, `${prefix}${name} is not in the checkpoint`);
        assert(`${tensor.shape}` === `${shape}`, `${name}: described as [${shape}], stored as [${tensor.shape}]`);
        const { buffer, byteOffset, byteLength } = tensor.data;
        return [name, { dtype: tensor.dtype, data: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) }];
      }),
    );

/** float32 [B, C, N] as [B][C] rows. */
export function rows(tensor: Tensor): Float32Array[][] {
  const [batch, channels, length] = tensor.shape as [number, number, number];
  return Array.from({ length: batch }, (_, b) =>
    Array.from({ length: channels }, (_, c) => {
      const start = (b * channels + c) * length;
      return (tensor.data as Float32Array).slice(start, start + length);
    }),
  );
}

/** [B][C] rows, flat in that order. */
export function flat(batch: readonly (readonly ArrayLike<number>[])[]): number[] {
  return batch.flatMap((item) => item.flatMap((row) => Array.from(row)));
}
