/** @file Forms: which sections a piece has, how long and how loud each is, and who rests in it. */

import type { Dice } from "./random.js";
import type { Part } from "./score.js";

export type Role = Part["role"];

export interface Section {
  readonly name: string;
  readonly bars: number;
  /** Which tune and chords: 0 is the first theme, 1 the second. */
  readonly theme: 0 | 1;
  /** How much is going on, 0 to 1. */
  readonly energy: number;
  readonly resting: readonly Role[];
}

export type Form = "song" | "entering" | "themes" | "dance" | "loop" | "steady";

/** Sections from the first bar to the last; themes last a multiple of `unit` bars. */
export function sectionsOf(dice: Dice, form: Form, unit: number): Section[] {
  const intro = dice.pick([2, 4]);
  const rows = dice.pick(forms[form]);
  return rows.map((row) => {
    const [name, length, theme, energy, resting] = row.split(" ");
    return {
      name: name!,
      bars: length === "intro" ? intro : length === "half" ? unit / 2 : unit,
      theme: theme === "B" ? 1 : 0,
      energy: Number(energy),
      resting: (resting?.split(",") ?? []) as Role[],
    };
  });
}

// --- internal ---

/** "name length theme energy who rests" */
const forms: Readonly<Record<Form, readonly (readonly string[])[]>> = {
  song: [
    ["verse full A .7", "chorus full B 1", "verse full A .75", "bridge half B .6 drums", "chorus full B 1"],
    ["chorus full B .95", "verse full A .7 pad", "chorus full B 1", "outro half B .8"],
    [
      "verse full A .65 counter,pad",
      "verse full A .8",
      "chorus full B 1",
      "breakdown half A .5 drums,bass",
      "chorus full B 1",
    ],
  ],
  entering: [
    ["intro intro A .6 lead,counter,drums,bass", "verse full A .8", "chorus full B 1", "verse full A .8"],
    ["intro intro A .55 drums,bass,counter", "verse full A .85", "chorus full B 1", "outro half A .6 drums"],
    [
      "intro intro A .6 drums,pad",
      "verse full A .8",
      "chorus full B 1",
      "breakdown intro A .55 drums",
      "chorus full B 1",
    ],
    ["intro intro A .7 lead,chords,pad,counter", "verse full A .8", "chorus full B 1", "verse full A .8"],
  ],
  themes: [
    ["theme full A .7", "theme full A .8", "middle full B .95", "theme full A .75"],
    ["theme full A .75", "middle full B .9", "theme full A .8"],
    ["theme full A .65 counter", "variation full A .85", "middle full B 1", "theme full A .7"],
  ],
  dance: [
    ["build half A .6 bass,drums", "drop full A 1", "breakdown half B .5 drums,bass", "drop full A 1"],
    ["intro intro A .7 lead,counter,pad", "verse full A .85", "drop full B 1", "breakdown half A .55 drums"],
    ["verse full A .8 pad", "drop full B 1", "breakdown half A .5 drums", "drop full B 1"],
  ],
  loop: [
    ["verse full A .8", "chorus full B .95", "verse full A .8", "chorus full B .95"],
    ["intro intro A .6 drums,bass", "verse full A .8", "chorus full B .95", "verse full A .85"],
    ["verse full A .75 pad,counter", "chorus full A .9", "breakdown half A .5 drums", "verse full B .85"],
  ],
  steady: [
    ["theme full A .6", "theme full A .75", "middle full B .85", "theme full A .7"],
    ["theme full A .7", "middle full B .8 drums", "theme full A .75"],
  ],
};
