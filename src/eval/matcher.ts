/**
 * @file A judge of whether words and sound belong together: two small towers that learn from captioned renders to put
 * both in the same place (Radford and others, arXiv 2103.00020, at a small scale). No public figure compares with it.
 */

import { compile } from "../graph/compile.js";
import { linear } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { constant, input, Scope, type Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import type { Runtime } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { fit, noisy, rowOf, shuffled, stacked, standard, type Teaching, type Usual, unbound, usual } from "./fit.js";

/** A clip's features, and the captions that are true of it: learning picks one each time. */
export interface Captioned {
  readonly features: Float32Array;
  readonly captions: readonly string[];
}

/** Where words and sounds were put: unit vectors. */
export interface Places {
  readonly sounds: readonly Float32Array[];
  readonly texts: readonly Float32Array[];
}

/** Weights, and `mean` and `deviation` of the features. */
export type MatcherWeights = Readonly<Record<string, Tensor>>;

export async function learnMatching(
  runtime: Runtime,
  pairs: readonly Captioned[],
  teaching: Teaching,
): Promise<MatcherWeights> {
  const known = usual(pairs.map(({ features }) => features));
  const batch = Math.min(128, pairs.length);
  const width = known.mean.length;
  const scope = new Scope();
  const [sounds, texts] = towers(scope, batch, width);
  const alike = ops.mul(ops.matmul(sounds, ops.transpose(texts, [1, 0])), ops.scalar(sharpness)); // [B, B]
  // Each sound should pick its own words among all, and the words their sound.
  const own = (scores: Value) => ops.mul(ops.logSoftmax(scores), identity(batch));
  const both = ops.add(own(alike), ops.transpose(own(ops.transpose(alike, [1, 0])), [1, 0]));
  const loss = ops.squeeze(ops.reduceSum(ops.reshape(ops.mul(both, ops.scalar(-0.5 / batch)), [-1]), [0]), [0]);
  const rows = pairs.map(({ features }) => standard(features, known));
  const feed = (chosen: readonly number[], step: number) => ({
    sounds: noisy(
      chosen.map((i) => rows[i]!),
      teaching.seed,
      step,
    ),
    texts: stacked(
      chosen.map((i) => {
        const { captions } = pairs[i]!;
        return wordsOf(captions[philox([i, step, 0, 14], [teaching.seed, 0])[0] % captions.length]!);
      }),
    ),
  });
  const weights = await fit(runtime, scope, loss, pairs.length, feed, teaching, { batch, whole: true });
  const row = (values: Float32Array<ArrayBuffer>) => tensor("float32", [width], values);
  return { ...weights, mean: row(known.mean), deviation: row(known.deviation) };
}

/** @param features, texts as many of one as of the other */
export async function placesOf(
  runtime: Runtime,
  learnt: MatcherWeights,
  features: readonly Float32Array[],
  texts: readonly string[],
): Promise<Places> {
  const { mean, deviation, ...weights } = learnt;
  const [sounds, words] = towers(new Scope(), features.length, mean!.shape[0]!);
  const session = await compile(runtime, { sounds, texts: words }, unbound);
  try {
    const known = { mean: mean!.data, deviation: deviation!.data } as Usual;
    const rows = features.map((row) => standard(row, known));
    const fed = { sounds: stacked(rows), texts: stacked(texts.map(wordsOf)) };
    const placed = await session.run({ ...fed, ...weights });
    const all = (name: string) => features.map((_, i) => rowOf(placed[name]!, i).slice());
    return { sounds: all("sounds"), texts: all("texts") };
  } finally {
    await session.dispose();
  }
}

/**
 * Of each sound, among its own words and those of `among` - 1 others: the share whose own come first, and are one of the
 * first five. Chance is 1 / among and 5 / among. Pairs that do not fill a group are left out.
 */
export function recall({ sounds, texts }: Places, among: number, seed = 0): { first: number; firstFive: number } {
  const order = shuffled(sounds.length, seed, 0);
  let [first, five, count] = [0, 0, 0];
  for (let start = 0; start + among <= order.length; start += among) {
    const group = order.slice(start, start + among);
    for (const i of group) {
      const own = dot(sounds[i]!, texts[i]!);
      const better = group.filter((j) => dot(sounds[i]!, texts[j]!) > own).length;
      first += +(better === 0);
      five += +(better < 5);
      count++;
    }
  }
  return { first: first / count, firstFive: five / count };
}

/** [vocabulary] of a text: its words and pairs of words, each at one of so many places. Tempi count by how fast. */
export function wordsOf(text: string): Float32Array {
  const words = text.toLowerCase().match(/\d+|[\p{L}#]+/gu) ?? [];
  const terms = words.map((word) => {
    const number = Number(word);
    return number >= 30 && number <= 260 ? `tempo ${Math.round(8 * Math.log2(number))}` : word;
  });
  const row = new Float32Array(vocabulary);
  for (const [i, term] of terms.entries()) {
    row[place(term)]! += 1;
    if (i > 0) row[place(`${terms[i - 1]} ${term}`)]! += 1;
  }
  const norm = Math.hypot(...row);
  return norm > 0 ? row.map((value) => (3 * value) / norm) : row;
}

// --- internal ---

const vocabulary = 2048;
const middle = 128;
const width = 64;
/** Of the softmax over likenesses, which lie within 1. */
const sharpness = 14;

function towers(p: Scope, batch: number, features: number): [sounds: Value, texts: Value] {
  const tower = (name: string, x: Value) => {
    const hidden = ops.relu(linear(p.at(name).at("hidden"), x, middle, { bias: true }));
    const out = linear(p.at(name).at("out"), hidden, width, { bias: true });
    return ops.div(out, ops.add(ops.reduceL2(out, [1]), ops.scalar(1e-6)));
  };
  return [
    tower("sound", input("sounds", "float32", [batch, features])),
    tower("text", input("texts", "float32", [batch, vocabulary])),
  ];
}

function identity(size: number): Value {
  const ones = tensor("float32", [size, size]);
  for (let i = 0; i < size; i++) ones.data[i * size + i] = 1;
  return constant(ones);
}

function place(term: string): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), 0x01000193);
  return ((hash >>> 16) ^ hash) & (vocabulary - 1);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
