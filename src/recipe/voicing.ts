/** @file Which octave each tone of a chord goes to: the inversion nearest to the last one, never under the bass. */

import type { Harmony } from "./pitch.js";
import { mod12 } from "./pitch.js";

export interface Register {
  readonly low: number;
  readonly high: number;
  readonly centre: number;
}

/** Pitches, lowest first. @param before the last chord's, for short ways */
export function voice(chord: Harmony, register: Register, count: number, before: readonly number[]): number[] {
  const classes = essential(chord.tones, count);
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let lowest = register.low; lowest <= Math.max(register.low + 11, register.centre); lowest++) {
    if (!classes.includes(mod12(lowest))) continue;
    const pitches = stack(lowest, classes, count);
    const price = cost(pitches, register, before);
    if (price < least) [best, least] = [pitches, price];
  }
  return best;
}

/** Root, fifth and octave, the root as low as the register allows. */
export function powerChord(chord: Harmony, low: number): number[] {
  const root = low + mod12(chord.root - low);
  return [root, root + (chord.tones.includes(mod12(chord.root + 7)) ? 7 : 6), root + 12];
}

// --- internal ---

/** Without the fifth, then without the root, where there are more tones than voices. */
function essential(tones: readonly number[], count: number): number[] {
  const kept = [...tones];
  if (kept.length > count) kept.splice(2, 1);
  if (kept.length > count) kept.splice(0, 1);
  return kept.slice(0, Math.max(count, 2));
}

function stack(lowest: number, classes: readonly number[], count: number): number[] {
  const pitches = [lowest];
  for (let pitch = lowest + 1; pitches.length < count; pitch++) if (classes.includes(mod12(pitch))) pitches.push(pitch);
  return pitches;
}

/** How far the voices move, and how far they are from where they belong. */
function cost(pitches: readonly number[], { high, centre }: Register, before: readonly number[]): number {
  let moved = 0;
  for (const [i, pitch] of pitches.entries()) if (before[i] !== undefined) moved += Math.abs(pitch - before[i]);
  const mean = pitches.reduce((sum, pitch) => sum + pitch, 0) / pitches.length;
  return moved + 0.7 * Math.abs(mean - centre) + 20 * Math.max(0, pitches.at(-1)! - high) + clash(pitches);
}

/** Semitones rub, most of all at the top, where they hide the tune. */
function clash(pitches: readonly number[]): number {
  let rubs = 0;
  for (let i = 1; i < pitches.length; i++)
    if (pitches[i]! - pitches[i - 1]! === 1) rubs += i === pitches.length - 1 ? 6 : 2;
  return rubs;
}
