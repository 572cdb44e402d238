/** @file Any tensor as float32. Halves are widened bit by bit, because no engine of today has them all as a type. */

import { type Tensor, tensor } from "../tensor.js";

/**
 * The same numbers as float32; the tensor itself if they are that already. Exact for float16, bfloat16, bool and whole
 * numbers up to 24 bits; the nearest float32 otherwise.
 */
export function toFloat32(from: Tensor): Tensor<"float32"> {
  const { dtype, shape, data } = from;
  if (dtype === "float32") return from as Tensor<"float32">;
  if (dtype === "float16") return fromBits(shape, data as Uint16Array, halfBits);
  if (dtype === "bfloat16") return fromBits(shape, data as Uint16Array, (bits) => bits << 16);
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = Number(data[i]);
  return tensor("float32", shape, values);
}

// --- internal ---

function fromBits(shape: readonly number[], data: Uint16Array, widen: (bits: number) => number): Tensor<"float32"> {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < bits.length; i++) bits[i] = widen(data[i]!);
  return tensor("float32", shape, new Float32Array(bits.buffer));
}

/** IEEE 754 half (1 sign, 5 exponent, 10 fraction bits) to single (1, 8, 23), as bits. */
function halfBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinity, or not a number
  if (exponent !== 0) return sign | ((exponent + 127 - 15) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const leading = 31 - Math.clz32(fraction); // a subnormal half is a normal single: fraction * 2^-24
  return sign | ((leading - 24 + 127) << 23) | ((fraction << (23 - leading)) & 0x7fffff);
}
