/**
 * @file What a codec should not be surprised by: the same music louder, brighter, duller, out of silence, or with another
 * piece behind it. Some clips are changed so, drawn by their number (shares as in the recipe of the data).
 */

import { uniform } from "../lm/random.js";

/** Where the draws of this file begin, behind those of the pieces themselves. */
const lane = 1000;

/**
 * Whether another piece is to be mixed into piece `index`: how much softer it is, as a factor; undefined for 19 of 20.
 */
export function mixedIn(index: number, seed: number): number | undefined {
  const drawn = (n: number) => uniform(seed, index, lane + n);
  return drawn(0) < 0.05 ? decibels(-2 - 4 * drawn(1)) : undefined;
}

/** Adds `other` times `factor`. */
export function mixInto(samples: readonly Float32Array[], other: readonly Float32Array[], factor: number): void {
  for (const [c, channel] of samples.entries())
    for (let n = 0; n < channel.length; n++) channel[n] = channel[n]! + factor * other[c]![n]!;
}

/**
 * Changes 15 of 100 pieces by up to ±9 dB and, at one to three places of the spectrum, up to ±6 dB; fades one of 100 in from
 * silence or out into it. What would exceed ±1 is made softer as a whole.
 */
export function augment(samples: readonly Float32Array[], sampleRate: number, index: number, seed: number): void {
  const drawn = (n: number) => uniform(seed, index, lane + 10 + n);
  if (drawn(0) < 0.15) {
    const bands = 1 + Math.floor(3 * drawn(1));
    for (let band = 0; band < bands; band++) {
      const [place, gain] = [drawn(2 + 2 * band), drawn(3 + 2 * band)];
      const frequency = 60 * ((0.4 * sampleRate) / 60) ** place; // even over the octaves
      for (const channel of samples) peaking(channel, frequency / sampleRate, 12 * gain - 6);
    }
    scale(samples, decibels(18 * drawn(8) - 9));
  }
  if (drawn(9) < 0.01) fade(samples, drawn(10), drawn(11) < 0.5);
  let peak = 0;
  for (const channel of samples) for (let n = 0; n < channel.length; n++) peak = Math.max(peak, Math.abs(channel[n]!));
  if (peak > 1) scale(samples, 1 / peak);
}

// --- internal ---

const decibels = (db: number): number => 10 ** (db / 20);

function scale(samples: readonly Float32Array[], factor: number): void {
  for (const channel of samples) for (let n = 0; n < channel.length; n++) channel[n] = channel[n]! * factor;
}

/** Silence up to, or from, a share of the piece, and a slope of a twentieth of it. */
function fade(samples: readonly Float32Array[], share: number, fadesIn: boolean): void {
  for (const channel of samples) {
    const [edge, slope] = [share * channel.length, channel.length / 20];
    for (let n = 0; n < channel.length; n++) {
      const inside = (fadesIn ? n - edge : edge - n) / slope;
      channel[n] = channel[n]! * Math.max(0, Math.min(1, inside));
    }
  }
}

/** A bell of an octave around `frequency` (of the sample rate): R. Bristow-Johnson's cookbook, peaking EQ, Q 1.4. */
function peaking(channel: Float32Array, frequency: number, db: number): void {
  const a = decibels(db / 2);
  const omega = 2 * Math.PI * frequency;
  const alpha = Math.sin(omega) / (2 * 1.4);
  const a0 = 1 + alpha / a;
  const [b0, b1, b2] = [(1 + alpha * a) / a0, (-2 * Math.cos(omega)) / a0, (1 - alpha * a) / a0];
  const a2 = (1 - alpha / a) / a0; // and a1 = b1
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let n = 0; n < channel.length; n++) {
    const x = channel[n]!;
    const y = b0 * x + b1 * (x1 - y1) + b2 * x2 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    channel[n] = y;
  }
}
