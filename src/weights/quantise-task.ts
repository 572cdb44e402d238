/** @file What a thread does for quantising: a matrix is read where it lies, and comes back in few bits. */

import { openFile } from "#platform";
import type { LowRank, StoredNumbers } from "../graph/onnx.js";
import { type DType, tensor } from "../tensor.js";
import { toFloat32 } from "./float32.js";
import { type Coded, type Coding, quantise } from "./quantise.js";
import { numbersIn } from "./safetensors.js";

export interface QuantiseTask {
  readonly shape: readonly [rows: number, columns: number];
  readonly dtype: DType;
  readonly data: StoredNumbers;
  readonly added?: LowRank;
  readonly coding: Coding;
}

export async function quantiseWeight({ shape, dtype, data, added, coding }: QuantiseTask): Promise<Coded> {
  const stored = tensor(dtype, shape, numbersIn(dtype, await bytesAt(data)));
  const { data: matrix } = toFloat32(stored);
  return quantise(added === undefined ? matrix : sum(matrix, added), shape[1], coding);
}

// --- internal ---

async function bytesAt(data: StoredNumbers): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data;
  const file = await openFile(data.location);
  try {
    return await file.read(data.offset, data.length);
  } finally {
    await file.close();
  }
}

/** matrix + up down */
function sum(matrix: Float32Array, { up, down }: LowRank): Float32Array {
  const all = matrix.slice();
  const [rows, ranks] = up.shape as [number, number];
  const columns = down.shape[1]!;
  for (let row = 0; row < rows; row++)
    for (let rank = 0; rank < ranks; rank++) {
      const factor = up.data[row * ranks + rank]!;
      for (let i = 0; i < columns; i++) all[row * columns + i]! += factor * down.data[rank * columns + i]!;
    }
  return all;
}
