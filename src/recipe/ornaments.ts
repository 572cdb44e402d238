/** @file What players of an instrument do with long notes: vibrato, swells, bends, trills and grace notes. */

import type { Event } from "./event.js";
import { stepFrom } from "./pitch.js";
import type { Dice } from "./random.js";
import type { Control, Family, Note } from "./score.js";
import { round } from "./timeline.js";

const [vibrato, expression] = [1, 11];

/** Trills and grace notes, while it is still written in quarter notes. @param bpm how fast these are */
export function ornamented(
  dice: Dice,
  tune: readonly Event[],
  family: Family,
  scale: readonly number[],
  bpm: number,
): Event[] {
  const chances = graces[family];
  if (chances === undefined) return [...tune];
  const fast = bpm / 60 / 13; // thirteen notes a second
  return tune.flatMap((note) => {
    const above = stepFrom(note.pitch, scale, 1);
    const seconds = (note.length * 60) / bpm;
    if (seconds > 0.55 && dice.chance(chances.trill)) return trill(note, above, fast);
    if (seconds > 0.3 && dice.chance(chances.grace)) {
      const grace = dice.chance(0.5) ? above : stepFrom(note.pitch, scale, -1);
      return [
        { ...note, length: fast, pitch: grace, force: note.force * 0.85 },
        { ...note, at: note.at + fast, length: note.length - fast },
      ];
    }
    return [note];
  });
}

/** Controllers for a line of one voice, in the notes' own seconds. */
export function expressed(dice: Dice, notes: readonly Note[], family: Family): Control[] {
  const how = touches[family];
  if (how === undefined) return [];
  return notes.flatMap(({ at, duration }) => {
    const controls: Control[] = [];
    const set = (time: number, controller: Control["controller"], value: number) =>
      controls.push({ at: round(time), controller, value: round(value, 100) });
    if (how.vibrato > 0) {
      set(at, vibrato, 0);
      if (duration > 0.45)
        set(at + Math.min(0.3, duration / 2), vibrato, Math.round(how.vibrato * dice.between(0.7, 1.1)));
    }
    if (how.swell && duration > 0.5)
      for (const along of [0, 0.25, 0.5, 0.75])
        set(at + along * duration, expression, 96 + Math.round(30 * arch(along)));
    else if (how.swell) set(at, expression, 112);
    if (duration > 0.28 && dice.chance(how.bend)) {
      const from = dice.pick([-1, -1, -2]);
      for (const along of [0, 0.25, 0.5, 0.75, 1]) set(at + along * 0.11, "bend", from * (1 - along));
    }
    return controls;
  });
}

// --- internal ---

const graces: Readonly<Partial<Record<Family, { readonly trill: number; readonly grace: number }>>> = {
  flute: { trill: 0.12, grace: 0.15 },
  violin: { trill: 0.08, grace: 0.12 },
  clarinet: { trill: 0.08, grace: 0.1 },
  piano: { trill: 0.015, grace: 0.05 },
  plucked: { trill: 0.04, grace: 0.12 },
  "acoustic guitar": { trill: 0, grace: 0.08 },
  organ: { trill: 0.03, grace: 0.08 },
  mallets: { trill: 0.05, grace: 0.03 },
};

/** Vibrato depth 0 to 127; does it swell; how often a note is bent up to. */
const touches: Readonly<
  Partial<Record<Family, { readonly vibrato: number; readonly swell: boolean; readonly bend: number }>>
> = {
  violin: { vibrato: 62, swell: true, bend: 0.06 },
  strings: { vibrato: 30, swell: true, bend: 0 },
  choir: { vibrato: 20, swell: true, bend: 0 },
  brass: { vibrato: 28, swell: true, bend: 0.08 },
  saxophone: { vibrato: 50, swell: true, bend: 0.2 },
  flute: { vibrato: 52, swell: true, bend: 0.03 },
  clarinet: { vibrato: 24, swell: true, bend: 0.06 },
  "synth lead": { vibrato: 45, swell: false, bend: 0.1 },
  "electric guitar": { vibrato: 22, swell: false, bend: 0.18 },
  "distorted guitar": { vibrato: 48, swell: false, bend: 0.28 },
};

function trill(note: Event, above: number, fast: number): Event[] {
  const count = Math.floor((note.length * 0.7) / fast / 2) * 2;
  const notes = Array.from({ length: count }, (_, i) => ({
    ...note,
    at: note.at + i * fast,
    length: fast * 0.95,
    pitch: i % 2 === 0 ? note.pitch : above,
    force: note.force * (i === 0 ? 1 : 0.82),
  }));
  return [...notes, { ...note, at: note.at + count * fast, length: note.length - count * fast }];
}

const arch = (along: number) => 4 * along * (1 - along);
