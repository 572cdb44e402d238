/**
 * @file What a recording is called while a model learns from it: one of its captions, at times with what else is known
 * about it, at times that alone (spec §4.4).
 */

import type { Entry, Info } from "../data/manifest.js";

/** How often, of 1. */
export interface TextMixing {
  /** What is known besides joins the caption. */
  readonly merge: number;
  /** Of those: the caption is left out. */
  readonly bare: number;
  /** Of those: a field is left out. */
  readonly field: number;
  /** A word of the result is left out. */
  readonly word: number;
}

/** MusicGen's; its words are left out by a model's own recipe. */
export const usualMixing: TextMixing = { merge: 0.25, bare: 0.5, field: 0.5, word: 0 };

/**
 * The text of a recording; "" where nothing is known about it.
 * @param draw the n-th random number in [0, 1) of this item
 */
export function textFor(entry: Entry, draw: (n: number) => number, mixing: TextMixing = usualMixing): string {
  const captions = captionsOf(entry);
  const caption = captions[Math.floor(draw(0) * captions.length)];
  const facts = factsOf(entry.info);
  const merged = caption === undefined || draw(1) < mixing.merge;
  // Without a caption, something is said in any case.
  const kept = merged ? facts.filter((_, i) => draw(3 + i) >= mixing.field || (caption === undefined && i === 0)) : [];
  const order = shuffled(kept, (i) => draw(20 + i));
  const told = caption !== undefined && !(kept.length > 0 && draw(2) < mixing.bare);
  const parts = [...(told ? [caption.replace(/[.\s]+$/, "")] : []), ...order];
  const text = parts.length === 1 && told ? caption : parts.join(". ");
  if (mixing.word === 0) return text;
  return text
    .split(" ")
    .filter((_, i) => draw(40 + i) >= mixing.word)
    .join(" ");
}

/** Every text that a recording may be called by, in pieces: what a tokenizer is trained on. */
export const wordsOf = (entry: Entry): string[] => [...captionsOf(entry), ...factsOf(entry.info)];

/** The description, and other ways to describe it. */
export const captionsOf = ({ info, captions = [] }: Entry): string[] =>
  [...(info.description === null ? [] : [info.description]), ...captions].filter((text) => text.trim() !== "");

// --- internal ---

/** "field: value" of what is known, in audiocraft's order. */
function factsOf({ key, bpm, genre, moods, instrument, keywords }: Info): string[] {
  const facts: [string, string | number | readonly string[] | null][] = [
    ["key", key],
    ["bpm", bpm],
    ["genre", genre],
    ["moods", moods],
    ["instrument", instrument],
    ["keywords", keywords],
  ];
  return facts.flatMap(([field, value]) => {
    const said = Array.isArray(value) ? value.join(", ") : value === null ? "" : `${value}`;
    return said === "" ? [] : [`${field}: ${said}`];
  });
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], draw: (i: number) => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw(i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
