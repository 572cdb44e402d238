/**
 * @file The composer: a seed becomes a score. It draws a style, a tempo, a key and a band, writes a whole piece, has it
 * played, and cuts a clip from it. What the score states, such as its key, is what can be heard in the clip.
 */

import { partsOf } from "./parts.js";
import { cut, cutControls } from "./perform.js";
import { type Frame, type Piece, pieceOf } from "./piece.js";
import { bandOf } from "./players.js";
import { Dice } from "./random.js";
import type { Production, Score } from "./score.js";
import { type Style, type StyleId, styleIds } from "./style.js";
import { styles } from "./styles.js";
import { round, type Timeline } from "./timeline.js";
import { saysHome, windowOf } from "./window.js";

/** Changes whenever a seed no longer gives the score that it gave. */
export const recipeVersion = 2;

export interface ComposeOptions {
  /** Length of the clip: 10 unless told. */
  readonly seconds?: number;
  /** Any unless told. */
  readonly style?: StyleId;
}

/**
 * The score of a seed; with one `recipeVersion` always the same.
 * @param seed a whole number from 0 to 2^53 - 1
 */
export function compose(seed: number, { seconds = 10, style: asked }: ComposeOptions = {}): Score {
  const name = asked ?? new Dice(seed, "style").pick(styleIds);
  const style = styles[name];
  const { beats, bpm, swing, tonic, mode, isLoop } = basicsOf(new Dice(seed, "basics"), style);
  const band = bandOf(new Dice(seed, "band"), style, bpm, beats);
  const form = new Dice(seed, "form").pick(style.forms);
  const range = band.lead?.lead;
  const isSmall = band.lead === undefined || band.others.length + Number(band.bass !== undefined) < 2;
  const frame: Frame = {
    seed,
    style,
    form,
    bpm,
    beats,
    swing,
    mode,
    tonic,
    isLoop,
    isSmall,
    range,
    seconds: 1.6 * seconds + 8,
  };
  const piece = pieceOf(frame);
  const { timeline, offset } = windowOf(new Dice(seed, "window"), frame, piece, seconds);
  const dynamics = style.dynamics + new Dice(seed, "dynamics").between(-0.14, 0.08);
  const hand = { timeline, dynamics, looseness: style.looseness / 1000 };
  const parts = partsOf(frame, band, heardOf(piece, timeline, offset, seconds), hand).flatMap((part) => {
    const notes = cut(part.notes, offset, seconds);
    return notes.length === 0 ? [] : [{ ...part, notes, controls: cutControls(part.controls, offset, seconds) }];
  });
  return {
    seed,
    style: name,
    seconds,
    offset: round(offset),
    ...timesOf(timeline, offset, seconds),
    metre: [beats, 4],
    ...harmonyOf(frame, piece, timeline, offset, seconds, band.lead !== undefined),
    mode,
    sections: during(piece.sections, timeline, offset, seconds).map(([at, { name }]) => ({ at, name })),
    parts,
    production: productionOf(new Dice(seed, "production"), style),
  };
}

// --- internal ---

function basicsOf(dice: Dice, style: Style) {
  const [slow, fast] = style.tempo;
  const bpm = Math.round(slow * (fast / slow) ** dice.next());
  const beats = dice.chance(style.three) ? (3 as const) : (4 as const);
  const swings = dice.chance(style.swing.chance);
  const by = round(dice.between(...style.swing.by), 1000);
  const tonic = dice.below(12);
  const mode = dice.weighted(style.modes);
  const isLoop = dice.chance(0.25) && style.harmony.loops !== undefined && (mode === "major" || mode === "minor");
  return { bpm, beats, swing: { unit: style.swing.unit, by: swings ? by : 0 }, tonic, mode, isLoop };
}

/** What is played of a piece for a clip: a bar more at either end, for what rings on or comes early. */
function heardOf(piece: Piece, timeline: Timeline, offset: number, seconds: number): Piece {
  const { bars, spans, tune } = piece;
  const near = bars.filter(({ at, beats }) => {
    const isLate = timeline.even(Math.max(0, at - beats)) >= offset + seconds;
    return !isLate && timeline.even(at + 2 * beats) > offset;
  });
  const [from, to] = [near[0]!.at, near.at(-1)!.at + near.at(-1)!.beats];
  const within = ({ at, length }: { at: number; length: number }) => at < to && at + length > from;
  return { ...piece, bars: near, spans: spans.filter(within), tune: tune.filter(within) };
}

/** The metronome in the clip. */
function timesOf(timeline: Timeline, offset: number, seconds: number): Pick<Score, "bpm" | "tempo" | "beats"> {
  let beat = 0;
  while (timeline.even(beat + 1) <= offset + 1e-6) beat++;
  const bpm = timeline.bpmAt(beat);
  const beats: number[] = [];
  const tempo: { at: number; bpm: number }[] = [];
  for (; timeline.even(beat) < offset + seconds - 1e-4; beat++) {
    const at = timeline.even(beat) - offset;
    if (at < -1e-6) continue;
    beats.push(Math.max(0, round(at)));
    const now = timeline.bpmAt(beat);
    if (now !== (tempo.at(-1)?.bpm ?? bpm)) tempo.push({ at: round(at), bpm: now });
  }
  return { bpm, tempo, beats };
}

/** Chords, where somebody plays them, and the key, where they state one. */
function harmonyOf(
  frame: Frame,
  piece: Piece,
  timeline: Timeline,
  offset: number,
  seconds: number,
  hasTones: boolean,
): Pick<Score, "key" | "chords"> {
  if (!hasTones) return { key: undefined, chords: [] };
  const [from, to] = [offset, offset + seconds].map((time) => beatAt(timeline, time)) as [number, number];
  return {
    key: saysHome(frame, piece, from, to) ? frame.tonic : undefined,
    chords: during(piece.spans, timeline, offset, seconds).map(([at, { root, quality }]) => ({ at, root, quality })),
  };
}

function beatAt(timeline: Timeline, time: number): number {
  let beat = 0;
  while (timeline.even(beat + 1) <= time) beat++;
  return beat + (time - timeline.even(beat)) / (timeline.even(beat + 1) - timeline.even(beat));
}

/** What is going on in the clip, and since when; what began before it began at 0. */
function during<T extends { readonly at: number }>(
  all: readonly T[],
  timeline: Timeline,
  offset: number,
  seconds: number,
): [at: number, what: T][] {
  const starts = all.map((what) => round(timeline.even(what.at) - offset));
  return all.flatMap((what, i) => {
    const [start, end] = [starts[i]!, starts[i + 1] ?? Number.POSITIVE_INFINITY];
    return end > 1e-3 && start < seconds ? [[Math.max(0, start), what]] : [];
  });
}

function productionOf(dice: Dice, { production }: Style): Production {
  return {
    reverb: dice.weighted(production.reverb),
    delay: dice.chance(production.delay),
    saturation: round(dice.between(...production.saturation), 100),
    lofi: dice.chance(production.lofi),
    loudness: round(dice.between(...production.loudness), 10),
  };
}
