/** @file What is known of a clip because it was composed, as numbers for training and judging (`Entry.labels`). */

import type { Score } from "./score.js";

/** Times in seconds from the clip's start, rounded to milliseconds. */
export interface Labels {
  readonly seed: number;
  readonly style: string;
  readonly bpm: number;
  /** [at, bpm] where the tempo changes. */
  readonly tempo: readonly (readonly [number, number])[];
  readonly metre: readonly [number, number];
  /** 0 = C; null where the harmony does not state one. */
  readonly key: number | null;
  readonly mode: string;
  /** [at, root, quality] */
  readonly chords: readonly (readonly [number, number, string])[];
  /** [at, name] */
  readonly sections: readonly (readonly [number, string])[];
  readonly parts: readonly PartLabel[];
  readonly drums: boolean;
  /** Notes a second, of all parts but drums. */
  readonly density: number;
  /** LUFS */
  readonly loudness: number;
  readonly production: Score["production"];
  /** [at, duration, pitch] of the lead; before the clip's start, cut to it. */
  readonly melody: readonly (readonly [number, number, number])[];
  readonly beats: readonly number[];
  /** As the captions have it. */
  readonly mood: unknown;
}

export interface PartLabel {
  readonly role: string;
  readonly family: string;
  readonly name: string;
  /** General MIDI's; null for a synthesiser of ours. */
  readonly program: number | null;
  readonly synth: string | null;
  /** null for a synthesiser of ours. */
  readonly font: string | null;
  /** How many of its notes sound in the clip. */
  readonly notes: number;
}

/** @param playedBy the font of each part; @param loudness as measured, LUFS */
export function labelsOf(
  score: Score,
  playedBy: readonly (string | undefined)[],
  loudness: number,
  mood: unknown,
): Labels {
  const sounding = score.parts.map(({ notes }) =>
    notes.filter(({ at, duration }) => at < score.seconds && at + duration > 0),
  );
  const pitched = score.parts.map((part, i) => (part.role === "drums" ? 0 : sounding[i]!.length));
  const lead = score.parts.findIndex(({ role }) => role === "lead");
  return {
    seed: score.seed,
    style: score.style,
    bpm: thousandths(score.bpm),
    tempo: score.tempo.map(({ at, bpm }) => [thousandths(at), thousandths(bpm)]),
    metre: score.metre,
    key: score.key ?? null,
    mode: score.mode,
    chords: score.chords.map(({ at, root, quality }) => [thousandths(at), root, quality]),
    sections: score.sections.map(({ at, name }) => [thousandths(at), name]),
    parts: score.parts.map((part, i) => ({
      role: part.role,
      family: part.family,
      name: part.name,
      program: part.sound.kind === "synth" ? null : part.sound.program,
      synth: part.sound.kind === "synth" ? part.sound.name : null,
      font: playedBy[i] ?? null,
      notes: sounding[i]!.length,
    })),
    drums: score.parts.some((part, i) => part.role === "drums" && sounding[i]!.length > 0),
    density: thousandths(pitched.reduce((sum, count) => sum + count, 0) / score.seconds),
    loudness: thousandths(loudness),
    production: score.production,
    melody: (sounding[lead] ?? []).map(({ at, duration, pitch }) => {
      const from = Math.max(0, at);
      return [thousandths(from), thousandths(Math.min(score.seconds, at + duration) - from), pitch];
    }),
    beats: score.beats.map(thousandths),
    mood,
  };
}

// --- internal ---

const thousandths = (x: number): number => Math.round(1000 * x) / 1000;
