/**
 * @file In which key a piece is: how much of each pitch class is heard, held against how much of each a key has
 * (Krumhansl; the profiles are Temperley's from the Kostka and Payne corpus, "Music and Probability", 2007).
 */

import { type Heard, hearingRate, powerSpectra } from "./hearing.js";

export interface KeyEstimate {
  /** 0 = C */
  readonly tonic: number;
  readonly mode: "major" | "minor";
}

export const keyOf = (heard: Heard): KeyEstimate => bestKey(pitchClasses(heard));

/** [12] how much of each pitch class is heard between A1 and C5, C first, as shares; zeros in silence. */
export const pitchClasses = (heard: Heard): Float64Array => classesOf(pitches(heard), ...clearest);

/** The pitches that tell most of the key. */
export const clearest = [33, 72] as const;

/**
 * [128] how much of each pitch of MIDI is heard from 45 Hz to 2 kHz: square roots of the magnitudes of spectral peaks. Above
 * 500 Hz these are overtones for the larger part, of which the fifth and the third mislead.
 */
export function pitches({ samples }: Heard): Float64Array {
  const heard = new Float64Array(128);
  const [lowest, highest] = [45, 2000].map((hertz) => Math.round((hertz * size) / hearingRate)) as [number, number];
  for (const power of powerSpectra(samples, size, size / 4))
    for (let k = lowest; k <= highest; k++) {
      const [left, here, right] = [power[k - 1]!, power[k]!, power[k + 1]!];
      if (here <= left || here < right || here < quietest) continue;
      const [a, b, c] = [Math.log(left + tiny), Math.log(here), Math.log(right + tiny)];
      const peak = k + (0.5 * (a - c)) / (a - 2 * b + c); // the top of the parabola through three logarithms
      const pitch = 69 + 12 * Math.log2((peak * hearingRate) / size / 440);
      const nearest = Math.round(pitch);
      const inTune = Math.cos(Math.PI * (pitch - nearest)) ** 2;
      heard[nearest]! += inTune * here ** 0.25;
    }
  return heard;
}

/** [12] the pitches from `lowest` to `highest` as pitch classes, in shares. */
export function classesOf(pitches: Float64Array, lowest: number, highest: number): Float64Array {
  const classes = new Float64Array(12);
  for (let pitch = lowest; pitch <= highest; pitch++) classes[pitch % 12]! += pitches[pitch]!;
  const whole = classes.reduce((sum, value) => sum + value, 0);
  return whole > 0 ? classes.map((value) => value / whole) : classes;
}

/** The key whose profile correlates best. @param classes [12], C first */
export function bestKey(classes: Float64Array): KeyEstimate {
  let best: KeyEstimate = { tonic: 0, mode: "major" };
  let score = Number.NEGATIVE_INFINITY;
  for (const mode of ["major", "minor"] as const)
    for (let tonic = 0; tonic < 12; tonic++) {
      const fit = correlation(profiles[mode], rotated(classes, tonic));
      if (fit > score) [best, score] = [{ tonic, mode }, fit];
    }
  return best;
}

/** The pitch classes counted from `tonic`. */
export const rotated = (classes: Float64Array, tonic: number): Float64Array =>
  classes.map((_, i) => classes[(i + tonic) % 12]!);

// --- internal ---

const size = 8192;
/** Power below which a peak is no tone, for samples with an RMS of 0.1. */
const quietest = 1e-2;
const tiny = 1e-30;

const profiles = {
  major: [0.748, 0.06, 0.488, 0.082, 0.67, 0.46, 0.096, 0.715, 0.104, 0.366, 0.057, 0.4],
  minor: [0.712, 0.084, 0.474, 0.618, 0.049, 0.46, 0.105, 0.747, 0.404, 0.067, 0.133, 0.33],
};

/** Pearson's; 0 where either is constant. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - ma, b[i]! - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa * bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
