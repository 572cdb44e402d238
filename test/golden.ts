/** @file For tests: the golden vectors of test/golden and other files of the repository, wherever the test runs from. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert } from "../src/errors.js";
import { arrayFor, type DType, type Tensor, tensor } from "../src/tensor.js";

/** The path of a file of the repository, such as `models/mini-reference/tokenizer.json`. */
export const repositoryFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The tensors of `test/golden/<folder>/<file>`, a safetensors file, by name. */
export function readGolden(folder: string, file = "expected.safetensors"): Map<string, Tensor> {
  const bytes = readFileSync(repositoryFile(`test/golden/${folder}/${file}`));
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  const header: Record<string, Entry> = JSON.parse(bytes.toString("utf8", 8, dataStart));
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = data_offsets.map((offset) => bytes.byteOffset + dataStart + offset) as [number, number];
    const type = dtypes[dtype];
    assert(type !== undefined, `${folder}/${file}: ${name} has type ${dtype}`);
    tensors.set(name, tensor(type, shape, new (arrayFor(type))(bytes.buffer.slice(start, end))));
  }
  return tensors;
}

/** `test/golden/<folder>/<file>`, parsed. The caller knows its shape. */
export const readGoldenJson = <T>(folder: string, file = "config.json"): T =>
  JSON.parse(readFileSync(repositoryFile(`test/golden/${folder}/${file}`), "utf8"));

/** The numbers of a float32 or float64 tensor. */
export function floats(tensors: Map<string, Tensor>, name: string): Float32Array | Float64Array {
  const { data } = named(tensors, name);
  assert(data instanceof Float32Array || data instanceof Float64Array, `${name} does not hold floating-point numbers`);
  return data;
}

/** The numbers of an int64 tensor. */
export function integers(tensors: Map<string, Tensor>, name: string): Int32Array {
  const { data } = named(tensors, name);
  assert(data instanceof BigInt64Array, `${name} does not hold 64-bit integers`);
  return Int32Array.from(data, Number);
}

export function named(tensors: Map<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  assert(found !== undefined, `there is no golden tensor "${name}"; there are ${[...tensors.keys()].join(", ")}`);
  return found;
}

/** Consecutive rows of `width`. */
export const rowsOf = <A extends Int32Array | Float32Array | Float64Array>(data: A, width: number): A[] =>
  Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width) as A);

/** max |a - b|; NaN where either holds one, infinite where the lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

// --- internal ---

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const dtypes: Record<string, DType> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};
