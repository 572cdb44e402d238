/** @file Any tensor of fractions as IEEE 754 halves, to the nearest; for files that are to be small. */

import { HocketError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { toFloat32 } from "./float32.js";

/**
 * The nearest halves; of two as near, the one whose last bit is zero.
 * @param name in messages
 * @throws HocketError "unsupported" for a number beyond 65504, the largest half
 */
export function toFloat16(from: Tensor, name: string): Tensor<"float16"> {
  const { shape, data } = toFloat32(from);
  const singles = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const halves = new Uint16Array(singles.length);
  for (const [i, single] of singles.entries()) {
    const half = halfOf(single);
    if ((half & 0x7c00) === 0x7c00)
      throw new HocketError(
        "unsupported",
        `${name} has ${data[i]}, and half precision ends at 65504: leave out --half`,
      );
    halves[i] = half;
  }
  return tensor("float16", shape, halves);
}

// --- internal ---

/** Single (1 sign, 8 exponent, 23 fraction bits) to half (1, 5, 10), as bits; infinity for what is too large, or no number. */
function halfOf(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const exponent = ((single >>> 23) & 0xff) - 127 + 15;
  const fraction = single & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00;
  // Below 2^-14 halves are whole multiples of 2^-24; the leading bit, which singles leave out, is moved along.
  const [bits, dropped] =
    exponent > 0 ? [(exponent << 23) | fraction, 13] : [fraction | 0x800000, Math.min(14 - exponent, 25)];
  const kept = Math.floor(bits / 2 ** dropped);
  const rest = bits - kept * 2 ** dropped;
  const middle = 2 ** (dropped - 1);
  // A carry out of the fraction raises the exponent, as it should.
  return sign | (kept + (rest > middle || (rest === middle && kept % 2 === 1) ? 1 : 0));
}
