/**
 * @file The key as it is learnt from true renders: one small network looks at the pitch classes from each of the twelve
 * tonics in turn, so that what it learns of one key it knows of all.
 */

import { compile } from "../graph/compile.js";
import { linear } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { Runtime } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { tonalCount } from "./features.js";
import { fit, rowOf, stacked, type Teaching, unbound } from "./fit.js";
import type { KeyEstimate } from "./key.js";

/** What `tonal` of features.ts is of a clip, and its key. */
export interface Keyed {
  readonly tonal: Float32Array;
  readonly key: KeyEstimate;
}

export type TonalityWeights = Readonly<Record<string, Tensor>>;

export async function learnKeys(
  runtime: Runtime,
  examples: readonly Keyed[],
  teaching: Teaching,
): Promise<TonalityWeights> {
  const scope = new Scope();
  const likelihood = describe(scope, input("tonal", "float32", ["rows", tonalCount]));
  const truth = input("truth", "float32", ["clips", 24]);
  const total = (x: Value) => ops.squeeze(ops.reduceSum(ops.reshape(x, [-1]), [0]), [0]);
  const loss = ops.div(ops.neg(total(ops.mul(likelihood, truth))), total(truth));
  const turned = examples.map((example) => turns(example.tonal));
  const feed = (chosen: readonly number[]) => {
    const answers = tensor("float32", [chosen.length, 24]);
    for (const [row, i] of chosen.entries()) answers.data[24 * row + placeOf(examples[i]!.key)] = 1;
    return { tonal: stacked(chosen.flatMap((i) => turned[i]!)), truth: answers };
  };
  return fit(runtime, scope, loss, examples.length, feed, teaching);
}

export async function keysOf(
  runtime: Runtime,
  weights: TonalityWeights,
  tonals: readonly Float32Array[],
): Promise<KeyEstimate[]> {
  const likelihood = describe(new Scope(), input("tonal", "float32", ["rows", tonalCount]));
  const session = await compile(runtime, { likelihood }, unbound);
  try {
    const found = await session.run({ tonal: stacked(tonals.flatMap(turns)), ...weights });
    return tonals.map((_, i) => {
      const row = rowOf(found.likelihood!, i);
      const best = row.indexOf(Math.max(...row));
      return { tonic: best >> 1, mode: best % 2 === 0 ? "major" : "minor" };
    });
  } finally {
    await session.dispose();
  }
}

// --- internal ---

const placeOf = ({ tonic, mode }: KeyEstimate): number => 2 * tonic + +(mode === "minor");

/** [12 clips, tonalCount], a row a tonic -> [clips, 24]: how likely each key is, as logarithms. */
function describe(p: Scope, x: Value): Value {
  const hidden = ops.tanh(linear(p.at("hidden"), x, 24, { bias: true }));
  const scores = linear(p.at("modes"), hidden, 2, { bias: true });
  return ops.logSoftmax(ops.reshape(scores, [-1, 24], ["clips", 24]));
}

/** The pitch classes as each tonic sees them, each register's around its mean. */
function turns(tonal: Float32Array): Float32Array[] {
  return Array.from({ length: 12 }, (_, tonic) =>
    tonal.map((_, i) => 12 * (tonal[i - (i % 12) + ((i + tonic) % 12)]! - 1 / 12)),
  );
}
