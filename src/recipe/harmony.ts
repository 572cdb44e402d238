/**
 * @file Chord progressions that say where home is: a sentence begins on the tonic and ends on it or on its dominant. Idioms
 * of a style, or a walk through the functions tonic, subdominant, dominant.
 */

import { type Harmony, readRoman } from "./pitch.js";
import type { Dice } from "./random.js";
import type { Mode } from "./score.js";

/** What a style knows of harmony. Idioms are four or eight chords, of equal length, in one string. */
export interface HarmonyCard {
  readonly major: readonly string[];
  readonly minor: readonly string[];
  /** Chords that go round without a home: no key can be told from them. */
  readonly loops?: { readonly major: readonly string[]; readonly minor: readonly string[] };
  /** How often a sentence is freely made rather than an idiom. */
  readonly free: number;
  readonly colour: Colour;
  /** The same four chords again and again. */
  readonly rounds?: true;
  /** Twelve bars in three sentences. */
  readonly blues?: { readonly major: readonly string[]; readonly minor: readonly string[] };
}

export type Colour = "triads" | "added" | "sevenths" | "ninths" | "dominant";

/** A chord and its place in quarter notes. */
export interface Span extends Harmony {
  readonly at: number;
  readonly length: number;
}

/** "turn" leads back to the tonic, "close" arrives on it, "loop" does neither. */
export type Ending = "turn" | "close" | "loop";

/** Roman numerals of a sentence of so many chords. */
export function sentence(
  dice: Dice,
  card: HarmonyCard,
  mode: Mode,
  chords: 4 | 8,
  ending: Exclude<Ending, "loop">,
): string[] {
  const modal = mode === "dorian" || mode === "mixolydian";
  const idioms = modal ? modalIdioms[mode] : card[mode];
  const fitting = idioms
    .map((idiom) => idiom.split(" "))
    .filter((idiom) => idiom.length === chords && endingOf(idiom) === ending);
  if (fitting.length > 0 && !dice.chance(card.free)) return dice.pick(fitting);
  if (chords === 8 && dice.chance(0.7))
    return [...sentence(dice, card, mode, 4, "turn"), ...sentence(dice, card, mode, 4, ending)];
  return walk(dice, mode, chords, ending);
}

export function loop(dice: Dice, card: HarmonyCard, mode: Mode, chords: 4 | 8): string[] {
  const four = dice.pick(card.loops![homeOf(mode)]).split(" ");
  return chords === 4 ? four : [...four, ...four];
}

/**
 * Sevenths, ninths and suspensions as the style likes them, where a numeral does not say otherwise. A minor tonic seldom
 * has its seventh: with it, it is its relative major with a sixth.
 */
export function colour(dice: Dice, numerals: readonly string[], taste: Colour, mode: Mode): string[] {
  return numerals.map((numeral) => {
    if (!/^[b#]?[IViv]+$/.test(numeral)) return numeral;
    const small = numeral === numeral.toLowerCase();
    if (taste === "triads") return numeral === "V" && dice.chance(0.65) ? "V7" : numeral;
    if (taste === "added") {
      if (numeral === "V") return dice.chance(0.6) ? "V7" : dice.chance(0.2) ? "Vsus4" : numeral;
      return dice.chance(0.3) ? `${numeral}add9` : numeral;
    }
    if (numeral === "i") return dice.weighted({ i: 4, iadd9: 3, i6: 2, i7: 1 });
    if (numeral === "I" && taste === "dominant") return dice.weighted({ I6: 2, I7: 6 });
    if (numeral === "I") return dice.weighted({ I: 2, I6: 3, Iadd9: 2, Imaj7: 3, Imaj9: taste === "ninths" ? 2 : 0 });
    if (numeral === "iv") return dice.weighted({ iv: 3, iv6: 2, iv7: 3 });
    if (taste === "dominant") return `${numeral}7`;
    const isSharp = numeral === "V" && mode === "minor"; // its ninth is not of the key
    const ninth = taste === "ninths" && dice.chance(0.5) && !isSharp && !/^(v|iii|bII|vii)$/.test(numeral);
    if (small || /^V$|bVII$/.test(numeral)) return `${numeral}${ninth ? "9" : "7"}`;
    return `${numeral}${ninth ? "maj9" : "maj7"}`;
  });
}

/** Lays numerals out over so many quarter notes from `at`. */
export function spansOf(numerals: readonly string[], tonic: number, at: number, length: number): Span[] {
  const each = length / numerals.length;
  const spans: Span[] = [];
  for (const [i, numeral] of numerals.entries()) {
    const last = spans.at(-1);
    if (last?.roman === numeral && (at + i * each) % (4 * each) !== 0)
      spans[spans.length - 1] = { ...last, length: last.length + each };
    else spans.push({ ...readRoman(numeral, tonic), at: at + i * each, length: each });
  }
  return spans;
}

/** Does the first of two chords pull to the second, and is that the tonic? A flat seventh degree only does in modes without a raised one. */
export function isCadence(first: Harmony, second: Harmony, tonic: number, mode: Mode): boolean {
  const pulls = mode === "major" || mode === "minor" ? /^(V|vii)(?![IiVv/])[^/]*$/ : /^(V|v|bVII|vii)(?![IiVv/])[^/]*$/;
  return second.root === tonic && /^[Ii](?![IiVv])/.test(second.roman) && pulls.test(first.roman);
}

export const homeOf = (mode: Mode): "major" | "minor" =>
  mode === "major" || mode === "mixolydian" ? "major" : "minor";

// --- internal ---

const modalIdioms = {
  dorian: ["i IV v i", "i bVII IV v", "i IV bVII i", "i bIII bVII i", "i ii bVII i", "i IV i bVII", "i i IV v"],
  mixolydian: [
    "I bVII IV I",
    "I v bVII I",
    "I IV bVII I",
    "I bVII I bVII",
    "I IV I bVII",
    "I ii bVII I",
    "I IV v bVII",
  ],
};

type Function = "T" | "S" | "D";

const functions: Readonly<Record<Mode, Readonly<Record<Function, Readonly<Record<string, number>>>>>> = {
  major: {
    T: { I: 5, vi: 3, "I:3": 2, iii: 1 },
    S: { IV: 4, ii: 3, "ii:3": 2 },
    D: { V: 6, "V:3": 1, "viio:3": 1 },
  },
  minor: { T: { i: 6, bVI: 1, "i:3": 3 }, S: { iv: 5, "iio:3": 3, bVI: 1 }, D: { V: 4, V7: 3, "V:3": 1, viio7: 2 } },
  dorian: { T: { i: 5, bIII: 2, "i:3": 1 }, S: { IV: 5, ii: 2 }, D: { bVII: 3, v: 3 } },
  mixolydian: { T: { I: 5, vi: 1, "I:3": 2 }, S: { IV: 5, ii: 2 }, D: { bVII: 4, v: 2 } },
};

const next: Readonly<Record<Function, Readonly<Record<Function, number>>>> = {
  T: { T: 2, S: 5, D: 3 },
  S: { T: 2, S: 2, D: 6 },
  D: { T: 8, S: 0, D: 2 },
};

/** T ... S D T, or T ... T S D. */
function walk(dice: Dice, mode: Mode, chords: number, ending: "turn" | "close"): string[] {
  const [tonic, dominant] = [
    homeOf(mode) === "major" ? "I" : "i",
    { major: "V", minor: "V", dorian: "v", mixolydian: "bVII" }[mode],
  ];
  const tail = ending === "close" ? [dominant, tonic] : [dominant];
  const numerals = [tonic];
  let now: Function = "T";
  while (numerals.length < chords - tail.length) {
    const isPenultimate = numerals.length === chords - tail.length - 1;
    now = isPenultimate ? "S" : dice.weighted(next[now]);
    const numeral = dice.weighted(functions[mode][now]);
    if (numeral !== numerals.at(-1)) numerals.push(numeral);
  }
  numerals.push(...tail);
  return withSecondaryDominants(dice, mode, numerals, tail.length);
}

/** A chord before ii, IV, V or vi may become the dominant of it. */
function withSecondaryDominants(dice: Dice, mode: Mode, numerals: string[], tail: number): string[] {
  if (mode !== "major") return numerals;
  return numerals.map((numeral, i) => {
    const to = numerals[i + 1];
    const isFree = i > 0 && i < numerals.length - tail && to !== undefined && /^(ii|V|vi)$/.test(to);
    return isFree && !numeral.startsWith("V") && dice.chance(0.15) ? `V7/${to}` : numeral;
  });
}

function endingOf(idiom: readonly string[]): "turn" | "close" {
  return /^(i|I)($|[^iIvV])/.test(idiom.at(-1)!) ? "close" : "turn";
}
