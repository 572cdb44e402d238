/** @file A tensor as it crosses folders: numbers, their type and their shape. Nothing computes here. */

import { assert } from "./errors.js";

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array, // raw bits: Node 20 has no Float16Array
  bfloat16: Uint16Array, // raw bits
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

export type DType = keyof typeof arrays;
export type DataOf<D extends DType> = InstanceType<(typeof arrays)[D]>;

/** Row-major numbers. `data` may be shared; whoever changes it owns it. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf<D>;
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
export const bytesPerElement = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT;
export const arrayFor = (dtype: DType) => arrays[dtype];

/** A tensor over `data`, checked; without `data`, zeros. */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data?: DataOf<D>): Tensor<D> {
  const values = data ?? (new arrays[dtype](elementCount(shape)) as DataOf<D>);
  assert(
    values instanceof arrays[dtype] && values.length === elementCount(shape),
    `a ${dtype} tensor of shape [${shape}] needs ${elementCount(shape)} values, got ${values.length}`,
  );
  return { dtype, shape, data: values };
}

/** Whole numbers as the int64 tensor that ONNX wants for ids and sizes. */
export const int64 = (shape: readonly number[], values: ArrayLike<number>): Tensor<"int64"> =>
  tensor(
    "int64",
    shape,
    BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]!)),
  );
