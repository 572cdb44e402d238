/** @file Chance that is named: what is drawn for one purpose does not move when something else is drawn as well. */

import { uniform } from "../lm/random.js";

/** A number in [0, 1): the same for the same purpose, whatever was drawn before. */
export type Draw = (purpose: string) => number;

/** @param seed a whole number from 0 to 2^53 - 1. @param series which of many independent series of draws */
export const drawsOf =
  (seed: number, series = 0): Draw =>
  (purpose) =>
    uniform(seed, hash(purpose), series);

/** One of `choices`. */
export const choose = <T>(choices: readonly T[], chance: number): T =>
  choices[Math.min(choices.length - 1, Math.floor(chance * choices.length))]!;

/** `items` in an order of their own for every purpose. */
export const shuffled = <T>(items: readonly T[], draw: Draw, purpose: string): T[] =>
  items
    .map((item, i) => ({ item, rank: draw(`${purpose} ${i}`) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);

// --- internal ---

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
