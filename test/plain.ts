/** @file For tests: tensors by the plainest means, to compare the runtime with. */

import { arrayFor, type DType, elementCount, type Tensor, tensor } from "../src/tensor.js";

export type Index = readonly number[];

/** Every index of a shape, in row-major order. */
export const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );

/** The tensor whose element at each index is `value(index)`. */
export function fill(dtype: DType, shape: readonly number[], value: (index: number[]) => number): Tensor {
  const data = new (arrayFor(dtype))(elementCount(shape));
  for (const [n, index] of indices(shape).entries())
    data[n] = data instanceof BigInt64Array ? BigInt(value(index)) : value(index);
  return tensor(dtype, shape, data as never);
}

/** The element at the last places of `index`; an axis of size 1 is stretched. */
export function get(x: Tensor, index: Index): number {
  const own = index.slice(index.length - x.shape.length);
  return Number(x.data[x.shape.reduce((at, size, axis) => at * size + (size === 1 ? 0 : own[axis]!), 0)]);
}

/** Numbers that look random: quarters from -2 to 2, whole numbers from -5 to 5, or truths. */
export function numbers(dtype: DType, shape: readonly number[], seed: number): Tensor {
  let n = seed;
  const wave = () => Math.sin(12.9898 * (++n) ** 2);
  return fill(dtype, shape, () =>
    dtype === "bool" ? Number(wave() > 0) : dtype === "int64" ? Math.round(5 * wave()) : Math.round(8 * wave()) / 4,
  );
}

export const map = (x: Tensor, f: (value: number) => number): Tensor => fill(x.dtype, x.shape, (i) => f(get(x, i)));

export const sum = (count: number, term: (i: number) => number): number =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);

export const mean = (values: readonly number[]): number => sum(values.length, (i) => values[i]!) / values.length;
