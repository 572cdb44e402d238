/** @file Drummers: a groove with ghost notes, fills before what is new, a crash when it comes. */

import type { Bar, Event } from "./event.js";
import { type Drum, type Groove, keys, type Pattern } from "./grooves.js";
import type { Dice } from "./random.js";

export interface Drumming {
  /** For the first and the second theme. */
  readonly grooves: readonly [Groove, Groove];
  readonly fills: readonly Pattern[];
  /** How often a section starts with a crash. */
  readonly crash: number;
  /** Timpani: the pitches of tonic and dominant, on keys that a drummer has for toms. */
  readonly timpani?: readonly [tonic: number, dominant: number];
}

/** @param bars those in which they play */
export function playDrums(dice: Dice, bars: readonly Bar[], how: Drumming): Event[] {
  return bars.flatMap((bar) => {
    if (bar.isFinal) return finalStroke(bar, how);
    const groove = how.grooves[bar.theme];
    const pattern = bar.energy >= 0.9 ? (groove.loud ?? groove.bar) : groove.bar;
    const filled = bar.ends !== undefined && dice.chance(bar.ends === "section" ? 0.85 : 0.35);
    const fill = filled ? dice.pick(how.fills) : {};
    const from = bar.beats - stepsOf(fill) / 4;
    const events = strokesOf(dice, pattern, bar, bar.beats / stepsOf(pattern), 0).filter(
      ({ at, pitch }) => at < bar.at + from - 1e-6 || (pitch === keys.kick && fill.kick === undefined),
    );
    events.push(...strokesOf(dice, fill, bar, 0.25, from));
    if (bar.isFirst && dice.chance(how.crash)) events.push({ at: bar.at, length: 1, pitch: crashOf(how), force: 0.8 });
    if (how.timpani !== undefined) events.push(...timpani(dice, bar, how.timpani));
    return events;
  });
}

// --- internal ---

const forces: Readonly<Record<string, number>> = { X: 0.95, x: 0.76, o: 0.38 };
const loudness: Readonly<Partial<Record<Drum, number>>> = {
  hat: 0.78,
  ride: 0.8,
  pedal: 0.7,
  shaker: 0.7,
  cabasa: 0.7,
  maracas: 0.65,
  tambourine: 0.75,
  triangle: 0.6,
  claves: 0.75,
  cowbell: 0.7,
  open: 0.75,
  crash: 0.8,
};

const stepsOf = (pattern: Pattern): number => Math.max(0, ...Object.values(pattern).map((row) => row.length));

function strokesOf(dice: Dice, pattern: Pattern, bar: Bar, step: number, from: number): Event[] {
  return Object.entries(pattern).flatMap(([drum, row]) =>
    [...row].flatMap((mark, i) => {
      const ghost = mark === "?" && dice.chance(0.35);
      const force = ghost ? 0.34 : forces[mark];
      if (force === undefined) return [];
      const scaled = force * (loudness[drum as Drum] ?? 1) * (0.82 + 0.18 * bar.energy);
      return [{ at: bar.at + from + i * step, length: step, pitch: keys[drum as Drum], force: scaled }];
    }),
  );
}

/** Where orchestral kits have timpani on the usual key, they have cymbals higher up. */
const crashOf = (how: Drumming): number => (how.timpani === undefined ? keys.crash : 57);

function timpani(dice: Dice, bar: Bar, [tonic, dominant]: readonly [number, number]): Event[] {
  const rolls = bar.ends === "section";
  if (!rolls) return dice.chance(0.7) ? [{ at: bar.at, length: 1, pitch: tonic, force: 0.75 }] : [];
  return Array.from({ length: bar.beats * 4 }, (_, i) => ({
    at: bar.at + i / 4,
    length: 0.25,
    pitch: dominant,
    force: 0.35 + (0.5 * i) / (bar.beats * 4),
  }));
}

function finalStroke(bar: Bar, how: Drumming): Event[] {
  const stroke = (pitch: number, force: number): Event => ({ at: bar.at, length: 1, pitch, force });
  if (how.timpani !== undefined) return [stroke(how.timpani[0], 0.9), stroke(crashOf(how), 0.7)];
  const tops = how.crash > 0.2 ? [stroke(keys.crash, 0.85)] : [];
  return [stroke(keys.kick, 0.95), ...tops];
}
