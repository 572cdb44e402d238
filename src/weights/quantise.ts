/**
 * @file A matrix as whole numbers of few bits, in blocks that share a scale: what ONNX Runtime's MatMulNBits multiplies by
 * (github.com/microsoft/onnxruntime, docs/ContribOperators.md). With 8 bits rounding costs next to nothing; with 4 it
 * costs a tenth of the numbers, so there the scale is searched for.
 */

import { assert } from "../errors.js";
import type { Blocks } from "../graph/blocks.js";

export interface Coding {
  readonly bits: Blocks["bits"];
  readonly size: Blocks["size"];
  /** Whether to try several scales for each block, and to keep the one that leaves the smallest error. */
  readonly search: boolean;
}

export interface Coded {
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Bytes of both, for a matrix [rows, columns]. */
export function codedSize(rows: number, columns: number, { bits, size }: Pick<Coding, "bits" | "size">) {
  const blocks = rows * Math.ceil(columns / size);
  return { packed: (blocks * size * bits) / 8, scales: 4 * blocks };
}

/** @param matrix [rows, columns], row-major */
export function quantise(matrix: Float32Array, columns: number, coding: Coding): Coded {
  const { bits, size } = coding;
  const rows = matrix.length / columns;
  assert(Number.isInteger(rows), `${matrix.length} numbers are no rows of ${columns}`);
  const bytes = codedSize(rows, columns, coding);
  const packed = new Uint8Array(bytes.packed);
  const scales = new Float32Array(bytes.scales / 4);
  const zero = 2 ** (bits - 1);
  const block = new Float32Array(size);
  let at = 0;
  let written = 0;
  for (let row = 0; row < rows; row++)
    for (let start = 0; start < columns; start += size) {
      const count = Math.min(size, columns - start);
      for (let i = 0; i < count; i++) block[i] = matrix[row * columns + start + i]!;
      for (let i = count; i < size; i++) block[i] = 0;
      const scale = Math.fround(coding.search ? searchedScale(block, zero) : plainScale(block, zero));
      const inverse = scale === 0 ? 0 : 1 / scale;
      scales[at++] = scale;
      if (bits === 8) for (let i = 0; i < size; i++) packed[written++] = code(block[i]! * inverse, zero);
      else
        for (let i = 0; i < size; i += 2)
          packed[written++] = code(block[i]! * inverse, zero) | (code(block[i + 1]! * inverse, zero) << 4);
    }
  return { packed, scales };
}

/** The numbers that the blocks stand for: [rows, columns]. */
export function dequantise(
  { packed, scales }: { readonly packed: Uint8Array; readonly scales: Float32Array },
  columns: number,
  { bits, size }: Pick<Coding, "bits" | "size">,
): Float32Array<ArrayBuffer> {
  const across = Math.ceil(columns / size);
  const zero = 2 ** (bits - 1);
  const matrix = new Float32Array((scales.length / across) * columns);
  for (let i = 0; i < matrix.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = row * across * size + column; // rows begin with a block
    const q = bits === 8 ? packed[at]! : (packed[at >> 1]! >> (4 * (at & 1))) & 15;
    matrix[i] = scales[Math.floor(at / size)]! * (q - zero);
  }
  return matrix;
}

// --- internal ---

/** The whole number nearest to x + zero, of those from 0 to 2 zero - 1. */
function code(x: number, zero: number): number {
  const q = (x + zero + 0.5) | 0;
  return q < 0 ? 0 : q > 2 * zero - 1 ? 2 * zero - 1 : q;
}

/** The largest number becomes the largest code. */
const plainScale = (block: Float32Array, zero: number): number => Math.abs(largestIn(block)) / (zero - 1);

/** Of the numbers, the one furthest from 0. */
function largestIn(block: Float32Array): number {
  let least = 0;
  let most = 0;
  for (let i = 0; i < block.length; i++) {
    const w = block[i]!;
    if (w < least) least = w;
    else if (w > most) most = w;
  }
  return -least > most ? least : most;
}

/**
 * The code of the number that is largest lies in a range around -zero (there is one code more on that side, so scales have
 * a sign). For whole numbers q of w the best scale is wq / qq, and its squared error ww - (wq)^2 / qq.
 */
function searchedScale(block: Float32Array, zero: number): number {
  const largest = largestIn(block);
  let scale = 0;
  let best = 0;
  for (let n = 0; n < places && largest !== 0; n++) {
    const place = firstPlace + (n * (lastPlace - firstPlace)) / (places - 1);
    const inverse = (-place * zero) / largest;
    let wq = 0;
    let qq = 0;
    for (let i = 0; i < block.length; i++) {
      const w = block[i]!;
      const q = code(w * inverse, zero) - zero;
      wq += w * q;
      qq += q * q;
    }
    const fit = (wq * wq) / qq;
    if (fit > best) {
      best = fit;
      scale = wq / qq;
    }
  }
  return scale;
}

/** Where the largest number comes to lie, as a share of `zero`. More places gain less than a hundredth of the error. */
const firstPlace = 0.8;
const lastPlace = 1.1;
const places = 5;
