/** @file How much a convolution pads, and padding on arrays. Exact to the sample: one off and every code changes. */

import type { CodecConfig } from "./config.js";

export interface Padding {
  readonly left: number;
  readonly right: number;
}

/**
 * So that a convolution of stride s turns L samples into ceil(L / s) (spec §1.3).
 * Causal models pad on the left; what fills the last frame goes to the right.
 */
export function convPadding(
  kernel: number,
  stride: number,
  dilation: number,
  length: number,
  causal: boolean,
): Padding {
  const total = (kernel - 1) * dilation + 1 - stride;
  const extra = Math.ceil(length / stride) * stride - length;
  const right = causal ? 0 : Math.floor(total / 2);
  return { left: total - right, right: right + extra };
}

/** What a transposed convolution of kernel k and stride s makes too much: k - s samples, cut off again (spec §1.3). */
export function transposeTrim(kernel: number, stride: number, c: CodecConfig): Padding {
  const total = kernel - stride;
  const right = c.use_causal_conv ? Math.ceil(total * c.trim_right_ratio) : Math.floor(total / 2);
  return { left: total - right, right };
}

/**
 * Mirroring needs more samples than it pads. For a shorter input, this many zeros are appended first, and as many
 * samples cut from the end afterwards.
 */
export const zerosBeforeReflect = ({ left, right }: Padding, length: number): number =>
  Math.max(0, Math.max(left, right) - length + 1);

/** `row` with padding on both sides. */
export function padRow(row: Float32Array, { left, right }: Padding, mode: CodecConfig["pad_mode"]): Float32Array {
  const padded = new Float32Array(left + row.length + right);
  padded.set(row, left);
  if (mode === "constant") return padded;
  // Position i of the padded row, mirrored at both ends of the (possibly zero-extended) input.
  const last = row.length + zerosBeforeReflect({ left, right }, row.length) - 1;
  const mirrored = (i: number) => {
    const inside = i < 0 ? -i : i > last ? 2 * last - i : i;
    return row[inside] ?? 0; // past the end: one of the zeros that were appended
  };
  for (let i = 0; i < left; i++) padded[i] = mirrored(i - left);
  for (let i = 0; i < right; i++) padded[left + row.length + i] = mirrored(row.length + i);
  return padded;
}
