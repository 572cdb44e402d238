/** @file Learning at a small scale: a loss over a few thousand examples, a few hundred thousand weights, seconds of AdamW. */

import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import type { Scope, Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import type { Runtime } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { adamwAll, clipped, rateInputs, rateTensors, zeroMoments } from "../train/adamw.js";
import { initialWeights } from "../train/initial.js";
import { rateAt } from "../train/schedule.js";

export interface Teaching {
  readonly seed: number;
  /** How often each example is heard. */
  readonly epochs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The weights of `scope` after learning to make `loss` small.
 * @param feed what the loss needs for the examples chosen
 * @param batch examples a step; the last ones of an epoch may be fewer, but with `whole` they are left out
 */
export async function fit(
  runtime: Runtime,
  scope: Scope,
  loss: Value,
  examples: number,
  feed: (chosen: readonly number[], step: number) => Record<string, Tensor>,
  { seed, epochs, signal }: Teaching,
  { batch = 64, rate = 2e-3, whole = false } = {},
): Promise<Record<string, Tensor>> {
  const { gradients } = clipped(differentiate(loss, [...scope.weights.values()]), 1);
  const session = await compile(runtime, { loss, ...adamwAll(scope.weights, gradients, rateInputs(), adam) }, unbound);
  try {
    let state: Record<string, Tensor> = {
      ...zeroMoments(scope.weights),
      ...Object.fromEntries(initialWeights(scope.weights, seed)),
    };
    const perEpoch = Math.max(1, whole ? Math.floor(examples / batch) : Math.ceil(examples / batch));
    const steps = epochs * perEpoch;
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const first = (step % perEpoch) * batch;
      const chosen = shuffled(examples, seed, Math.floor(step / perEpoch)).slice(first, first + batch);
      const now = rateAt({ kind: "cosine", rate, warmup: 20, steps }, step);
      const { loss: _, ...next } = await session.run({
        ...feed(chosen, step),
        ...state,
        ...rateTensors(now, step + 1, adam),
      });
      state = next;
    }
    return Object.fromEntries([...scope.weights.keys()].map((name) => [name, state[name]!]));
  } finally {
    await session.dispose();
  }
}

/** For `compile`: the weights of graphs as small as these are fed at each run. */
export const unbound = async () => new Map();

/** 0 to `count` - 1 in an order that follows from a seed and a round. */
export function shuffled(count: number, seed: number, round: number): number[] {
  const order = [...Array(count).keys()];
  for (let i = count - 1; i > 0; i--) {
    const j = philox([i, round, 0, 11], [seed, 0])[0] % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Row `i` of a float32 matrix, as a view. */
export function rowOf({ shape, data }: Tensor, i: number): Float32Array {
  return (data as Float32Array).subarray(i * shape[1]!, (i + 1) * shape[1]!);
}

/** Rows as one tensor [rows, width]. */
export function stacked(rows: readonly Float32Array[]): Tensor<"float32"> {
  const width = rows[0]!.length;
  const all = tensor("float32", [rows.length, width]);
  for (const [i, row] of rows.entries()) all.data.set(row, i * width);
  return all;
}

/** Rows with a little noise, and a part of their numbers left out, so that no example is learnt by heart. */
export function noisy(rows: readonly Float32Array[], seed: number, step: number): Tensor {
  const all = stacked(rows);
  for (let i = 0; i < all.data.length; i += 4) {
    const words = philox([i, step, 0, 12], [seed, 0]);
    for (const [j, word] of words.entries())
      if (i + j < all.data.length)
        all.data[i + j] = (word & 0xff) < 256 * leftOut ? 0 : all.data[i + j]! + noise * (word / 2 ** 32 - 0.5);
  }
  return all;
}

/** What is usual in each column, so that every column counts alike. */
export interface Usual {
  readonly mean: Float32Array<ArrayBuffer>;
  readonly deviation: Float32Array<ArrayBuffer>;
}

/** Mean and deviation of each column. A column that never changes has a deviation of 1. */
export function usual(rows: readonly Float32Array[]): Usual {
  const width = rows[0]!.length;
  const mean = new Float32Array(width);
  const deviation = new Float32Array(width);
  for (let i = 0; i < width; i++) {
    let [sum, squares] = [0, 0];
    for (const row of rows) sum += row[i]!;
    for (const row of rows) squares += (row[i]! - sum / rows.length) ** 2;
    mean[i] = sum / rows.length;
    deviation[i] = Math.sqrt(squares / rows.length) || 1;
  }
  return { mean, deviation };
}

/** (row - mean) / deviation, no further out than 5. */
export const standard = (row: Float32Array, { mean, deviation }: Usual): Float32Array =>
  row.map((value, i) => Math.max(-5, Math.min(5, (value - mean[i]!) / deviation[i]!)));

// --- internal ---

/** Of a standard deviation, from end to end. */
const noise = 1;
/** Share of a row. */
const leftOut = 0.3;

const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.05 };
