/** @file Slips of the pen: letters swapped, doubled or lost, capitals and full stops as people happen to set them. */

import type { Draw } from "./draw.js";

/** `text` as someone in a hurry might type it. Numbers, keys and short words such as "no" are left whole: they carry meaning. */
export function noisy(text: string, draw: Draw): string {
  let i = 0;
  const typed = text.replace(/[a-z]{5,}/g, (word) => (draw(`slip ${i++}`) < 0.01 ? slip(word, draw, i) : word));
  return cased(pointed(typed, draw), draw);
}

// --- internal ---

/** The first letter stays: people get it right. */
function slip(word: string, draw: Draw, nth: number): string {
  const at = 1 + Math.floor(draw(`where ${nth}`) * (word.length - 2));
  const [before, letter, next, after] = [word.slice(0, at), word[at]!, word[at + 1]!, word.slice(at + 2)];
  const kind = draw(`kind ${nth}`);
  if (kind < 0.4) return before + next + letter + after;
  return kind < 0.7 ? before + next + after : before + letter + letter + next + after;
}

function pointed(text: string, draw: Draw): string {
  const chance = draw("points");
  if (chance < 0.15) return text.replace(/[.?]$/, "");
  if (chance < 0.25) return /[.?]$/.test(text) ? text : `${text}.`;
  if (chance < 0.28) return `${text.replace(/[.?]$/, "")}!`;
  if (chance < 0.33) return text.replaceAll(", ", " ");
  return text;
}

function cased(text: string, draw: Draw): string {
  const chance = draw("case");
  if (chance < 0.25) return text.toLowerCase();
  if (chance < 0.4) return text.charAt(0).toUpperCase() + text.slice(1);
  return chance < 0.42 ? text.toUpperCase() : text;
}
