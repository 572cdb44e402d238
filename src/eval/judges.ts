/**
 * @file The judges of a data set: the classifier, those who find keys, and the matcher of words and sounds, all taught by
 * its training clips. They are kept in DATA/eval; a data set that has changed gets new ones.
 */

import { isFile, makeFolder, openFile, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import type { Runtime } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { readHeader, readTensor, writeSafetensors } from "../weights/safetensors.js";
import { Classifier, type Judgement, learn } from "./classifier.js";
import { type Clip, clipsOf, spread } from "./clips.js";
import type { Impression } from "./hear-clip.js";
import { type Hearing, impressionsOf, type Progress, sha256 } from "./impressions.js";
import { learnMatching, type MatcherWeights } from "./matcher.js";
import { keysOf, learnKeys, type TonalityWeights } from "./tonality.js";
import { answersOf, questions, truthOf, type Verdict, withPace } from "./truth.js";

export interface Judges {
  readonly classifier: Classifier;
  readonly keys: TonalityWeights;
  readonly matcher: MatcherWeights;
  /** How many clips taught them. */
  readonly taught: number;
}

/** A clip as the judges see it. */
export interface Judged {
  readonly verdict: Verdict;
  /** For each of the classifier's questions, how likely each answer is, as logarithms. */
  readonly likelihoods: Judgement["likelihoods"];
  /** Where the clip lies in the classifier's hidden layer. */
  readonly hidden: Float32Array;
}

export interface Teaching extends Hearing {
  /** Training clips that are heard, at most. */
  readonly clips: number;
}

/** The judges of `folder`, taught now if they are not there. Whoever asks disposes of their classifier. */
export async function* judgesOf(
  runtime: Runtime,
  folder: string,
  { clips: most, ...hearing }: Teaching,
): AsyncGenerator<Progress, Judges> {
  const clips = spread(await clipsOf(folder, "train"), most);
  if (clips.filter(({ entry }) => truthOf(entry).style !== undefined).length < fewest)
    throw new HocketError(
      "bad-request",
      `${folder} has fewer than ${fewest} training clips with the recipe's labels: judges cannot be taught by it. Make a data set with 'hocket data make'`,
    );
  const key = await sha256(JSON.stringify([version, hearing.seconds, questions, clips.map(({ entry }) => entry)]));
  const path = `${folder}/eval/judges-${key.slice(0, 16)}.safetensors`;
  const kept = (await readKept(path)) ?? (yield* teach(runtime, folder, clips, hearing, path));
  const part = (name: string) =>
    Object.fromEntries(
      Object.entries(kept).flatMap(([each, value]) =>
        each.startsWith(`${name}/`) ? [[each.slice(name.length + 1), value]] : [],
      ),
    );
  const classifier = await Classifier.of(runtime, { questions, tensors: part("classifier") });
  return { classifier, keys: part("keys"), matcher: part("matcher"), taught: clips.length };
}

export async function judge(runtime: Runtime, judges: Judges, impressions: readonly Impression[]): Promise<Judged[]> {
  if (impressions.length === 0) return [];
  const judgements = await judges.classifier.judge(impressions.map(({ features }) => features));
  const keys = await keysOf(
    runtime,
    judges.keys,
    impressions.map(({ tonal }) => tonal),
  );
  return impressions.map(({ bpm, key }, i) => {
    const { answers, likelihoods, hidden } = judgements[i]!;
    const verdict = { bpm: withPace(bpm, likelihoods.pace!), ruled: key, key: keys[i]!, answers };
    return { verdict, likelihoods, hidden };
  });
}

// --- internal ---

/** Changes when the same clips would teach something else. */
const version = 3;
const fewest = 24;
const seed = 0;

async function* teach(
  runtime: Runtime,
  folder: string,
  clips: readonly Clip[],
  hearing: Hearing,
  path: string,
): AsyncGenerator<Progress, Record<string, Tensor>> {
  const impressions = yield* impressionsOf(folder, clips, hearing);
  const heard = clips.map(({ entry }, i) => ({ entry, truth: truthOf(entry), ...impressions[i]! }));
  const teaching = { seed, epochs: 70, signal: hearing.signal };
  const learning = (done: number) => ({ what: "teaching the judges", done, of: 3 });
  yield learning(0);
  const examples = heard.map(({ features, truth }) => ({ features, truth: answersOf(truth) }));
  const classifier = await learn(runtime, examples, questions, teaching);
  yield learning(1);
  const keyed = heard.flatMap(({ tonal, truth: { key, mode } }) =>
    key === undefined || mode === undefined ? [] : [{ tonal, key: { tonic: key, mode } }],
  );
  const keys = await learnKeys(runtime, keyed, teaching);
  yield learning(2);
  const captioned = heard.map(({ entry, features }) => ({
    features,
    captions: [entry.info.description, ...(entry.captions ?? [])].filter((text) => text !== null),
  }));
  const matcher = await learnMatching(runtime, captioned, teaching);
  yield learning(3);
  const all = { classifier: classifier.tensors, keys, matcher };
  const tensors = Object.fromEntries(
    Object.entries(all).flatMap(([name, part]) =>
      Object.entries(part).map(([each, value]) => [`${name}/${each}`, value] as const),
    ),
  );
  await makeFolder(`${folder}/eval`);
  await writeFileAtomically(path, writeSafetensors(tensors, { questions: JSON.stringify(questions) }));
  return tensors;
}

async function readKept(path: string): Promise<Record<string, Tensor> | undefined> {
  if (!(await isFile(path))) return undefined;
  const source = await openFile(path);
  try {
    const { tensors } = await readHeader(source);
    const read = [...tensors].map(async ([name, entry]) => [name, await readTensor(source, entry)] as const);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    await source.close();
  }
}
