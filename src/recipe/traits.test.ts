import assert from "node:assert/strict";
import { test } from "node:test";
import { compose } from "./compose.js";
import { keys } from "./grooves.js";
import type { Note, Part, Score } from "./score.js";
import { type StyleId, styleIds } from "./style.js";

/** What a style has in every score and others have not: of the parts that play in it, or of its chords and metre. */
const traits: Readonly<Record<StyleId, (score: Score) => boolean>> = {
  // Driven or strummed electric guitars, hardly ever in sixteenths.
  rock: (score) =>
    some(score, "chords", ({ name }) => name === "overdriven guitar" || name === "clean electric guitar") &&
    every(score, "chords", (part) => share(part, score, ({ within }) => near(within, 0.25, 0.75)) < 0.35) &&
    !swings(score),
  metal: (score) => some(score, "chords", ({ name }) => name === "distorted guitar"),
  // Chords on every eighth, and claps.
  pop: (score) =>
    !traits.piano(score) &&
    some(score, "chords", (part) => part.family !== "acoustic guitar" && pumps(part, score)) &&
    every(score, "bass", ({ name }) => ["synth bass", "saw bass"].includes(name)) &&
    every(score, "drums", ({ notes }) => notes.length < 30 || notes.some(({ pitch }) => pitch === keys.clap)),
  funk: (score) =>
    every(score, "bass", ({ name }) => name === "slap bass") &&
    some(score, "chords", (part) => share(part, score, ({ within }) => near(within, 0.25, 0.75)) > 0.1),
  blues: (score) => swings(score) && some(score, "chords", (part) => shuffles(part, score)),
  jazz: (score) => swings(score) && every(score, "bass", (part) => part.name === "upright bass" && walks(part, score)),
  latin: (score) =>
    every(score, "drums", ({ notes }) => notes.length < 30 || notes.some(({ pitch }) => shaken.includes(pitch))) &&
    some(score, "chords", (part) => {
      const pushed = share(part, score, ({ within }) => !near(within, 0)) > 0.4;
      const steel = part.name === "steel-string guitar" || part.name === "banjo";
      return pushed && !steel && part.notes.some((note) => isDown(note, score));
    }) &&
    every(score, "bass", ({ name }) => ["upright bass", "bass guitar", "fretless bass"].includes(name)) &&
    !traits.piano(score) &&
    !swings(score),
  reggae: (score) =>
    every(score, "bass", ({ name }) => name === "bass guitar" || name === "fretless bass") &&
    some(score, "chords", (part) => part.notes.every((note) => !isDown(note, score))),
  folk: (score) => some(score, "chords", ({ name }) => name === "steel-string guitar" || name === "banjo"),
  waltz: (score) => score.metre[0] === 3 && some(score, "chords", (part) => oomPahPah(part, score)),
  classical: (score) =>
    some(score, "chords", ({ name }) => orchestral.includes(name)) &&
    score.parts.every(({ role, name }) => role !== "pad" && (role !== "bass" || name === "double bass")),
  piano: (score) => score.parts.every(({ family }) => family === "piano"),
  ambient: (score) =>
    score.production.reverb === "hall" &&
    ["chords", "pad", "bass"].every((role) => every(score, role as Part["role"], (part) => isSlow(part, score))),
  house: (score) =>
    !traits.piano(score) &&
    every(score, "bass", ({ name }) => ["saw bass", "synth bass", "sub bass"].includes(name)) &&
    every(score, "drums", (part) => fourOnTheFloor(part, score)) &&
    some(score, "chords", (part) => share(part, score, ({ within }) => !near(within, 0)) > 0.4),
  hiphop: (score) =>
    score.production.reverb !== "hall" &&
    every(score, "bass", ({ name }) => name === "sub bass") &&
    some(score, "chords", (part) => strokes(part, score).length < 0.9 * score.beats.length),
  chiptune: (score) => some(score, "chords", ({ name }) => name === "chip lead" || name === "square wave lead"),
};

/** Forty of each style, where somebody accompanies: a few clips are of drums alone. */
const scores = new Map(
  styleIds.map((style) => [
    style,
    Array.from({ length: 40 }, (_, seed) => compose(2000 + seed, { style })).filter(accompanied),
  ]),
);

for (const style of styleIds)
  test(`${style} is heard in every score of ${style}, and in fewer than half of any other style`, () => {
    assert.ok(scores.get(style)!.length > 34);
    for (const score of scores.get(style)!) assert.ok(traits[style](score), `${style} ${score.seed}`);
    for (const other of styleIds.filter((each) => each !== style)) {
      const all = scores.get(other)!;
      const alike = all.filter((score) => traits[style](score)).length;
      assert.ok(alike < 0.5 * all.length, `${alike} of ${all.length} scores of ${other} have what ${style} has`);
    }
  });

const shaken: readonly number[] = [keys.shaker, keys.maracas];
const orchestral = ["string ensemble", "pizzicato strings", "harpsichord", "harp"];

function by(score: Score, role: Part["role"]): readonly Part[] {
  return score.parts.filter((part) => part.role === role && part.notes.length > 6);
}

function accompanied(score: Score): boolean {
  return by(score, "chords").length > 0;
}

const some = (score: Score, role: Part["role"], is: (part: Part) => boolean) => by(score, role).some(is);
const every = (score: Score, role: Part["role"], is: (part: Part) => boolean) => by(score, role).every(is);

interface Stroke {
  readonly beat: number;
  /** Where in its beat, 0 to 1. */
  readonly within: number;
}

/** When a part strikes, in beats; notes of a chord are one. */
function strokes({ notes }: Part, { beats }: Score): Stroke[] {
  const found: Stroke[] = [];
  for (const { at } of notes) {
    const i = Math.max(
      0,
      Math.min(
        beats.length - 2,
        beats.findLastIndex((beat) => beat <= at + 0.03),
      ),
    );
    const place = i + (at - beats[i]!) / (beats[i + 1]! - beats[i]!);
    const last = found.at(-1);
    if (last === undefined || place - last.beat - last.within > 0.12)
      found.push({ beat: Math.floor(place + 0.08), within: place - Math.floor(place + 0.08) });
  }
  return found;
}

const near = (x: number, ...places: readonly number[]) => places.some((place) => Math.abs(x - place) < 0.1);

function share(part: Part, score: Score, is: (stroke: Stroke) => boolean): number {
  const all = strokes(part, score);
  return all.filter(is).length / all.length;
}

/** Is most of what lies between two beats two thirds of the way? */
function swings(score: Score): boolean {
  const between = score.parts
    .flatMap((part) => strokes(part, score))
    .filter(({ within }) => within > 0.4 && within < 0.72);
  return between.length > 3 && between.filter(({ within }) => within > 0.57).length > 0.6 * between.length;
}

const perBeat = (part: Part, score: Score) => {
  const [first, last] = [part.notes[0]!, part.notes.at(-1)!];
  return strokes(part, score).length / (1 + ((last.at - first.at) * score.bpm) / 60);
};

const pumps = (part: Part, score: Score) =>
  perBeat(part, score) > 0.95 &&
  share(part, score, ({ within }) => near(within, 0)) > 0.3 &&
  share(part, score, ({ within }) => near(within, 0, 0.5)) > 0.9;

const shuffles = (part: Part, score: Score) =>
  perBeat(part, score) > 1.2 && share(part, score, ({ within }) => near(within, 0.66)) > 0.2;

const walks = (part: Part, score: Score) =>
  perBeat(part, score) > 0.85 && share(part, score, ({ within }) => near(within, 0)) > 0.85;

const isSlow = (part: Part, { bpm }: Score) =>
  part.notes.reduce((sum, { duration }) => sum + duration, 0) / part.notes.length > 54 / bpm;

/** Is it struck with a change of chords, which come with a bar or half of it? The last chord of a piece belongs to all. */
const isDown = ({ at }: Note, { chords }: Score) => chords.slice(1, -1).some((chord) => Math.abs(chord.at - at) < 0.06);

/** On one nothing, or a low note alone. */
function oomPahPah(part: Part, score: Score): boolean {
  const downs = part.notes.filter((note) => isDown(note, score)).length;
  return downs < score.chords.length && share(part, score, ({ within }) => near(within, 0, 0.5)) > 0.9;
}

function fourOnTheFloor({ notes }: Part, score: Score): boolean {
  const kicks = notes.filter(({ pitch }) => pitch === keys.kick);
  const beats = score.beats.filter((beat) => beat >= notes[0]!.at - 0.05 && beat <= notes.at(-1)!.at + 0.05);
  const struck = beats.filter((beat) => kicks.some(({ at }) => Math.abs(at - beat) < 0.05));
  return struck.length > 0.75 * beats.length;
}
