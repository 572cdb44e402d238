/**
 * @file How well the judges hear what is true of renders that they never heard: the most that a model can be seen to do,
 * beside what luck does. Without these, no score means anything (data.md §6.1).
 */

import type { CodecModel } from "../model.js";
import type { Runtime } from "../platform/platform.js";
import { score } from "./accuracy.js";
import { type Clip, clipsOf, spread } from "./clips.js";
import { throughModel } from "./codec-run.js";
import { frechet, frechetDiagonal, normalOf } from "./frechet.js";
import type { Impression } from "./hear-clip.js";
import { hearAll, impressionsOf, type Progress } from "./impressions.js";
import { type Judged, type Judges, judge, judgesOf, type Teaching } from "./judges.js";
import { placesOf, recall } from "./matcher.js";
import { answersOf, attributes, type Truth, truthOf, type Verdict } from "./truth.js";

/** One attribute, heard in one set of sounds. */
export interface Ceiling {
  readonly accuracy: number;
  /** Share of clips that agree with what is true of other clips. */
  readonly chance: number;
  /** Clips of which the attribute is known. */
  readonly count: number;
}

export interface Distances {
  readonly diagonal: number;
  readonly full: number;
}

/** A set of sounds, as the judges hear it. */
export interface HeardSet {
  readonly name: string;
  readonly ceilings: Readonly<Record<string, Ceiling>>;
  /** Of sounds, among the captions of 32: whose own comes first, or among the first five. */
  readonly recall: { readonly first: number; readonly firstFive: number };
  /** To the renders as they were. Of those: between two halves of them, the floor. */
  readonly distance: Distances;
  /** For each answer that the classifier can give: clips of which it is true, and those heard so. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, readonly [heard: number, clips: number]>>>>;
}

export interface DataReport {
  readonly kind: "data";
  readonly data: string;
  /** Clips that taught the judges. */
  readonly taught: number;
  readonly clips: number;
  /** The share of clips with the commonest answer, where answers can be counted. */
  readonly majority: Readonly<Record<string, number>>;
  readonly sets: readonly HeardSet[];
}

export interface CeilingOptions extends Teaching {
  /** Test clips that are judged, at most. */
  readonly tests: number;
  /** Also through this codec. */
  readonly codec?: CodecModel | undefined;
  /** Also the tests of this data set, of other instruments, say. */
  readonly other?: string | undefined;
}

export async function* ceilings(
  runtime: Runtime,
  folder: string,
  options: CeilingOptions,
): AsyncGenerator<Progress, DataReport> {
  const judges = yield* judgesOf(runtime, folder, options);
  try {
    const clips = spread(await clipsOf(folder, "test"), options.tests);
    const impressions = yield* impressionsOf(folder, clips, options);
    const reference = await judge(runtime, judges, impressions);
    const sets = [await heardSet(runtime, judges, "renders", clips, impressions, reference)];
    if (options.codec !== undefined) {
      const coded = yield* hearThrough(options.codec, clips, options);
      sets.push(await heardSet(runtime, judges, `through ${options.codec.name}`, clips, coded, reference));
    }
    if (options.other !== undefined) {
      const others = spread(await clipsOf(options.other, "test"), options.tests);
      const heard = yield* impressionsOf(options.other, others, options);
      sets.push(await heardSet(runtime, judges, options.other, others, heard, reference));
    }
    const majority = majorities(clips.map(({ entry }) => truthOf(entry)));
    return { kind: "data", data: folder, taught: judges.taught, clips: clips.length, majority, sets };
  } finally {
    await judges.classifier.dispose();
  }
}

/** Clips coded and decoded, as the judges hear them. */
export async function* hearThrough(
  codec: CodecModel,
  clips: readonly Clip[],
  { seconds, threads, signal }: Teaching,
): AsyncGenerator<Progress, Impression[]> {
  const heard: Impression[] = [];
  for (let start = 0; start < clips.length; start += threads) {
    const sounds = [];
    for (const clip of clips.slice(start, start + threads)) {
      signal?.throwIfAborted();
      sounds.push((await throughModel(codec, await clip.load(codec.codec.sampleRate, seconds), signal)).sound);
    }
    for await (const each of hearAll(
      sounds.map((sound) => ({ sound, seconds })),
      threads,
      signal,
    ))
      heard.push(each);
    yield { what: "hearing clips through the codec", done: heard.length, of: clips.length };
  }
  return heard;
}

/** @param reference the renders as they were, judged: where distances are measured to */
export async function heardSet(
  runtime: Runtime,
  judges: Judges,
  name: string,
  clips: readonly Clip[],
  impressions: readonly Impression[],
  reference: readonly Judged[],
): Promise<HeardSet> {
  const judged = await judge(runtime, judges, impressions);
  const truths = clips.map(({ entry }) => truthOf(entry));
  const captioned = clips.flatMap(({ entry }, i) =>
    entry.info.description === null ? [] : [{ text: entry.info.description, features: impressions[i]!.features }],
  );
  const places = await placesOf(
    runtime,
    judges.matcher,
    captioned.map(({ features }) => features),
    captioned.map(({ text }) => text),
  );
  const isReference =
    impressions.length === reference.length && judged.every(({ hidden }, i) => same(hidden, reference[i]!.hidden));
  return {
    name,
    ceilings: scores(
      truths,
      judged.map(({ verdict }) => verdict),
    ),
    recall: recall(places, 32),
    distance: isReference ? distances(even(judged), odd(judged)) : distances(judged, reference),
    answers: tally(truths, judged),
  };
}

/** Every attribute, for sounds that should be what `truths` say. */
export const scores = (truths: readonly Truth[], verdicts: readonly Verdict[]): Record<string, Ceiling> =>
  Object.fromEntries(Object.entries(attributes).map(([name, agrees]) => [name, score(truths, verdicts, agrees)]));

/** Between two sets of clips in the classifier's hidden layer; NaN where there are too few to have a distribution. */
export function distances(a: readonly Judged[], b: readonly Judged[]): Distances {
  if (a.length < 2 || b.length < 2) return { diagonal: Number.NaN, full: Number.NaN };
  const [p, q] = [a, b].map((set) => normalOf(set.map(({ hidden }) => hidden)));
  return { diagonal: frechetDiagonal(p!, q!), full: frechet(p!, q!) };
}

// --- internal ---

const even = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % 2 === 0);
const odd = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % 2 === 1);
const same = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => value === b[i]);

function tally(truths: readonly Truth[], judged: readonly Judged[]): HeardSet["answers"] {
  const counts: Record<string, Record<string, [number, number]>> = {};
  for (const [i, truth] of truths.entries())
    for (const [question, answer] of Object.entries(answersOf(truth))) {
      if (answer === undefined) continue;
      const rows = counts[question] ?? {};
      const [heard, clips] = rows[answer] ?? [0, 0];
      rows[answer] = [heard + +(judged[i]!.verdict.answers[question] === answer), clips + 1];
      counts[question] = rows;
    }
  return counts;
}

/** By the names of `attributes`. */
function majorities(truths: readonly Truth[]): Record<string, number> {
  const share = (question: string) => {
    const known = truths.flatMap((truth) => answersOf(truth)[question] ?? []);
    const counts = new Map<string, number>();
    for (const answer of known) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    return Math.max(...counts.values()) / known.length;
  };
  return { drums: share("drums"), mode: share("mode"), genre: share("style"), lead: share("lead") };
}
