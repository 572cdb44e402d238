/** @file From what is written to what is played: seconds, loudness, a human hand, and what the clip leaves of it. */

import type { Event } from "./event.js";
import type { Dice } from "./random.js";
import type { Control, Note } from "./score.js";
import { round, type Timeline } from "./timeline.js";

export interface Performance {
  readonly timeline: Timeline;
  /** Mean loudness of notes, 0 to 1. */
  readonly dynamics: number;
  /** Standard deviation of when notes come, in seconds. */
  readonly looseness: number;
}

/** Seconds from the piece's start. Notes of one time stay together. */
export function perform(dice: Dice, events: readonly Event[], { timeline, dynamics, looseness }: Performance): Note[] {
  const shifts = new Map<number, number>();
  return events.map(({ at, length, pitch, force, late = 0 }) => {
    const shift = shifts.get(at) ?? dice.bell() * looseness;
    shifts.set(at, shift);
    const start = timeline.seconds(at) + shift + late;
    const end = timeline.seconds(at + length) + shift;
    const velocity = Math.round(127 * force * (0.45 + 0.75 * dynamics) + dice.bell() * (looseness > 0 ? 3 : 1));
    return {
      at: round(start),
      duration: round(Math.max(0.03, end - start)),
      pitch,
      velocity: Math.min(127, Math.max(8, velocity)),
    };
  });
}

/** What is heard of it from `offset` on, in seconds from there: notes that sound already begin before 0. */
export function cut(notes: readonly Note[], offset: number, seconds: number): Note[] {
  return notes
    .map((note) => ({ ...note, at: round(note.at - offset) }))
    .filter(({ at, duration }) => at + duration > 0 && at < seconds)
    .sort((a, b) => a.at - b.at || a.pitch - b.pitch);
}

/** As `cut`; of what was set before, the last value of each controller stays. */
export function cutControls(controls: readonly Control[], offset: number, seconds: number): Control[] {
  const sorted = controls
    .filter(({ at }) => at < offset + seconds)
    .map((control) => ({ ...control, at: round(control.at - offset) }))
    .sort((a, b) => a.at - b.at);
  const standing = new Map(sorted.filter(({ at }) => at < 0).map((control) => [control.controller, control]));
  return [...standing.values(), ...sorted.filter(({ at }) => at >= 0)];
}
