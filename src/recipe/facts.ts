/**
 * @file What is true of a score, as far as a caption may say it. What is doubtful is left undefined, and then nobody
 * claims it.
 */

import type { Family, Mode, Part, Score } from "./score.js";

/** Both from 0 to 1: sad to happy, calm to wild. */
export interface Mood {
  readonly valence: number;
  readonly energy: number;
}

export interface Instrument {
  readonly family: Family;
  /** Its own name, such as "nylon guitar". */
  readonly name?: string;
}

/** Enters or leaves, at a second of the clip. */
export interface Event {
  readonly at: number;
  readonly what: readonly Instrument[];
  readonly kind: "in" | "out";
}

export interface Facts {
  readonly style?: string;
  /** Where the tempo changes, the one at the start. */
  readonly bpm?: number;
  readonly change?: "slower" | "faster";
  readonly key?: number;
  readonly mode?: Mode;
  readonly mood?: Mood;
  readonly lead?: Instrument;
  /** Who else plays, drums left out. */
  readonly band?: readonly Instrument[];
  readonly drums?: boolean;
  /** Such as "3/4". */
  readonly metre?: string;
  readonly size?: string;
  readonly density?: "sparse" | "busy";
  readonly sound?: readonly ("lofi" | "hall" | "dry" | "delay")[];
  /** What plays from the first second on, and what changes then. */
  readonly start?: readonly Instrument[];
  readonly events?: readonly Event[];
}

export function factsOf(score: Score): Facts {
  const parts = score.parts.filter((part) => sounding(part, score.seconds) !== undefined);
  const clear = parts.filter((part) => share(part, score.seconds) > 0.2);
  const pitched = clear.filter(({ family }) => family !== "drums");
  const lead = pitched.find(({ role }) => role === "lead");
  const drums = parts.filter(({ family }) => family === "drums");
  const change = changeOf(score);
  const { density } = measures(score);
  const { reverb, delay, lofi } = score.production;
  return {
    style: score.style,
    bpm: score.bpm,
    ...(change && { change }),
    ...(score.key !== undefined && { key: score.key, mode: score.mode }),
    mood: moodOf(score),
    ...(lead && { lead: instrument(lead) }),
    band: distinct(pitched.filter(({ family }) => family !== lead?.family)),
    // A roll in the last bar is neither "with drums" nor "no drums".
    ...(drums.length === 0 ? { drums: false } : drums.some((part) => clear.includes(part)) ? { drums: true } : {}),
    metre: score.metre.join("/"),
    ...sizeOf(parts, clear),
    ...(density < 5 ? { density: "sparse" } : density > 15 ? { density: "busy" } : {}),
    sound: [
      ...(lofi ? (["lofi"] as const) : []),
      ...(reverb === "hall" ? (["hall"] as const) : reverb === "dry" && !delay ? (["dry"] as const) : []),
      ...(delay ? (["delay"] as const) : []),
    ],
    ...formOf(parts, score.seconds),
  };
}

/**
 * Energy grows with the tempo, the number of notes, how hard they are played, and drums; valence with the brightness of
 * the mode, the register of the tune and the tempo. Each is the weighted mean of its causes, each cause from 0 to 1 over
 * the range that scores have, so that every name of a mood is true of some (data.md §7.3).
 */
export function moodOf(score: Score): Mood {
  const { density, velocity, register, drums } = measures(score);
  const pace = range(Math.log(score.bpm), Math.log(56), Math.log(180));
  const brightness = { minor: 0, dorian: 0.3, mixolydian: 0.75, major: 1 }[score.mode];
  const notes = range(Math.log(density + 0.5), Math.log(3), Math.log(25));
  return {
    energy: range(0.35 * pace + 0.3 * notes + 0.15 * velocity + 0.2 * drums, 0.2, 0.85),
    valence: 0.42 * brightness + 0.26 * range(register, 60, 80) + 0.32 * pace,
  };
}

/** Notes a second without drums; how hard they are played, 0 to 1; the tune's mean MIDI number; 1 where there are drums. */
export function measures(score: Score): { density: number; velocity: number; register: number; drums: number } {
  const heard = score.parts.map((part) => ({ part, notes: part.notes.filter((note) => inClip(note, score.seconds)) }));
  const pitched = heard.filter(({ part }) => part.family !== "drums").flatMap(({ notes }) => notes);
  const lead = heard.find(({ part, notes }) => part.role === "lead" && notes.length > 0)?.notes;
  const mean = (values: readonly number[], none: number) =>
    values.length === 0 ? none : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    density: pitched.length / score.seconds,
    velocity: range(
      mean(
        heard.flatMap(({ notes }) => notes.map((note) => note.velocity)),
        64,
      ),
      40,
      110,
    ),
    register: mean(
      (lead ?? pitched).map((note) => note.pitch),
      60,
    ),
    drums: heard.some(({ part, notes }) => part.family === "drums" && notes.length > 0) ? 1 : 0,
  };
}

export const keyNames = {
  sharps: ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"],
  flats: ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"],
} as const;

/** The names that few accidentals in the key's signature give. */
export function keyName(key: number, mode: Mode): string {
  const major = (key + { major: 0, mixolydian: 5, dorian: 10, minor: 3 }[mode]) % 12;
  return keyNames[[2, 4, 7, 9, 11, 6].includes(major) ? "sharps" : "flats"][key]!;
}

// --- internal ---

const range = (x: number, low: number, high: number): number => Math.min(1, Math.max(0, (x - low) / (high - low)));

const inClip = (note: { at: number; duration: number }, seconds: number): boolean =>
  note.at < seconds - 0.05 && note.at + note.duration > 0.05;

/** Seconds of the clip from a part's first sound to its last. */
function sounding(part: Part, seconds: number): { from: number; to: number } | undefined {
  const heard = part.notes.filter((note) => inClip(note, seconds));
  if (heard.length === 0) return undefined;
  const from = Math.max(0, Math.min(...heard.map(({ at }) => at)));
  return { from, to: Math.min(seconds, Math.max(...heard.map(({ at, duration }) => at + duration))) };
}

function share(part: Part, seconds: number): number {
  const span = sounding(part, seconds);
  return span === undefined ? 0 : (span.to - span.from) / seconds;
}

const instrument = ({ family, name }: Part): Instrument => ({ family, name });

function distinct(parts: readonly Part[]): Instrument[] {
  const byFamily = new Map(parts.map((part) => [part.family, instrument(part)]));
  return [...byFamily.values()];
}

function changeOf({ tempo, seconds, bpm }: Score): "slower" | "faster" | undefined {
  const last = tempo.filter(({ at }) => at < seconds).at(-1)?.bpm ?? bpm;
  return last < 0.96 * bpm ? "slower" : last > 1.04 * bpm ? "faster" : undefined;
}

function sizeOf(parts: readonly Part[], clear: readonly Part[]): { size?: string } {
  if (clear.length < parts.length || parts.length === 0) return {};
  const has = (family: Family) => parts.some((part) => part.family === family);
  if (parts.length >= 4 && has("bass") && has("drums")) return { size: "band" };
  // Two parts of one family may be the hands of one player.
  const kinds = new Set(parts.map(({ family }) => family)).size;
  return kinds === parts.length || kinds === 1 ? { size: String(kinds) } : {};
}

/** Who starts, and who comes or goes clearly later: a second and a half after the start, two before the end. */
function formOf(parts: readonly Part[], seconds: number): Pick<Facts, "start" | "events"> {
  const spans = parts.map((part) => ({ part, ...sounding(part, seconds)! }));
  const starting = spans.filter(({ from }) => from < 0.5);
  // What enters soon after the start may be an upbeat to it or an entry: then nothing is said.
  if (starting.length === 0 || spans.some(({ from }) => from >= 0.5 && from < 1.5)) return {};
  const at = (kind: Event["kind"], time: (span: (typeof spans)[number]) => number, counts: typeof spans) =>
    [...new Set(counts.map((span) => Math.round(time(span))))].map((second) => ({
      kind,
      at: second,
      what: distinct(counts.filter((span) => Math.round(time(span)) === second).map(({ part }) => part)),
    }));
  const events = [
    ...at(
      "in",
      ({ from }) => from,
      spans.filter(({ from }) => from >= 1.5),
    ),
    ...at(
      "out",
      ({ to }) => to,
      spans.filter(({ to }) => to < seconds - 2),
    ),
  ].sort((a, b) => a.at - b.at);
  return { start: distinct(starting.map(({ part }) => part)), events };
}
