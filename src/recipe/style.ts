/** @file What a style card says: everything by which a rock song differs from a waltz, as data. */

import type { Form } from "./form.js";
import type { HarmonyCard } from "./harmony.js";
import type { Family, Mode, Production } from "./score.js";

export const styleIds = [
  "rock",
  "metal",
  "pop",
  "funk",
  "blues",
  "jazz",
  "latin",
  "reggae",
  "folk",
  "waltz",
  "classical",
  "piano",
  "ambient",
  "house",
  "hiphop",
  "chiptune",
] as const;
export type StyleId = (typeof styleIds)[number];

/** A way to fill an accompanying part: one of these instruments, playing one of these figures. */
export interface Layer {
  /** Families, names of instruments, or "same": what the lead plays. */
  readonly by: readonly string[];
  /** Names in `figures`. */
  readonly figures: readonly string[];
}

export interface MelodyCard {
  /** Names in `cells`. */
  readonly cells: readonly string[];
  readonly scale: "full" | "pentatonic" | "blues" | "chromatic";
  readonly plan: Readonly<Partial<Record<"period" | "sequence" | "riff" | "sparse", number>>>;
  /** How much of its time a note sounds. */
  readonly gate: number;
}

export interface Style {
  /** Quarter notes a minute. */
  readonly tempo: readonly [low: number, high: number];
  /** How often it is in three-four. */
  readonly three: number;
  /** How often it swings, what (eighths: 0.5 of a quarter note, sixteenths: 0.25), and by how much of a quarter note the second comes late. */
  readonly swing: { readonly chance: number; readonly unit: 0.5 | 0.25; readonly by: readonly [number, number] };
  readonly modes: Readonly<Partial<Record<Mode, number>>>;
  readonly harmony: HarmonyCard;
  readonly drums: {
    readonly chance: number;
    readonly kits: Readonly<Record<string, number>>;
    readonly grooves: readonly string[];
    readonly three: readonly string[];
    readonly fills: "four" | "roll" | "small" | "electric" | "latin" | "marching";
  };
  readonly bass: {
    readonly chance: number;
    /** Names of instruments. */
    readonly by: readonly string[];
    readonly lines: readonly string[];
  };
  readonly chords: readonly Layer[];
  /** Beside the chords, each with its chance. */
  readonly extra: readonly (Layer & { readonly role: "pad" | "counter" | "chords"; readonly chance: number })[];
  readonly leads: readonly Family[];
  /** Names of instruments that lead rather than others of their family. */
  readonly prefers?: readonly string[];
  /** How often any family at all may lead. */
  readonly strange: number;
  readonly melody: MelodyCard;
  readonly forms: readonly Form[];
  /** Mean loudness of notes, 0 to 1. */
  readonly dynamics: number;
  /** Standard deviation of when notes come, in milliseconds. */
  readonly looseness: number;
  /** How often there are only one or two players. */
  readonly alone: number;
  readonly production: {
    readonly reverb: Readonly<Partial<Record<Production["reverb"], number>>>;
    readonly delay: number;
    readonly saturation: readonly [number, number];
    readonly lofi: number;
    readonly loudness: readonly [number, number];
  };
}
