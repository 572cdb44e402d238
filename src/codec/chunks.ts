/** @file Codecs that work in chunks, each at its own loudness: cutting, scaling, and joining with overlap (spec §1.5). */

/** Where each chunk of a clip of `length` samples starts and ends. The last may be short. */
export function chunkBounds(length: number, chunk: { length: number; stride: number } | undefined): [number, number][] {
  if (chunk === undefined) return [[0, length]];
  const bounds: [number, number][] = [];
  for (let start = 0; start < length; start += chunk.stride)
    bounds.push([start, Math.min(length, start + chunk.length)]);
  return bounds;
}

/** Root mean square of the mean of the channels, kept above zero: what a chunk is divided by before it is encoded. */
export function loudness(channels: readonly Float32Array[]): number {
  const length = channels[0]!.length;
  let power = 0;
  for (let i = 0; i < length; i++) {
    let mono = 0;
    for (const row of channels) mono += row[i]!;
    power += (mono / channels.length) ** 2;
  }
  return Math.sqrt(power / length) + 1e-8;
}

export const scaled = (channels: readonly Float32Array[], factor: number): Float32Array[] =>
  channels.map((row) => row.map((sample) => sample * factor));

/**
 * Adds chunks `stride` apart, each weighted by a triangle, and divides by the sum of the weights.
 * Sample j of a chunk weighs 0.5 - |(j + 1) / (F + 1) - 0.5|, F being the first chunk's length.
 * @param chunks [n][channels][samples]
 * @returns [channels][stride (n - 1) + length of the last]
 */
export function overlapAdd(chunks: readonly (readonly Float32Array[])[], stride: number): Float32Array[] {
  const first = chunks[0]![0]!.length;
  const total = stride * (chunks.length - 1) + chunks.at(-1)![0]!.length;
  const weight = Float64Array.from({ length: first }, (_, j) => 0.5 - Math.abs((j + 1) / (first + 1) - 0.5));
  const weights = new Float64Array(total);
  const sums = chunks[0]!.map(() => new Float64Array(total));
  for (const [i, chunk] of chunks.entries()) {
    const length = Math.min(chunk[0]!.length, total - i * stride);
    for (let j = 0; j < length; j++) {
      weights[i * stride + j]! += weight[j]!;
      for (const [c, row] of chunk.entries()) sums[c]![i * stride + j]! += weight[j]! * row[j]!;
    }
  }
  return sums.map((sum) => Float32Array.from(sum, (value, i) => value / weights[i]!));
}
