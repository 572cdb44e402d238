/** @file Bass players: roots, fifths, octaves and ways to the next root, as a line says. */

import { type Bar, type Event, spanAt, strokes } from "./event.js";
import type { Figure } from "./figures.js";
import type { Span } from "./harmony.js";
import { chordScale, mod12, nearest, stepFrom } from "./pitch.js";
import type { Dice } from "./random.js";

export interface BassPlan {
  readonly lines: readonly [Figure, Figure];
  readonly low: number;
  readonly high: number;
  /** Pitch classes */
  readonly scale: readonly number[];
}

/** @param bars those in which it plays */
export function playBass(dice: Dice, bars: readonly Bar[], spans: readonly Span[], plan: BassPlan): Event[] {
  let walked = plan.low + 5;
  return bars.flatMap((bar) => {
    const line = plan.lines[bar.theme];
    if (bar.isFinal)
      return [{ at: bar.at, length: bar.beats, pitch: rootOf(spanAt(spans, bar.at), plan), force: 0.85 }];
    const played = strokes(line.bar, bar.beats);
    return played.map(({ at, length, mark }, i) => {
      const now = bar.at + at;
      const span = spanAt(spans, now);
      const left = span.at + span.length - now;
      const isFirst = now - span.at < 1e-6;
      const follows = played[i + 1]?.at ?? bar.beats;
      const isLast = left - (follows - at) < 1e-6;
      const to = isLast ? rootOf(spanAt(spans, span.at + span.length), plan) : undefined;
      const pitch = fold(pitchOf(mark, span, plan, { isFirst, to, walked, dice }), plan);
      walked = pitch;
      const accent = at === 0 ? 0.92 : at % 1 === 0 ? 0.84 : 0.76;
      return {
        at: now,
        length: Math.min(length * (line.gate ?? 0.95), left),
        pitch,
        force: mark === "o" ? 0.4 : accent * (0.88 + 0.12 * bar.energy),
      };
    });
  });
}

// --- internal ---

interface Step {
  readonly isFirst: boolean;
  /** The next chord's root, where this is the last note before it. */
  readonly to: number | undefined;
  /** The last note. */
  readonly walked: number;
  readonly dice: Dice;
}

function pitchOf(mark: string, span: Span, plan: BassPlan, step: Step): number {
  const root = rootOf(span, plan);
  if (step.isFirst && mark !== "o") return root;
  const fifth = mod12(span.tones[2]! - span.root) || 7;
  const third = mod12(span.tones[1]! - span.root);
  switch (mark) {
    case "5":
      return root + fifth;
    case "l":
      return root + fifth - 12;
    case "8":
      return root + 12;
    case "3":
      return root + third;
    case "6":
      return root + 9;
    case "7":
      return root + (span.tones[3] === undefined ? 10 : mod12(span.tones[3] - span.root));
    case "a":
      return step.to === undefined ? root + fifth : approach(step.to, span, plan, step.dice);
    case "w":
      return walk(span, plan, step);
    default:
      return root;
  }
}

/** A semitone below or above where it goes, or the scale's step. */
function approach(to: number, span: Span, plan: BassPlan, dice: Dice): number {
  const scale = chordScale(plan.scale, span.tones);
  const way = dice.chance(0.55) ? -1 : 1;
  return dice.chance(0.5) ? to + way : stepFrom(to, scale, way);
}

function walk(span: Span, plan: BassPlan, step: Step): number {
  if (step.to !== undefined) return approach(step.to, span, plan, step.dice);
  const classes = step.dice.chance(0.6) ? span.tones : chordScale(plan.scale, span.tones);
  const middle = (plan.low + plan.high) / 2;
  const up = step.dice.chance(step.walked > middle ? 0.25 : 0.75);
  return stepFrom(step.walked, classes, up ? 1 : -1);
}

function rootOf(span: Span, { low, high }: BassPlan): number {
  const pitch = nearest(low + 6, [span.bass]);
  return pitch < low ? pitch + 12 : pitch > high ? pitch - 12 : pitch;
}

function fold(pitch: number, { low, high }: BassPlan): number {
  let folded = pitch;
  while (folded > high) folded -= 12;
  while (folded < low) folded += 12;
  return folded;
}
