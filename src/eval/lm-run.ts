/**
 * @file What a language model makes of words: how much of what prompts ask for can be heard in the pieces, whether one
 * changed word changes the music, how far the pieces are from true renders as a whole, and whether they repeat them
 * (data.md §6.2).
 */

import { TokenCache, tokenFormat } from "../data/token-cache.js";
import type { MusicModel } from "../model.js";
import type { Folder, Runtime } from "../platform/platform.js";
import { bootstrap, scaled } from "./accuracy.js";
import { type Distances, distances, hearThrough, scores } from "./ceilings.js";
import { clipsOf, spread } from "./clips.js";
import { type Composing, composeAll, hearCodes, modelKey } from "./composed.js";
import { type Following, following } from "./follow.js";
import { impressionsOf, type Progress } from "./impressions.js";
import { type Judged, judge, judgesOf, type Teaching } from "./judges.js";
import { placesOf, recall } from "./matcher.js";
import { type Asked, choosePrompts, moved, type Swap, swapsOf } from "./prompts.js";
import { findRepeats, type Repeats } from "./repeats.js";
import { attributes } from "./truth.js";
import { type Surprise, surprise } from "./validation.js";

/** One attribute. */
export interface Control {
  readonly accuracy: number;
  /** Of the pieces, against what the other prompts asked for. */
  readonly chance: number;
  /** Of true renders of the same prompts, through the model's codec. */
  readonly ceiling: number;
  /** 0 for chance, 1 for the ceiling. */
  readonly scaled: number;
  /** The middle 95 % of `scaled`, by drawing prompts anew. */
  readonly interval: readonly [number, number];
  /** `scaled`, of the prompts in words that training never saw. */
  readonly heldOut: number;
  readonly count: number;
}

export interface LmReport {
  readonly kind: "lm";
  readonly model: string;
  readonly data: string;
  readonly seconds: number;
  readonly prompts: number;
  readonly control: Readonly<Record<string, Control>>;
  /** Of the attributes in `counted`: the mean of `scaled`. */
  readonly mean: { readonly scaled: number; readonly interval: readonly [number, number] };
  readonly swaps: Readonly<Record<string, { readonly moved: number; readonly pairs: number }>>;
  /** To the held-out renders; the floor is between halves of those, the codec's those renders coded and decoded. */
  readonly distance: { readonly made: Distances; readonly codec: Distances; readonly floor: Distances };
  readonly recall: Readonly<Record<"made" | "renders", { readonly first: number; readonly firstFive: number }>>;
  /** Of the pieces, and of held-out renders for comparison; undefined where there are no tokens of the training clips. */
  readonly repeats: { readonly made: Repeats; readonly renders: Repeats } | undefined;
  readonly surprise: Surprise | undefined;
  readonly following: Following | undefined;
}

export interface LmOptions extends Teaching {
  /** Held-out clips that the pieces as a whole are held against. */
  readonly tests: number;
  /** What is asked for. */
  readonly prompts: number;
  /** Pairs of each kind. */
  readonly swaps: number;
  /** Tunes that melody models are given. */
  readonly tunes: number;
  /** Pieces composed at a time. */
  readonly batch: number;
  /** Where codes of pieces are kept. */
  readonly keep: string | undefined;
}

/** The attributes that make the mean. */
export const counted = ["tempo", "drums", "mode", "genre", "lead"] as const;

/** @param folder the model's */
export async function* evaluateLm(
  runtime: Runtime,
  model: MusicModel,
  folder: Folder,
  data: string,
  options: LmOptions,
): AsyncGenerator<Progress, LmReport> {
  const { seconds, threads, signal } = options;
  const judges = yield* judgesOf(runtime, data, options);
  try {
    const clips = await clipsOf(data, "test");
    const asked = choosePrompts(clips, options.prompts);
    const composing: Composing = {
      ...{ seconds, signal, batch: options.batch, folder: options.keep },
      key: await modelKey(model),
    };
    const made = yield* composeAll(model, "composing what prompts ask for", asked, composing);
    const pieces = await hearCodes(model, made, threads, signal);
    const judged = await judge(runtime, judges, pieces);
    const chosen = asked.map(({ clip }) => clip);
    const coded = await judge(runtime, judges, yield* hearThrough(model, chosen, options));
    const renders = yield* impressionsOf(data, spread(clips, options.tests), options);
    const reference = await judge(runtime, judges, renders);

    const swaps = swapsOf(asked, options.swaps);
    const wishes = swaps.flatMap(({ prompts, seed }) => prompts.map((prompt) => ({ prompt, seed })));
    const pairs = yield* composeAll(model, "composing pairs that differ in a word", wishes, composing);
    const heard = await judge(runtime, judges, await hearCodes(model, pairs, threads, signal));

    const trueSounds = yield* impressionsOf(data, chosen, options);
    const rank = async (sounds: typeof pieces) =>
      recall(
        await placesOf(
          runtime,
          judges.matcher,
          sounds.map(({ features }) => features),
          asked.map(({ prompt }) => prompt),
        ),
        Math.min(32, asked.length),
      );
    const tuned = model.chroma;
    return {
      ...{ kind: "lm", model: model.name, data, seconds, prompts: asked.length },
      ...controlOf(asked, judged, coded),
      swaps: countMoved(swaps, heard),
      distance: {
        made: distances(judged, reference),
        codec: distances(coded, reference),
        floor: distances(
          reference.filter((_, i) => i % 2 === 0),
          reference.filter((_, i) => i % 2 === 1),
        ),
      },
      recall: { made: await rank(pieces), renders: await rank(trueSounds) },
      repeats: yield* repeatsOf(model, data, made, options),
      surprise: yield* surpriseOf(runtime, model, folder, data, options),
      following: tuned && (yield* following(model, tuned, asked, options.tunes, composing)),
    };
  } finally {
    await judges.classifier.dispose();
  }
}

/** @param judged, coded the pieces, and true renders of the same prompts through the codec; one for each of `asked` */
export function controlOf(
  asked: readonly Asked[],
  judged: readonly Judged[],
  coded: readonly Judged[],
): Pick<LmReport, "control" | "mean"> {
  const truths = asked.map(({ truth }) => truth);
  const found = scores(
    truths,
    judged.map(({ verdict }) => verdict),
  );
  const rows = Object.entries(attributes).map(([name, agrees]) => {
    const hits = (heard: readonly Judged[]) => heard.map(({ verdict }, i) => agrees(truths[i]!, verdict));
    const [made, most] = [hits(judged), hits(coded)];
    const { chance, accuracy, count } = found[name]!;
    const over = (chosen: readonly number[]) => scaled(share(made, chosen), chance, share(most, chosen));
    return { name, accuracy, chance, count, over, ceiling: share(most, [...most.keys()]) };
  });
  const all = [...asked.keys()];
  const heldOut = all.filter((i) => asked[i]!.heldOut);
  const control = Object.fromEntries(
    rows.map(({ name, over, ...row }) => [
      name,
      { ...row, scaled: over(all), interval: bootstrap(all.length, over), heldOut: over(heldOut) },
    ]),
  );
  const means = rows.filter(({ name }) => (counted as readonly string[]).includes(name));
  const mean = (chosen: readonly number[]) => means.reduce((sum, { over }) => sum + over(chosen), 0) / means.length;
  return { control, mean: { scaled: mean(all), interval: bootstrap(all.length, mean) } };
}

// --- internal ---

/** Seconds of a stretch that may be a repeat. */
const stretch = 3;

function share(hits: readonly (boolean | undefined)[], chosen: readonly number[]): number {
  const known = chosen.flatMap((i) => hits[i] ?? []);
  return known.filter(Boolean).length / known.length;
}

/** @param heard two for each swap */
function countMoved(swaps: readonly Swap[], heard: readonly Judged[]): LmReport["swaps"] {
  const counts: Record<string, { moved: number; pairs: number }> = {};
  for (const [i, swap] of swaps.entries()) {
    const before = counts[swap.kind] ?? { moved: 0, pairs: 0 };
    const hit = moved(swap, heard[2 * i]!, heard[2 * i + 1]!);
    counts[swap.kind] = { moved: before.moved + +hit, pairs: before.pairs + 1 };
  }
  return counts;
}

async function* repeatsOf(
  model: MusicModel,
  data: string,
  made: Parameters<typeof findRepeats>[0],
  { prompts, signal }: LmOptions,
): AsyncGenerator<Progress, LmReport["repeats"]> {
  yield { what: "looking for repeats of training clips", done: 0, of: 1 };
  const cache = await TokenCache.open(data, await tokenFormat(model));
  try {
    const tokensOf = async function* (split: "train" | "test", most: number) {
      for (const { entry } of (await clipsOf(data, split)).slice(0, most)) {
        signal?.throwIfAborted();
        if (cache.has(entry)) yield (await cache.tokens(entry)).codes;
      }
    };
    const frames = Math.round(stretch * model.codec.frameRate);
    const known = () => tokensOf("train", Number.POSITIVE_INFINITY);
    const renders = await collected(tokensOf("test", prompts));
    if (renders.length === 0) return undefined;
    return { made: await findRepeats(made, known(), frames), renders: await findRepeats(renders, known(), frames) };
  } finally {
    await cache.close();
  }
}

async function* surpriseOf(
  runtime: Runtime,
  model: MusicModel,
  folder: Folder,
  data: string,
  { signal }: LmOptions,
): AsyncGenerator<Progress, Surprise | undefined> {
  yield { what: "held-out clips, step by step", done: 0, of: 1 };
  const format = await tokenFormat(model);
  const cache = await TokenCache.open(data, format);
  const valid = await clipsOf(data, "valid").finally(() => cache.close());
  return valid.every(({ entry }) => cache.has(entry)) ? surprise(runtime, folder, data, format, signal) : undefined;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
