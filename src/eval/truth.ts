/** @file What is true of a clip of the recipe, as the judges are asked for it, and whether what they heard agrees. */

import { z } from "#zod";
import type { Entry } from "../data/manifest.js";
import { type Family, families } from "../recipe/score.js";
import { styleNames } from "../recipe/words.js";
import type { Question } from "./classifier.js";
import type { KeyEstimate } from "./key.js";
import { sameTempo } from "./tempo.js";

/** What is known of a clip, or asked of one. What is not stated is undefined, and not judged. */
export interface Truth {
  readonly style?: string | undefined;
  readonly bpm?: number | undefined;
  /** 0 = C */
  readonly key?: number | undefined;
  readonly mode?: "major" | "minor" | undefined;
  readonly drums?: boolean | undefined;
  readonly lead?: Family | undefined;
}

/** What the judges say of a clip. */
export interface Verdict {
  /** By the rule of tempo.ts; half, whole or double as the classifier says. */
  readonly bpm: number;
  /** By the rule of key.ts. */
  readonly ruled: KeyEstimate;
  /** As it was learnt. */
  readonly key: KeyEstimate;
  /** By the classifier, for each of `questions`. */
  readonly answers: Readonly<Record<string, string>>;
}

/** Families that sound alike, in one font or from font to font, are one answer (data.md §6.1). */
const merged: Partial<Record<Family, string>> = {
  "acoustic guitar": "guitar",
  "electric guitar": "guitar",
  "distorted guitar": "guitar",
  organ: "organ or reed",
  saxophone: "organ or reed",
  clarinet: "organ or reed",
  "electric piano": "piano",
  violin: "strings",
};

export const mergedFamily = (family: Family): string => merged[family] ?? family;

/** Where one pace ends and the next begins, in quarter notes a minute. */
const paces = [56, 68, 83, 100, 122, 148, 180];
export const paceOf = (bpm: number): string => String(paces.filter((edge) => bpm >= edge).length);

/** What the classifier learns to answer. */
export const questions: readonly Question[] = [
  { name: "style", answers: Object.keys(styleNames) },
  {
    name: "lead",
    answers: [...new Set(families.filter((family) => family !== "drums" && family !== "bass").map(mergedFamily))],
  },
  { name: "drums", answers: ["yes", "no"] },
  { name: "mode", answers: ["major", "minor"] },
  { name: "pace", answers: [...Array(paces.length + 1).keys()].map(String) },
];

/** Which of three tempi, an octave apart, is meant. @param likelihoods of the answers to "pace" */
export function withPace(bpm: number, likelihoods: Float32Array): number {
  const likely = (tempo: number) => likelihoods[Number(paceOf(tempo))]!;
  return [bpm / 2, 2 * bpm].reduce((best, each) => (likely(each) > likely(best) ? each : best), bpm);
}

/** A truth as answers to `questions`. */
export const answersOf = ({ style, lead, drums, mode, bpm }: Truth): Record<string, string | undefined> => ({
  style,
  lead: lead && mergedFamily(lead),
  drums: drums === undefined ? undefined : drums ? "yes" : "no",
  mode,
  pace: bpm === undefined ? undefined : paceOf(bpm),
});

/** The attributes that are reported, each with when a verdict agrees with a truth; undefined where nothing was stated. */
export const attributes: Readonly<Record<string, (truth: Truth, verdict: Verdict) => boolean | undefined>> = {
  tempo: ({ bpm }, heard) => (bpm === undefined ? undefined : sameTempo(heard.bpm, bpm, tempoTolerance)),
  "tempo (octaves allowed)": ({ bpm }, heard) =>
    bpm === undefined ? undefined : sameTempo(heard.bpm, bpm, tempoTolerance, true),
  drums: (truth, heard) => same(answersOf(truth).drums, heard.answers.drums),
  mode: ({ mode }, heard) => same(mode, heard.key.mode),
  "mode (by rule)": ({ mode }, heard) => same(mode, heard.ruled.mode),
  key: ({ key, mode }, heard) => sameKey(key, mode, heard.key),
  "key (by rule)": ({ key, mode }, heard) => sameKey(key, mode, heard.ruled),
  genre: ({ style }, heard) => same(style, heard.answers.style),
  lead: (truth, heard) => same(answersOf(truth).lead, heard.answers.lead),
};

/**
 * What the recipe knows of a clip. A tempo that changes, a mode beside major and minor, and a lead that hardly plays are
 * not stated. Empty for a clip without the recipe's labels.
 */
export function truthOf({ labels }: Pick<Entry, "labels">): Truth {
  const parsed = Labels.safeParse(labels);
  if (!parsed.success) return {};
  const { style, bpm, tempo, key, mode, drums, parts } = parsed.data;
  const steady = tempo.every(([, at]) => Math.abs(at / bpm - 1) < 0.02);
  const lead = parts.find(({ role, notes }) => role === "lead" && notes >= fewestNotes);
  return {
    style,
    drums,
    ...(steady ? { bpm } : {}),
    ...(key !== null && (mode === "major" || mode === "minor") ? { key, mode } : {}),
    ...(lead ? { lead: lead.family } : {}),
  };
}

// --- internal ---

const tempoTolerance = 0.08;
const fewestNotes = 4;

const sameKey = (key: number | undefined, mode: string | undefined, heard: KeyEstimate): boolean | undefined =>
  key === undefined || mode === undefined ? undefined : key === heard.tonic && mode === heard.mode;

const same = (asked: string | undefined, heard: string | undefined): boolean | undefined =>
  asked === undefined ? undefined : asked === heard;

/** Of the recipe's labels (src/recipe/labels.ts), what is judged. */
const Labels = z.object({
  style: z.string(),
  bpm: z.number().positive(),
  tempo: z.array(z.tuple([z.number(), z.number()])),
  key: z.int().min(0).max(11).nullable(),
  mode: z.string(),
  drums: z.boolean(),
  parts: z.array(z.object({ role: z.string(), family: z.enum(families), notes: z.int() })),
});
