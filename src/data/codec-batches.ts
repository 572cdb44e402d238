/** @file Batches of sound for the codec's training: batch n is the same whenever, and from wherever, it is asked for. */

import { ahead } from "./ahead.js";
import { augment, mixedIn, mixInto } from "./augment.js";
import type { Dataset } from "./segments.js";

export interface CodecBatchOptions {
  readonly batch: number;
  /** Of each piece. */
  readonly seconds: number;
  readonly seed: number;
  /** The number of the first batch; 0 if not said. */
  readonly from?: number;
  /** Whether some pieces are changed, as `augment.ts` says. */
  readonly augment?: boolean;
}

/** Endless batches [B, C, N], N = seconds at the data set's rate; one is made ready while another is in use. */
export const codecBatches = (dataset: Dataset, options: CodecBatchOptions): AsyncGenerator<Float32Array> =>
  ahead((step) => codecBatch(dataset, options, step), options.from);

/** Batch `step`. */
export async function codecBatch(dataset: Dataset, options: CodecBatchOptions, step: number): Promise<Float32Array> {
  const { batch, seconds } = options;
  const size = dataset.channels * Math.round(seconds * dataset.sampleRate);
  const whole = new Float32Array(batch * size);
  for (let b = 0; b < batch; b++) {
    const samples = await piece(dataset, options, step * batch + b);
    for (const [c, channel] of samples.entries()) whole.set(channel, b * size + c * channel.length);
  }
  return whole;
}

// --- internal ---

/** Pieces that are mixed into others have numbers of their own. */
const others = 2 ** 31;

async function piece(dataset: Dataset, options: CodecBatchOptions, index: number): Promise<Float32Array[]> {
  const { seconds, seed } = options;
  const { samples } = await dataset.segment(index, seconds, seed);
  if (options.augment !== true) return samples;
  const factor = mixedIn(index, seed);
  if (factor !== undefined) mixInto(samples, (await dataset.segment(others + index, seconds, seed)).samples, factor);
  augment(samples, dataset.sampleRate, index, seed);
  return samples;
}
