/** @file A second voice: long guide tones that move by step, and an answer where the tune takes breath. */

import { type Bar, type Event, spanAt } from "./event.js";
import type { Span } from "./harmony.js";
import { chordScale, nearest, stepFrom } from "./pitch.js";
import type { Dice } from "./random.js";

/**
 * @param bars those in which it plays
 * @param tune what it answers
 * @param scale pitch classes of the key
 */
export function counterpoint(
  dice: Dice,
  bars: readonly Bar[],
  spans: readonly Span[],
  tune: readonly Event[],
  scale: readonly number[],
  [low, high]: readonly [low: number, high: number],
): Event[] {
  const middle = Math.round((low + high) / 2);
  let last = middle;
  return bars.flatMap((bar) => {
    const end = bar.at + bar.beats;
    const inBar = spans.filter(({ at, length }) => at < end - 1e-6 && at + length > bar.at + 1e-6);
    const held = inBar.flatMap((span): Event[] => {
      const [from, to] = [Math.max(span.at, bar.at), Math.min(span.at + span.length, end)];
      const guide = span.tones.slice(1, 4);
      last = bounded(nearest(0.8 * last + 0.2 * middle, guide), low, high);
      return [{ at: from, length: (to - from) * 0.97, pitch: last, force: 0.62 }];
    });
    const breath = bar.isFinal ? undefined : breathIn(bar, tune);
    if (breath === undefined || !dice.chance(0.8)) return held;
    const answer = answered(dice, breath, spanAt(spans, breath.from), scale, last, [low, high]);
    last = answer.at(-1)!.pitch;
    const kept = held.filter(({ at }) => at < breath.from).map((note) => shortened(note, breath.from));
    return [...kept, ...answer];
  });
}

// --- internal ---

interface Breath {
  readonly from: number;
  readonly to: number;
}

/** The second half of a bar into which the tune only holds a note, or nothing. */
function breathIn(bar: Bar, tune: readonly Event[]): Breath | undefined {
  const from = bar.at + bar.beats - 2;
  const to = bar.at + bar.beats;
  return tune.some(({ at }) => at > from - 1 && at < to) ? undefined : { from, to };
}

/** Four notes along the scale, or up and down the chord. */
function answered(
  dice: Dice,
  { from, to }: Breath,
  span: Span,
  scale: readonly number[],
  last: number,
  [low, high]: readonly [number, number],
): Event[] {
  const way = last > (low + high) / 2 ? -1 : 1;
  const steps = dice.pick([
    [0, 1, 2, 3],
    [0, 2, 1, 0],
    [2, 1, 0, 1],
  ]);
  const classes = dice.chance(0.4) ? span.tones.slice(0, 4) : chordScale(scale, span.tones);
  const start = nearest(last, span.tones);
  const each = (to - from) / steps.length;
  return steps.map((step, i) => ({
    at: from + i * each,
    length: each * 0.92,
    pitch: bounded(stepFrom(start, classes, way * step), low, high),
    force: 0.68 + 0.03 * i,
  }));
}

const shortened = (note: Event, end: number): Event => ({ ...note, length: Math.min(note.length, end - note.at) });

function bounded(pitch: number, low: number, high: number): number {
  return pitch > high ? pitch - 12 : pitch < low ? pitch + 12 : pitch;
}
