/** @file The discrete Fourier transform of real numbers, for lengths that are powers of two (Cooley and Tukey, 1965). */

import { HocketError } from "../errors.js";

/**
 * A transform of `size` real numbers into the first `size / 2 + 1` frequencies; the others are their conjugates.
 * Its tables and scratch are made once: make it outside of loops.
 * @throws HocketError "unsupported" for a size that is not a power of two, or below 4
 */
export function realFft(size: number): (input: Float64Array, re: Float64Array, im: Float64Array) => void {
  if (size < 4 || !Number.isInteger(Math.log2(size)))
    throw new HocketError("unsupported", `a Fourier transform of ${size} samples: only powers of two are implemented`);
  const half = size / 2;
  const cosine = Float64Array.from({ length: half }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sine = Float64Array.from({ length: half }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const zre = new Float64Array(half);
  const zim = new Float64Array(half);
  const reversed = reversedBits(half);

  return (input, re, im) => {
    // Even and odd samples as the real and imaginary parts of half as many complex numbers.
    for (let i = 0; i < half; i++) {
      zre[reversed[i]!] = input[2 * i]!;
      zim[reversed[i]!] = input[2 * i + 1]!;
    }
    for (let span = 1; span < half; span *= 2) {
      const stride = half / span;
      for (let first = 0; first < half; first += 2 * span)
        for (let j = 0; j < span; j++) {
          const wr = cosine[j * stride]!;
          const wi = sine[j * stride]!;
          const i = first + j;
          const k = i + span;
          const tr = wr * zre[k]! - wi * zim[k]!;
          const ti = wr * zim[k]! + wi * zre[k]!;
          zre[k] = zre[i]! - tr;
          zim[k] = zim[i]! - ti;
          zre[i] = zre[i]! + tr;
          zim[i] = zim[i]! + ti;
        }
    }
    // Apart again: the even samples' spectrum is the conjugate-symmetric half of it, the odd samples' the rest.
    for (let k = 0; k <= half; k++) {
      const a = k === half ? 0 : k;
      const b = k === 0 ? 0 : half - k;
      const wr = k === half ? -1 : cosine[k]!;
      const wi = k === half ? 0 : sine[k]!;
      const evenRe = (zre[a]! + zre[b]!) / 2;
      const evenIm = (zim[a]! - zim[b]!) / 2;
      const oddRe = (zim[a]! + zim[b]!) / 2;
      const oddIm = (zre[b]! - zre[a]!) / 2;
      re[k] = evenRe + wr * oddRe - wi * oddIm;
      im[k] = evenIm + wr * oddIm + wi * oddRe;
    }
  };
}

// --- internal ---

function reversedBits(size: number): Uint32Array {
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i++) reversed[i] = (reversed[i >> 1]! >> 1) | (i & 1 ? size >> 1 : 0);
  return reversed;
}
