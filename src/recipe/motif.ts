/** @file Motifs: two bars of rhythm and contour, from which a tune is made. */

import { strokes } from "./event.js";
import { cells } from "./figures.js";
import type { Dice } from "./random.js";

/** A bar of a tune before it has pitches: where notes come, and how many steps of the scale each is from the first. */
export interface Shape {
  readonly notes: readonly { readonly at: number; readonly length: number }[];
  readonly contour: readonly number[];
}

export interface Motif {
  readonly a: Shape;
  readonly b: Shape;
}

/** @param names of rhythm cells @param beats quarter notes a bar */
export function motifOf(dice: Dice, names: readonly string[], bpm: number, beats: 3 | 4): Motif {
  const rhythms = playable(dice, names, bpm, beats);
  const shape = (previous?: Shape): Shape => {
    for (let tries = 0; ; tries++) {
      const notes = rhythmOf(dice, rhythms, beats);
      const same = previous !== undefined && JSON.stringify(previous.notes) === JSON.stringify(notes);
      if (notes.length >= (tries < 8 ? 2 : 1) && (!same || tries > 4))
        return { notes, contour: contourOf(dice, notes.length) };
    }
  };
  const a = shape();
  return { a, b: shape(a) };
}

/** The same bar a little busier or calmer: two notes joined, or one split. */
export function varied(dice: Dice, shape: Shape): Shape {
  const at = dice.below(shape.notes.length);
  const note = shape.notes[at]!;
  const [notes, contour] = [[...shape.notes], [...shape.contour]];
  if (note.length >= 1) {
    const half = note.length / 2;
    notes.splice(at, 1, { at: note.at, length: half }, { at: note.at + half, length: half });
    contour.splice(at, 1, contour[at]!, contour[at]! + dice.pick([-1, 1]));
  } else if (at > 0 && notes.length > 2) {
    const before = notes[at - 1]!;
    notes.splice(at - 1, 2, { at: before.at, length: note.at + note.length - before.at });
    contour.splice(at, 1);
  }
  return { notes, contour };
}

// --- internal ---

/** Cells of one set that are neither too fast to hear nor too slow to be a tune at this tempo. */
function playable(dice: Dice, names: readonly string[], bpm: number, beats: 3 | 4): readonly string[] {
  const span = beats === 3 ? 3 : 2;
  const rate = (cell: string) => ([...cell].filter((mark) => mark === "x").length / span) * (bpm / 60);
  const fits = (cell: string) => rate(cell) <= 6 && rate(cell) >= 0.45;
  const sets =
    beats === 3 ? (bpm < 96 ? ["three", "threeFine"] : bpm < 150 ? ["three"] : ["three", "threeLong"]) : names;
  const good = sets.map((name) => cells[name]!.filter(fits)).filter((set) => set.length >= 3);
  if (good.length > 0) return dice.pick(good);
  return cells[beats === 3 ? "three" : bpm < 80 ? "lively" : "plain"]!;
}

function rhythmOf(dice: Dice, rhythms: readonly string[], beats: 3 | 4) {
  const first = dice.pick(rhythms);
  const second = dice.chance(0.25) ? first : dice.pick(rhythms);
  const halves = beats === 3 ? [first] : [first, second];
  const steps = (beats / halves.length) * 12; // twelve a quarter note: both sixteenths and triplets are whole
  const bar = halves.map((cell) => stretched(cell, steps / cell.length)).join("");
  return strokes(bar, beats).map(({ at, length }) => ({ at, length }));
}

function stretched(cell: string, times: number): string {
  return [...cell].map((mark) => mark + (mark === "." ? "." : "-").repeat(times - 1)).join("");
}

/** Steps from the first note along a simple line, with a few surprises. */
function contourOf(dice: Dice, length: number): number[] {
  const line = dice.pick(lines);
  const height = dice.pick([2, 3, 4, 4, 5]);
  const offset = line(0) * height;
  const steps = Array.from({ length }, (_, i) => {
    const along = length === 1 ? 0 : i / (length - 1);
    const surprise = i > 0 && dice.chance(0.18) ? dice.pick([-1, 1]) : 0;
    return Math.round(line(along) * height - offset) + surprise;
  });
  return steps;
}

const zigzag = (along: number) => 2 * Math.abs(((2 * along) % 1) - 0.5);
const lines: readonly ((along: number) => number)[] = [
  (along) => along, // rise
  (along) => -along, // fall
  (along) => 4 * along * (1 - along), // arch
  (along) => -4 * along * (1 - along), // valley
  (along) => -zigzag(along), // wave
  (along) => (along === 0 ? 0 : 1 - 0.8 * along), // leap, and down by step
  (along) => (along < 0.5 ? 0 : 0.6), // repeated, then up
  (along) => (along === 0 ? 0 : 0.8 * along - 0.9), // leap down, and up by step
];
