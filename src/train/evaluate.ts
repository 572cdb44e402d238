/** @file How good a codec is, by numbers: how much of the sound survives, and how much of its codebooks is used. */

import type { Samples } from "../codec/decoder.js";
import type { Codes } from "../codes.js";
import { assert } from "../errors.js";

export interface Segments {
  readonly sampleRate: number;
  /** Seconds that are compared at once, 5 by default. */
  readonly seconds?: number;
  /** The share of a segment that the next one hears again, 0.5 by default. */
  readonly overlap?: number;
}

/**
 * Scale-invariant signal-to-noise ratio in dB, higher is better: of what was made, how much is the recording at whatever
 * level, against the rest (Le Roux and others, arXiv 1811.02508). Mean over segments, channels and items; means are
 * subtracted first, and the last segments are filled up with silence.
 * @param made, real [B][C][N], of one shape
 */
export function siSnr(made: Samples, real: Samples, { sampleRate, seconds = 5, overlap = 0.5 }: Segments): number {
  const length = Math.floor(seconds * sampleRate);
  const stride = Math.floor(length * (1 - overlap));
  assert(stride > 0, `segments of ${seconds} s that overlap by ${overlap} do not advance`);
  const ratios = real.flatMap((item, b) =>
    item.flatMap((row, c) =>
      Array.from({ length: Math.ceil(row.length / stride) }, (_, i) => {
        const segment = (whole: Float32Array) => centred(whole.subarray(i * stride, i * stride + length), length);
        return ratio(segment(made[b]![c]!), segment(row));
      }),
    ),
  );
  return ratios.reduce((sum, each) => sum + each, 0) / ratios.length;
}

/**
 * For each codebook, the share of its entries that any of the grids uses, and its perplexity, exp(entropy): of how many
 * entries, all used alike, it would be worth.
 * @param bins entries of a codebook
 */
export function codebookUse(grids: readonly Codes[], bins: number): { usage: number; perplexity: number }[] {
  return (grids[0] ?? []).map((_, k) => {
    const counts = new Float64Array(bins);
    for (const grid of grids) for (const code of grid[k]!) counts[code]!++;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const used = counts.filter((count) => count > 0);
    const entropy = used.reduce((sum, count) => sum - (count / total) * Math.log(count / total), 0);
    return { usage: used.length / bins, perplexity: Math.exp(entropy) };
  });
}

// --- internal ---

/** The piece, filled up to `length`, without its mean. */
function centred(piece: Float32Array, length: number): Float64Array {
  const filled = new Float64Array(length);
  filled.set(piece);
  const mean = filled.reduce((sum, value) => sum + value, 0) / length;
  return filled.map((value) => value - mean);
}

function ratio(made: Float64Array, real: Float64Array): number {
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const epsilon = 2 ** -23 * real.length; // silence is no division by zero
  const level = dot(made, real) / (epsilon + dot(real, real));
  const heard = real.map((value) => level * value);
  const rest = made.map((value, i) => value - heard[i]!);
  return 10 * Math.log10((epsilon + dot(heard, heard)) / (epsilon + dot(rest, rest)));
}
