/**
 * @file Tunes: a motif developed over a four-bar sentence, chord tones where the bar is strong, steps between them, and a
 * cadence that says whether the sentence asks or answers.
 */

import { type Event, spanAt } from "./event.js";
import { type Ending, homeOf, type Span } from "./harmony.js";
import { type Motif, type Shape, varied } from "./motif.js";
import { chordScale, mod12, nearest, stepFrom } from "./pitch.js";
import type { Dice } from "./random.js";
import type { Mode } from "./score.js";
import type { MelodyCard } from "./style.js";

export interface Singing {
  readonly motif: Motif;
  readonly card: MelodyCard;
  readonly plan: "period" | "sequence" | "riff" | "sparse";
  readonly mode: Mode;
  readonly tonic: number;
  /** Pitch classes of the key. */
  readonly scale: readonly number[];
  readonly range: readonly [low: number, high: number];
  /** 0 to 1: how high in the range. */
  readonly height: number;
  readonly beats: 3 | 4;
}

/** A sentence of four bars, from beat 0. @param spans the chords, from beat 0 */
export function sing(dice: Dice, how: Singing, spans: readonly Span[], ending: Ending, before?: number): Event[] {
  const letters = dice.pick(plans[how.plan]);
  const starts = new Map<string, number>();
  const tune: Event[] = [];
  let last = before ?? register(how, 0);
  for (const [bar, word] of letters.entries()) {
    const letter = word[0]!;
    if (bar === 3 && ending !== "loop" && (letter === "c" || dice.chance(0.75))) {
      tune.push(...cadence(dice, how, spans, ending, tune.at(-1)?.pitch ?? last));
      continue;
    }
    const shape = letter === "a" || bar === 0 ? how.motif.a : how.motif.b;
    const moved = word.endsWith("+") ? dice.pick([1, 2]) : word.endsWith("-") ? dice.pick([-1, -2]) : 0;
    const start = starts.get(letter);
    const target = start === undefined ? (last + register(how, bar)) / 2 : stepFrom(start, how.scale, moved);
    const notes = realise(word.includes("'") ? varied(dice, shape) : shape, how, spans, bar * how.beats, target, last);
    if (notes.length === 0) continue;
    if (start === undefined) starts.set(letter, notes[0]!.pitch);
    last = notes.at(-1)!.pitch;
    tune.push(...notes.map((note) => ({ ...note, force: note.force + 0.02 * bar })));
  }
  return finished(dice, smooth(tune, how), how, spans);
}

/** The same tune sung again: here and there a step on the way to the next note. */
export function embellish(dice: Dice, tune: readonly Event[], scale: readonly number[]): Event[] {
  return tune.flatMap((note, i) => {
    const next = tune[i + 1];
    if (note.length < 1.4 || next === undefined || !dice.chance(0.3)) return [note];
    const passing = stepFrom(next.pitch, scale, next.pitch > note.pitch ? -1 : 1);
    if (Math.abs(passing - note.pitch) > 7 || passing === note.pitch) return [note];
    const split = note.length - 0.5;
    return [
      { ...note, length: split },
      { ...note, at: note.at + split, length: 0.5, pitch: passing, force: note.force * 0.9 },
    ];
  });
}

/** Notes that fit the chord and the style, to move by step among. */
export function scaleOver(how: Pick<Singing, "card" | "mode" | "tonic" | "scale">, tones: readonly number[]): number[] {
  const taste = how.card.scale;
  if (taste === "full" || taste === "chromatic") return chordScale(how.scale, tones);
  const home = homeOf(how.mode);
  const steps = taste === "blues" ? bluesScales[home] : pentatonics[home];
  return chordScale(
    steps.map((step) => mod12(step + how.tonic)),
    tones,
  );
}

// --- internal ---

const pentatonics = { major: [0, 2, 4, 7, 9], minor: [0, 3, 5, 7, 10] };
const bluesScales = { major: [0, 2, 3, 4, 7, 9], minor: [0, 3, 5, 6, 7, 10] };

/** Bars of a sentence: a and b the motif's, c the cadence, + and - higher and lower, ' varied. */
const plans: Readonly<Record<Singing["plan"], readonly (readonly string[])[]>> = {
  period: [
    ["a", "b", "a", "c"],
    ["a", "b", "a'", "c"],
    ["a", "a'", "b", "c"],
  ],
  sequence: [
    ["a", "a+", "b", "c"],
    ["a", "a+", "a+'", "c"],
    ["a", "a-", "a-'", "c"],
    ["a", "b", "a+", "c"],
  ],
  riff: [
    ["a", "a", "a", "b"],
    ["a", "b", "a", "b"],
    ["a", "a'", "a", "b"],
  ],
  sparse: [
    ["a", "b", "a", "c"],
    ["a", "a+", "a", "c"],
  ],
};

/** Where the bar's first note should lie: a rise to the third bar. */
function register({ range: [low, high], height }: Singing, bar: number): number {
  const arch = [0, 0.08, 0.18, 0.06][bar]!;
  return low + (high - low) * Math.min(0.85, height + arch);
}

const isStrong = (at: number, length: number, beats: number): boolean =>
  length >= 1.5 || (at % 1 === 0 && (length >= 1 || at % beats === 0 || (beats === 4 && at % 2 === 0)));

/** The chord that a note belongs to: one that is pushed ahead of the beat belongs to what comes. */
const chordOf = (spans: readonly Span[], note: { at: number; length: number }): Span =>
  spanAt(spans, note.at + Math.min(note.length / 2, 0.75));

const chordTones = (span: Span): readonly number[] => span.tones.slice(0, 4);

/** Pitches for a shape: first where the bar is strong, on chord tones along the contour; then what lies between, by step. */
function realise(
  shape: Shape,
  how: Singing,
  spans: readonly Span[],
  from: number,
  target: number,
  last: number,
): Event[] {
  const placed = shape.notes.map((note) => {
    const at = from + note.at;
    const span = chordOf(spans, { at, length: note.length });
    const scale = scaleOver(how, span.tones);
    return { ...note, at, span, scale, strong: isStrong(note.at, note.length, how.beats) };
  });
  const first = placed[0];
  if (first === undefined) return [];
  const anchor = nearest(within(target, how), chordTones(first.span));
  const wanted = placed.map(({ scale }, i) => within(stepFrom(anchor, scale, shape.contour[i] ?? 0), how));
  const pitches: (number | undefined)[] = placed.map(() => undefined);
  let before = last;
  for (const [i, { span, strong }] of placed.entries()) {
    if (!strong && i > 0) continue;
    const price = (pitch: number) => Math.abs(pitch - wanted[i]!) + 0.5 * Math.max(0, Math.abs(pitch - before) - 4);
    before = cheapest(how, chordTones(span), price);
    pitches[i] = before;
  }
  for (const [i, { span, scale }] of placed.entries()) {
    if (pitches[i] !== undefined) continue;
    const [previous, next] = [pitches[i - 1]!, pitches.slice(i + 1).find((pitch) => pitch !== undefined)];
    const own = chordTones(span);
    pitches[i] = cheapest(how, scale, (pitch) => {
      const foreign = own.includes(mod12(pitch)) ? 0 : 1;
      const onward = next === undefined ? 0 : roughness(next - pitch, foreign);
      return 0.45 * Math.abs(pitch - wanted[i]!) + roughness(pitch - previous, foreign) + onward;
    });
  }
  return placed.map(({ at, length, strong }, i) => ({
    at,
    length,
    pitch: pitches[i]!,
    force: (strong ? 0.84 : 0.75) + (at === from ? 0.04 : 0),
  }));
}

/** How little an interval flows: steps do, thirds nearly, and what is foreign to the chord wants steps on both sides. */
function roughness(interval: number, foreign: number): number {
  const size = Math.abs(interval);
  if (size === 0) return 0.9;
  if (size <= 2) return 0;
  return (size <= 4 ? 0.7 : 0.5 * size) + 2.5 * foreign;
}

function cheapest(
  { range: [low, high] }: Singing,
  classes: readonly number[],
  price: (pitch: number) => number,
): number {
  let [best, least] = [low, Number.POSITIVE_INFINITY];
  for (let pitch = low; pitch <= high; pitch++) {
    const now = classes.includes(mod12(pitch)) ? price(pitch) : least;
    if (now < least) [best, least] = [pitch, now];
  }
  return best;
}

/** Turns back at the ends of the range. */
function within(pitch: number, { range: [low, high] }: Singing): number {
  const turned = pitch > high ? 2 * high - pitch : pitch < low ? 2 * low - pitch : pitch;
  return Math.min(high, Math.max(low, turned));
}

/** The last bar: to the tonic, or to a tone of the chord that leads back to it; then breath, or a way to what follows. */
function cadence(dice: Dice, how: Singing, spans: readonly Span[], ending: Ending, before: number): Event[] {
  const from = 3 * how.beats;
  const end = 4 * how.beats;
  const goal = spanAt(spans, end - 0.01);
  const arrives = Math.max(from, goal.at);
  const lead = how.motif.a.notes.filter(({ at }) => from + at < arrives - 1e-6);
  const target = ending === "close" ? [dice.chance(0.8) ? how.tonic : goal.tones[1]!] : chordTones(goal);
  const [low, high] = how.range;
  const final = bounded(nearest(before + (before > (low + high) / 2 ? -2 : 1), target), how);
  const tune: Event[] = lead.map((note, i) => {
    const scale = scaleOver(how, spanAt(spans, from + note.at).tones);
    const steps = lead.length - i;
    const way = before >= final ? 1 : -1;
    const wanted = stepFrom(final, scale, way * Math.min(steps, 4));
    return {
      at: from + note.at,
      length: Math.min(note.length, arrives - from - note.at),
      pitch: bounded(wanted, how),
      force: 0.78,
    };
  });
  const room = end - arrives;
  const pickup = room >= 3 && how.plan !== "sparse" && dice.chance(0.4);
  tune.push({
    at: arrives,
    length: pickup ? room - 1 : Math.max(1, room - dice.pick([0, 0.5, 1])),
    pitch: final,
    force: 0.84,
  });
  if (pickup) {
    const scale = scaleOver(how, goal.tones);
    const way = final > (low + high) / 2 ? -1 : 1;
    for (const [i, steps] of [1, 2].entries())
      tune.push({
        at: end - 1 + i / 2,
        length: 0.5,
        pitch: bounded(stepFrom(final, scale, way * steps), how),
        force: 0.7,
      });
  }
  return tune;
}

/** In range, the same pitch class. */
function bounded(pitch: number, { range: [low, high] }: Singing): number {
  return pitch > high ? pitch - 12 : pitch < low ? pitch + 12 : pitch;
}

/** A jump beyond a ninth comes an octave nearer, where it can. */
function smooth(tune: readonly Event[], { range: [low, high] }: Singing): Event[] {
  let before = tune[0]?.pitch ?? low;
  return tune.map((note) => {
    const leap = note.pitch - before;
    const nearer = note.pitch - 12 * Math.sign(leap);
    before = Math.abs(leap) > 9 && nearer >= low && nearer <= high ? nearer : note.pitch;
    return { ...note, pitch: before };
  });
}

/** Chromatic ways into strong notes where the style likes them, and how long notes sound. */
function finished(dice: Dice, tune: readonly Event[], how: Singing, spans: readonly Span[]): Event[] {
  return tune.map((note, i) => {
    const next = tune[i + 1];
    let pitch = note.pitch;
    const leadsIn = next !== undefined && next.at - note.at <= 0.5 && next.at % 1 === 0 && note.at % 1 !== 0;
    if (how.card.scale === "chromatic" && leadsIn && dice.chance(0.2)) {
      const from = next.pitch + (tune[i - 1] !== undefined && tune[i - 1]!.pitch > next.pitch ? 1 : -1);
      if (!chordTones(spanAt(spans, note.at)).includes(mod12(pitch))) pitch = from;
    }
    const free = next === undefined ? note.length : Math.min(note.length, next.at - note.at);
    return { ...note, pitch, length: free * (free >= 1 ? Math.max(how.card.gate, 0.9) : how.card.gate) };
  });
}
