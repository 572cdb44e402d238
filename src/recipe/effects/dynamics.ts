/** @file Loudness over time: a compressor for the whole mix, and a limiter that no sample gets past. */

/** Samples that share a gain, but that it moves straight from one to the next. */
const block = 32;

/**
 * Turns down what is louder than `threshold` (RMS), in place: `ratio` dB above become one. The channels are treated alike.
 * Seconds for `attack` and `release`.
 */
export function compress(
  channels: readonly Float32Array[],
  rate: number,
  { threshold, ratio, attack, release }: { threshold: number; ratio: number; attack: number; release: number },
): void {
  const [rise, fall] = [attack, release].map((seconds) => 1 - Math.exp(-block / (seconds * rate))) as [number, number];
  const count = Math.ceil(channels[0]!.length / block);
  const edges = new Float32Array(count + 1).fill(1);
  let power = 0;
  for (let b = 0; b < count; b++) {
    let sum = 0;
    for (const channel of channels) {
      const end = Math.min(channel.length, (b + 1) * block);
      for (let n = b * block; n < end; n++) sum += channel[n]! ** 2;
    }
    const now = sum / block / channels.length;
    power += (now > power ? rise : fall) * (now - power);
    const over = power / threshold ** 2;
    edges[b + 1] = over > 1 ? over ** ((1 / ratio - 1) / 2) : 1;
  }
  applyGains(channels, edges);
}

/** No sample of the result exceeds `ceiling`; what is before and after a peak is turned down smoothly, in place. */
export function limit(channels: readonly Float32Array[], rate: number, ceiling: number): void {
  const count = Math.ceil(channels[0]!.length / block);
  const needed = new Float32Array(count).fill(1);
  let any = false;
  for (const channel of channels)
    for (let b = 0; b < count; b++) {
      let peak = 0;
      const end = Math.min(channel.length, (b + 1) * block);
      for (let n = b * block; n < end; n++) peak = Math.max(peak, Math.abs(channel[n]!));
      if (peak > ceiling) {
        needed[b] = Math.min(needed[b]!, ceiling / peak);
        any = true;
      }
    }
  if (!any) return;
  // Each edge's gain is the mean of four minima over windows that hold both its blocks: never above what either needs.
  const minima = new Float32Array(count + 2 * margin).fill(1);
  const recovery = 1 - Math.exp(-block / (0.08 * rate));
  let last = 1;
  for (let b = -margin; b < count + margin; b++) {
    let lowest = 1;
    for (let k = Math.max(0, b - 2); k <= Math.min(count - 1, b + 2); k++) lowest = Math.min(lowest, needed[k]!);
    last = Math.min(lowest, last + recovery * (1 - last));
    minima[b + margin] = last;
  }
  const edges = new Float32Array(count + 1);
  for (let b = 0; b <= count; b++) {
    const at = b + margin;
    edges[b] = (minima[at - 2]! + minima[at - 1]! + minima[at]! + minima[at + 1]!) / 4;
  }
  applyGains(channels, edges);
}

// --- internal ---

const margin = 2;

/** `edges[b]` is the gain at the first sample of block b. */
function applyGains(channels: readonly Float32Array[], edges: Float32Array): void {
  for (const channel of channels)
    for (let b = 0; b + 1 < edges.length; b++) {
      const slope = (edges[b + 1]! - edges[b]!) / block;
      const start = b * block;
      const end = Math.min(channel.length, start + block);
      for (let n = start; n < end; n++) channel[n]! *= edges[b]! + slope * (n - start);
    }
}
