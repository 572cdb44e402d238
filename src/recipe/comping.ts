/** @file Accompanists: a figure, bar after bar, on chords led from one to the next. */

import { type Bar, type Event, spanAt, strokes } from "./event.js";
import type { Figure } from "./figures.js";
import type { Span } from "./harmony.js";
import { mod12 } from "./pitch.js";
import type { Dice } from "./random.js";
import { powerChord, type Register, voice } from "./voicing.js";

export interface Comping {
  /** For the first and the second theme. */
  readonly figures: readonly [Figure, Figure];
  readonly register: Register;
  /** Voices of a chord. */
  readonly count: number;
  /** The lowest pitch for b and f; undefined where somebody else plays the bass. */
  readonly bassFrom: number | undefined;
  /** Seconds between the strings of a strummed chord. */
  readonly spread: number;
}

/** @param bars those in which the part plays */
export function accompany(dice: Dice, bars: readonly Bar[], spans: readonly Span[], how: Comping): Event[] {
  const voicings = new Map<Span, readonly number[]>();
  let before: readonly number[] = [];
  for (const span of spans) {
    before = voice(span, how.register, how.count, before);
    voicings.set(span, before);
  }
  return bars.flatMap((bar) => {
    if (bar.isFinal) return finalChord(bar, spanAt(spans, bar.at), voicings, how);
    const figure = how.figures[bar.theme];
    return restruck(figure.bar, bar, spans).flatMap(({ at, length, mark }) => {
      const span = spanAt(spans, bar.at + at);
      const left = span.at + span.length - (bar.at + at);
      const sounding = figure.rings && /[0-5bf]/.test(mark) ? Math.min(4, left) : length * (figure.gate ?? 0.97);
      const force = forces[mark] ?? (at % 1 === 0 ? 0.72 : 0.62);
      const stroke = { at: bar.at + at, length: Math.min(sounding, left), force: force * (0.85 + 0.15 * bar.energy) };
      return spread(pitchesOf(mark, span, voicings.get(span)!, how), mark, stroke, how.spread, dice);
    });
  });
}

// --- internal ---

const forces: Readonly<Record<string, number>> = {
  X: 0.92,
  x: 0.74,
  o: 0.5,
  d: 0.78,
  u: 0.58,
  P: 0.95,
  p: 0.76,
  s: 0.78,
  b: 0.78,
  f: 0.72,
};

/** The figure's strokes, and a new one where the chord changes under one that is held. */
function restruck(figure: string, bar: Bar, spans: readonly Span[]) {
  return strokes(figure, bar.beats).flatMap((stroke) => {
    const pieces = [stroke];
    for (;;) {
      const last = pieces.at(-1)!;
      const span = spanAt(spans, bar.at + last.at);
      const change = span.at + span.length - bar.at;
      if (change >= last.at + last.length - 1e-6) return pieces;
      pieces[pieces.length - 1] = { ...last, length: change - last.at };
      pieces.push({ at: change, length: last.at + last.length - change, mark: last.mark });
    }
  });
}

function pitchesOf(mark: string, span: Span, voicing: readonly number[], how: Comping): number[] {
  if (mark === "p" || mark === "P") return powerChord(span, how.register.low);
  if (mark === "s") return sixth(powerChord(span, how.register.low));
  if (mark === "b" || mark === "f") {
    if (how.bassFrom === undefined) return [voicing[mark === "b" ? 0 : 1]!];
    const fifth = span.tones[2] ?? span.root;
    const pitch = how.bassFrom + mod12((mark === "b" ? span.bass : fifth) - how.bassFrom);
    return [pitch];
  }
  const index = Number(mark);
  if (Number.isNaN(index)) return mark === "u" ? voicing.slice(-4) : [...voicing];
  const octave = 12 * Math.floor(index / voicing.length);
  return [voicing[index % voicing.length]! + octave];
}

/** Root and sixth, where a power chord has its fifth. */
const sixth = ([root, fifth]: readonly number[]): number[] =>
  fifth === root! + 7 ? [root!, root! + 9] : [root!, fifth!];

function spread(
  pitches: readonly number[],
  mark: string,
  stroke: Omit<Event, "pitch">,
  seconds: number,
  dice: Dice,
): Event[] {
  const gap = seconds * (mark === "u" ? 0.7 : 1) * dice.between(0.8, 1.2);
  return pitches.map((pitch, i) => ({
    ...stroke,
    pitch,
    late: gap * (mark === "u" ? pitches.length - 1 - i : i),
    force: stroke.force * (i === pitches.length - 1 ? 1 : 0.93),
  }));
}

function finalChord(bar: Bar, span: Span, voicings: ReadonlyMap<Span, readonly number[]>, how: Comping): Event[] {
  const voicing = voicings.get(span)!;
  const low = how.bassFrom === undefined ? [] : [how.bassFrom + mod12(span.root - how.bassFrom)];
  return [...low, ...voicing].map((pitch, i) => ({
    at: bar.at,
    length: bar.beats,
    pitch,
    force: 0.75,
    late: i * how.spread,
  }));
}
