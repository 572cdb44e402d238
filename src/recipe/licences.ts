/** @file DATA-LICENCES: what a data set of the recipe was made of, for whoever trains on it or passes it on. */

import type { FontSource } from "./fonts.js";

/** The file's text. */
export const licences = (fonts: readonly FontSource[]): string =>
  `${[
    "What this data set was made of",
    "",
    'The music was composed by Hocket\'s recipe "synth" (MIT) from random numbers; no recording and no score of anybody',
    "else is in it. Captions and labels were written by the same programs. Parts whose label names no font were played by",
    "Hocket's own synthesisers. The others were played with these SoundFonts:",
    "",
    ...fonts.flatMap(({ name, licence, notice }) => [`${name}: ${licence}`, `  ${notice}`, ""]),
    "What a font's licence asks for of recordings made with it is for you to check where it is not stated above.",
  ].join("\n")}\n`;
