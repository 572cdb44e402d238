/**
 * @file A clip as a row of numbers that says how it sounds and not which notes it has: how loud each band is and how it
 * changes, when sounds begin again, and the pitch classes counted from the tonic.
 */

import { percussiveness } from "./drums.js";
import { bands, frameRate, type Heard } from "./hearing.js";
import { bestKey, classesOf, rotated } from "./key.js";
import { rhythm, rhythmCount } from "./rhythm.js";
import { autocorrelation, onsets } from "./tempo.js";

/** Numbers of a clip. */
export const featureCount = 5 * bands + 40 + rhythmCount + 12 + 2;

/** Numbers of `tonal`. */
export const tonalCount = 48;

/** @param classes its pitch classes; @param bpm its tempo */
export function features(heard: Heard, classes: Float64Array, bpm: number): Float32Array {
  const { tonic, mode } = bestKey(classes);
  return Float32Array.from([
    ...bandStatistics(heard.mel),
    ...repeats(onsets(heard)),
    ...rhythm(heard, bpm),
    ...rotated(classes, tonic),
    mode === "major" ? 1 : -1,
    percussiveness(heard),
  ]);
}

/** What the key is learnt from: [4][12] pitch classes of the bass, the middle, where overtones begin, and above, C first. */
export const tonal = (pitches: Float64Array): Float32Array =>
  Float32Array.from([
    ...classesOf(pitches, 29, 48),
    ...classesOf(pitches, 49, 60),
    ...classesOf(pitches, 61, 72),
    ...classesOf(pitches, 73, 96),
  ]);

// --- internal ---

/**
 * Of each band: mean and deviation of the logarithm of its power, its mean growth and its mean decay in 20 ms, and how
 * much louder its loudest tenth is than its middle.
 */
function bandStatistics(mel: readonly Float32Array[]): number[] {
  let loudest = 0;
  for (const frame of mel) for (const power of frame) loudest = Math.max(loudest, power);
  const floor = 1e-7 * loudest + 1e-12;
  const logs = mel.map((frame) => frame.map((power) => Math.log10(power + floor)));
  const step = 2;
  return Array.from({ length: bands }, (_, band) => {
    const row = Float32Array.from(logs, (frame) => frame[band]!);
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const square = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    let [growth, decay] = [0, 0];
    for (let t = step; t < row.length; t++) {
      const change = row[t]! - row[t - step]!;
      if (change > 0) growth += change;
      else decay -= change;
    }
    const sorted = row.slice().sort();
    const peak = sorted[Math.floor(0.9 * row.length)]! - sorted[Math.floor(0.5 * row.length)]!;
    return [mean, Math.sqrt(square), growth / row.length, decay / row.length, peak];
  }).flat();
}

/** [40] the autocorrelation of `onsets` after 0.08 to 4 s, in equal ratios; each the largest up to the next. */
function repeats(begun: Float32Array): number[] {
  const again = autocorrelation(begun, 4.2 * frameRate);
  const lag = (i: number) => Math.round(0.08 * frameRate * 50 ** (i / 40));
  return Array.from({ length: 40 }, (_, i) => Math.max(...again.slice(lag(i), Math.max(lag(i) + 1, lag(i + 1))), -1));
}
