/** @file Scales, chords and how to read them: pitch classes 0 to 11 from C, MIDI pitches, Roman numerals. */

import { assert } from "../errors.js";
import type { Mode } from "./score.js";

/** Semitones above the root; the ninth is written as 14, so that it stays on top. */
const qualities: Readonly<Record<string, readonly number[]>> = {
  maj: [0, 4, 7],
  min: [0, 3, 7],
  dim: [0, 3, 6],
  aug: [0, 4, 8],
  "5": [0, 7],
  sus2: [0, 2, 7],
  sus4: [0, 5, 7],
  "6": [0, 4, 7, 9],
  m6: [0, 3, 7, 9],
  "7": [0, 4, 7, 10],
  maj7: [0, 4, 7, 11],
  m7: [0, 3, 7, 10],
  m7b5: [0, 3, 6, 10],
  dim7: [0, 3, 6, 9],
  "7sus4": [0, 5, 7, 10],
  "7#9": [0, 4, 7, 10, 15],
  add9: [0, 4, 7, 14],
  madd9: [0, 3, 7, 14],
  "9": [0, 4, 7, 10, 14],
  maj9: [0, 4, 7, 11, 14],
  m9: [0, 3, 7, 10, 14],
};

export const scales: Readonly<Record<Mode, readonly number[]>> = {
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10],
  dorian: [0, 2, 3, 5, 7, 9, 10],
  mixolydian: [0, 2, 4, 5, 7, 9, 10],
};

/** What sounds over a stretch of time. */
export interface Harmony {
  /** As written, such as "V7" or "ii:3" (third in the bass). */
  readonly roman: string;
  readonly root: number;
  readonly quality: string;
  /** Pitch classes, root first. */
  readonly tones: readonly number[];
  /** The bass's pitch class. */
  readonly bass: number;
}

/** "V7" in C is G7; "bVII", "ii:3" (over its third), "V7/ii" (of the second degree), "viio7", "Vsus4". */
export function readRoman(roman: string, tonic: number): Harmony {
  const match = /^([b#]?)([IV]+|[iv]+)([^:/]*)(?::([357]))?(?:\/(.+))?$/.exec(roman);
  assert(match !== null, `${roman} is not a chord`);
  const [, accidental, numeral, suffix, over, of] = match;
  const degree = ["i", "ii", "iii", "iv", "v", "vi", "vii"].indexOf(numeral!.toLowerCase());
  const home = of === undefined ? tonic : readRoman(of, tonic).root;
  const root = mod12(home + scales.major[degree]! + (accidental === "b" ? -1 : accidental === "#" ? 1 : 0));
  const quality = qualityOf(suffix!, numeral === numeral!.toLowerCase());
  const intervals = qualities[quality];
  assert(intervals !== undefined, `${roman} has an unknown quality`);
  const tones = intervals.map((interval) => mod12(root + interval));
  const bass = tones[over === undefined ? 0 : (Number(over) - 1) / 2]!;
  return { roman, root, quality, tones, bass };
}

export const mod12 = (pitch: number): number => ((pitch % 12) + 12) % 12;

/** The scale, bent where the chord needs it: a raised seventh over V in minor, F sharp over D7 in C. */
export function chordScale(scale: readonly number[], tones: readonly number[]): number[] {
  const kept = scale.filter(
    (pitch) => tones.includes(pitch) || !tones.some((tone) => !scale.includes(tone) && isSemitone(tone, pitch)),
  );
  return [...new Set([...kept, ...tones])].sort((a, b) => a - b);
}

/** The pitch nearest to `target` among those of the pitch classes; of two as near, the lower. */
export function nearest(target: number, classes: readonly number[]): number {
  const rounded = Math.round(target);
  for (let distance = 0; distance <= 12; distance++)
    for (const pitch of [rounded - distance, rounded + distance]) if (classes.includes(mod12(pitch))) return pitch;
  return rounded;
}

/** `steps` notes up (or down) the pitch classes from a pitch, which need not be one of them. */
export function stepFrom(pitch: number, classes: readonly number[], steps: number): number {
  const way = Math.sign(steps);
  let at = pitch;
  for (let left = Math.abs(steps); left > 0; left--)
    do at += way;
    while (!classes.includes(mod12(at)));
  return at;
}

const names = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
export const className = (pitch: number): string => names[mod12(pitch)]!;
/** Middle C is C4. */
export const pitchName = (pitch: number): string => `${className(pitch)}${Math.floor(pitch / 12) - 1}`;

// --- internal ---

function qualityOf(suffix: string, small: boolean): string {
  if (suffix === "") return small ? "min" : "maj";
  if (suffix === "o") return "dim";
  if (suffix === "o7") return "dim7";
  if (suffix === "ø") return "m7b5";
  if (suffix === "+") return "aug";
  return small && /^(6|7|9|add9)$/.test(suffix) ? `m${suffix}` : suffix;
}

function isSemitone(a: number, b: number): boolean {
  const distance = mod12(a - b);
  return distance === 1 || distance === 11;
}
