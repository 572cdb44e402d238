/** @file A whole piece, before any clip is cut from it: its bars, its chords, its tunes. */

import type { Bar, Event } from "./event.js";
import { type Form, type Section, sectionsOf } from "./form.js";
import { colour, type Ending, type HarmonyCard, homeOf, loop, type Span, sentence, spansOf } from "./harmony.js";
import { embellish, type Singing, sing } from "./melody.js";
import { motifOf } from "./motif.js";
import { type Harmony, mod12, readRoman, scales } from "./pitch.js";
import { Dice } from "./random.js";
import type { Mode } from "./score.js";
import type { Style } from "./style.js";
import type { Swing } from "./timeline.js";

/** What is settled before anything is written. */
export interface Frame {
  readonly seed: number;
  readonly style: Style;
  readonly form: Form;
  readonly bpm: number;
  readonly beats: 3 | 4;
  readonly swing: Swing;
  readonly mode: Mode;
  /** Pitch class around which chords are read, heard as home or not. */
  readonly tonic: number;
  /** Chords go round without a home. */
  readonly isLoop: boolean;
  /** One or two players: then nobody rests. */
  readonly isSmall: boolean;
  /** Of the lead. */
  readonly range: readonly [number, number] | undefined;
  /** At least so long. */
  readonly seconds: number;
}

export interface Piece {
  readonly sections: readonly (Section & { readonly at: number })[];
  readonly bars: readonly Bar[];
  readonly spans: readonly Span[];
  readonly tune: readonly Event[];
  /** Quarter notes, with the last bar. */
  readonly length: number;
}

export function pieceOf(frame: Frame): Piece {
  const themes = [themeOf(frame, 0), themeOf(frame, 1)] as const;
  const sections = planOf(frame, themes[0].bars);
  const end = sections.at(-1)!;
  const length = end.at + end.bars * frame.beats;
  const spans = sections.flatMap((section) => sliceOf(themes[section.theme], section, frame.beats));
  const home = homeChord(frame, themes[0].spans);
  return {
    sections,
    bars: [...barsOf(sections, frame.beats), finalBar(length, frame.beats, end)],
    spans: [...spans, { ...home, at: length, length: frame.beats }],
    tune: [...tuneOf(frame, themes, sections), ...lastNote(themes[0].tune, frame, length)],
    length: length + frame.beats,
  };
}

/** Pitch classes of the key. */
export const keyOf = ({ mode, tonic }: Pick<Frame, "mode" | "tonic">): number[] =>
  scales[mode].map((step) => mod12(step + tonic));

// --- internal ---

interface Theme {
  readonly bars: number;
  readonly spans: readonly Span[];
  readonly tune: readonly Event[];
}

/** Two sentences of four bars, or three in blues. The second often begins like the first. */
function themeOf(frame: Frame, which: 0 | 1): Theme {
  const { beats, bpm, mode, style, tonic } = frame;
  const dice = new Dice(frame.seed, `chords ${which}`);
  const written = chordsOf(dice, frame);
  const length = 4 * beats;
  const sentences = written.map((numerals, i) => spansOf(numerals, tonic, i * length, length));
  const spans = sentences.flat();
  const { range } = frame;
  if (range === undefined) return { bars: 4 * sentences.length, spans, tune: [] };

  const voiceDice = new Dice(frame.seed, `tune ${which}`);
  const how: Singing = {
    motif: motifOf(voiceDice, cellsOf(frame), bpm, beats),
    card: style.melody,
    plan: voiceDice.weighted(style.melody.plan),
    mode,
    tonic,
    scale: keyOf(frame),
    range,
    height: which === 0 ? 0.38 : 0.5,
    beats,
  };
  const tunes: Event[][] = [];
  for (const [i, chords] of sentences.entries()) {
    const local = chords.map((span) => ({ ...span, at: span.at - i * length }));
    const ending = endingOf(written[i]!, frame.isLoop);
    // The same dice: a sentence over the same chords begins with the same tune, and ends as its chords do.
    const tune = sing(new Dice(frame.seed, `sentence ${which}`), how, local, ending);
    tunes.push(tune.map((note) => ({ ...note, at: note.at + i * length })));
  }
  return { bars: 4 * sentences.length, spans, tune: tunes.flat() };
}

/** The tonic as it was heard. */
function homeChord({ mode, tonic }: Frame, spans: readonly Span[]): Harmony {
  const heard = spans.find(({ bass, root }) => root === tonic && bass === tonic);
  return heard ?? readRoman(homeOf(mode) === "minor" ? "i" : "I", tonic);
}

/** What swings has its triplets already. */
function cellsOf({ style, swing }: Frame): readonly string[] {
  const even = style.melody.cells.filter((name) => name !== "jig");
  return swing.by > 0 ? even : style.melody.cells;
}

/** Numerals of each sentence of a theme. */
function chordsOf(dice: Dice, frame: Frame): string[][] {
  const { mode, style } = frame;
  const card: HarmonyCard = style.harmony;
  const bar = (frame.beats * 60) / frame.bpm;
  const isQuick = bar > 2.7 || (bar > 1.7 && card.blues === undefined && card.rounds === undefined && dice.chance(0.3));
  const count = frame.beats === 4 && isQuick ? 8 : 4;
  const coloured = (numerals: readonly string[]) => colour(dice, numerals, card.colour, mode);
  if (frame.isLoop) {
    const numerals = coloured(loop(dice, card, mode, count));
    return [numerals, numerals];
  }
  if (card.blues !== undefined && count === 4 && (mode === "major" || mode === "minor")) {
    const twelve = coloured(dice.pick(card.blues[mode]).split(" "));
    return [0, 4, 8].map((at) => twelve.slice(at, at + 4));
  }
  if (card.rounds && frame.beats === 4) {
    const four = coloured(sentence(dice, card, mode, 4, "turn"));
    const round = count === 8 ? [...four, ...four] : four;
    return [round, round];
  }
  const first = coloured(sentence(dice, card, mode, count, dice.chance(0.6) ? "turn" : "close"));
  const second = coloured(sentence(dice, card, mode, count, "close"));
  if (dice.chance(0.3)) return [first, first];
  if (dice.chance(0.6)) return [first, [...first.slice(0, count / 2), ...second.slice(count / 2)]];
  return [first, second];
}

function endingOf(numerals: readonly string[], isLoop: boolean): Ending {
  if (isLoop) return "loop";
  return /^[Ii](?![IiVv])/.test(numerals.at(-1)!) ? "close" : "turn";
}

/** Sections with their times, as many as last long enough. */
function planOf(frame: Frame, unit: number): Piece["sections"] {
  const dice = new Dice(frame.seed, "form");
  const bar = (frame.beats * 60) / frame.bpm;
  const themes = bar > 2.9 ? Math.min(unit, 4) : unit;
  const sections = sectionsOf(dice, frame.form, themes);
  const lasts = (all: readonly Section[]) => all.reduce((sum, { bars }) => sum + bars, 0) * bar;
  while (lasts(sections) < frame.seconds)
    sections.push(...sections.filter(({ name }) => name !== "intro" && name !== "outro"));
  let at = 0;
  return sections.map((section) => {
    const placed = { ...section, resting: frame.isSmall ? [] : section.resting, at };
    at += section.bars * frame.beats;
    return placed;
  });
}

/** A section's chords: its theme's, from the start, again and again. */
function sliceOf(theme: Theme, section: Section & { at: number }, beats: number): Span[] {
  return repeated(theme, section, beats, ({ spans }) => spans).map((span) => {
    const end = Math.min(span.at + span.length, section.at + section.bars * beats);
    return { ...span, length: end - span.at };
  });
}

function tuneOf(frame: Frame, themes: readonly [Theme, Theme], sections: Piece["sections"]): Event[] {
  const dice = new Dice(frame.seed, "variation");
  const heard = new Set<number>();
  return sections.flatMap((section) => {
    if (section.resting.includes("lead")) return [];
    const theme = themes[section.theme];
    const notes = repeated(theme, section, frame.beats, ({ tune }) => tune);
    const again = heard.has(section.theme);
    heard.add(section.theme);
    const end = section.at + section.bars * frame.beats;
    const loud = 0.86 + 0.14 * section.energy;
    const sung = notes.map((note) => ({
      ...note,
      length: Math.min(note.length, end - note.at),
      force: note.force * loud,
    }));
    return again ? embellish(dice, sung, keyOf(frame)) : sung;
  });
}

function repeated<T extends { readonly at: number }>(
  theme: Theme,
  section: Section & { readonly at: number },
  beats: number,
  of: (theme: Theme) => readonly T[],
): T[] {
  const found: T[] = [];
  const end = section.bars * beats;
  for (let from = 0; from < end; from += theme.bars * beats)
    for (const item of of(theme))
      if (from + item.at < end - 1e-6) found.push({ ...item, at: section.at + from + item.at });
  return found;
}

function barsOf(sections: Piece["sections"], beats: number): Bar[] {
  return sections.flatMap((section) =>
    Array.from({ length: section.bars }, (_, i) => ({
      at: section.at + i * beats,
      beats,
      theme: section.theme,
      energy: section.energy,
      resting: section.resting,
      ends: i === section.bars - 1 ? ("section" as const) : i % 4 === 3 ? ("sentence" as const) : undefined,
      isFirst: i === 0,
      isFinal: false,
    })),
  );
}

const finalBar = (at: number, beats: number, { theme }: Section): Bar => ({
  at,
  beats,
  theme,
  energy: 0.9,
  resting: [],
  ends: undefined,
  isFirst: false,
  isFinal: true,
});

/** The tonic, in the octave in which the tune was. */
function lastNote(tune: readonly Event[], frame: Frame, at: number): Event[] {
  const { range, tonic } = frame;
  if (range === undefined) return [];
  const before = tune.at(-1)?.pitch ?? range[0];
  const pitch = before + ((mod12(tonic - before) + 5) % 12) - 5;
  const sung = pitch < range[0] ? pitch + 12 : pitch > range[1] ? pitch - 12 : pitch;
  return [{ at, length: frame.beats, pitch: sung, force: 0.8 }];
}
