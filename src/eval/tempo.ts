/**
 * @file How fast a piece is: sounds that begin, band by band, and after how long they begin again. Autocorrelation as in
 * Percival and Tzanetakis, "Streamlined tempo estimation" (2014); the preference for usual tempi as in Ellis, "Beat
 * tracking by dynamic programming" (2007).
 */

import { bands, frameRate, type Heard } from "./hearing.js";

/** Tempi that are considered, in quarter notes a minute. */
export const slowest = 45;
export const fastest = 210;

/** Quarter notes a minute; half or twice of it is often as good an answer. NaN where nothing begins. */
export function tempo(heard: Heard): number {
  const again = autocorrelation(onsets(heard), (8 * 60 * frameRate) / slowest);
  let best = Number.NaN;
  let bestScore = 0;
  for (let bpm = slowest; bpm <= fastest; bpm *= 1.003) {
    const beat = (60 * frameRate) / bpm;
    const repeats = beats.reduce((sum, { count, weight }) => sum + weight * at(again, count * beat), 0);
    const usual = Math.exp(-0.5 * (Math.log2(bpm / usualTempo) / spread) ** 2);
    if (repeats * usual > bestScore) [best, bestScore] = [bpm, repeats * usual];
  }
  return best;
}

/** Whether `estimate` is `bpm`, within `tolerance`; with `octaves`, also its half or double. */
export function sameTempo(estimate: number, bpm: number, tolerance: number, octaves = false): boolean {
  const factors = octaves ? [1, 2, 0.5] : [1];
  return factors.some((factor) => Math.abs(estimate / (factor * bpm) - 1) <= tolerance);
}

/**
 * [frames] how much begins in each frame: growth of the logarithm of each band, from one band to before another, without
 * what is usual around it.
 */
export function onsets({ mel }: Heard, fromBand = 0, toBand = bands): Float32Array {
  let loudest = 0;
  for (const frame of mel) for (const power of frame) loudest = Math.max(loudest, power);
  const floor = 1e-5 * loudest;
  if (floor === 0) return new Float32Array(mel.length);
  const logs = mel.map((frame) => frame.map((power) => Math.log10(power + floor)));
  const growth = Float32Array.from(logs, (frame, t) => {
    const before = logs[Math.max(0, t - step)]!;
    let sum = 0;
    for (let band = fromBand; band < toBand; band++) sum += Math.max(0, frame[band]! - before[band]!);
    return sum;
  });
  return growth.map((value, t) =>
    Math.max(0, value - median(growth.subarray(Math.max(0, t - around), t + around + 1))),
  );
}

/** [lags] of a signal without its mean, each divided by what it is summed over; 1 at lag 0. Zeros for a constant. */
export function autocorrelation(signal: Float32Array, lags: number): Float64Array {
  const mean = signal.reduce((sum, value) => sum + value, 0) / signal.length;
  const longest = Math.min(Math.ceil(lags) + 1, signal.length);
  const result = new Float64Array(longest);
  for (let lag = 0; lag < longest; lag++) {
    let sum = 0;
    for (let t = lag; t < signal.length; t++) sum += (signal[t]! - mean) * (signal[t - lag]! - mean);
    result[lag] = sum / (signal.length - lag);
  }
  const energy = result[0] ?? 0;
  return energy > 0 ? result.map((value) => value / energy) : result;
}

// --- internal ---

const usualTempo = 115;
/** Octaves */
const spread = 0.8;
/** Where sounds should begin again, in beats. */
const beats = [
  { count: 0.5, weight: 0.5 },
  { count: 1, weight: 1 },
  { count: 2, weight: 1 },
  { count: 4, weight: 1 },
];
/** Frames over which a band grows: a window of the spectrum is longer than one. */
const step = 2;
/** Frames on either side whose median is what is usual. */
const around = 40;

function median(values: Float32Array): number {
  return values.slice().sort()[values.length >> 1]!;
}

/** Between two lags, along the line. */
function at(values: Float64Array, lag: number): number {
  const low = Math.floor(lag);
  if (low + 1 >= values.length) return 0;
  return values[low]! + (lag - low) * (values[low + 1]! - values[low]!);
}
