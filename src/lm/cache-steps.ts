/**
 * @file Keys and values in 8 bits. The runtime keeps each channel of a layer's keys and values in steps of a fixed size,
 * so their range must be known before anything is composed: it is measured once, on a little music of the model's own.
 */

import { assert } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { compose } from "./compose.js";
import type { Condition } from "./condition.js";
import type { LmConfig } from "./config.js";
import type { LanguageModel } from "./lm.js";
import { defaultSampling } from "./sampling.js";
import { cachedWidth } from "./transformer.js";

/** What one step of an int8 number is worth, [1, H, 1, d] by `keys.0.step` and so on: of each layer's keys and values. */
export type CacheSteps = Readonly<Record<string, Tensor<"float32">>>;

/** Two seconds: the range of a channel hardly grows after that. */
const frames = 100;

/**
 * Keys and values beyond what was measured are cut off. At half as much again, none of 1500 columns of the small model
 * was; and 84 steps to the largest measured are still plenty.
 */
const margin = 1.5;

/** @param conditions of the pieces that are composed for it, each also heard without its condition */
export async function measureCacheSteps(
  lm: LanguageModel,
  conditions: readonly Condition[],
  signal?: AbortSignal,
): Promise<CacheSteps> {
  const { config } = lm;
  const largest = Array.from({ length: config.num_hidden_layers }, () => new Float32Array(3 * config.hidden_size));
  const watch = (layer: number, sizes: Float32Array) => {
    const so = largest[layer]!;
    for (const [i, size] of sizes.entries()) so[i] = Math.max(so[i]!, size);
  };
  const watched: Pick<LanguageModel, "config" | "open"> = {
    config,
    open: (conditions, guided, columns) => lm.open(conditions, guided, columns, watch),
  };
  const items = conditions.map((condition, seed) => ({ condition, seed }));
  for await (const _ of compose(watched, items, { frames, guidance: 3, sampling: defaultSampling, signal }));
  return Object.fromEntries(
    largest.flatMap((sizes, i) =>
      ["keys", "values"].map((kind, k) => {
        const of = sizes.subarray((k + 1) * config.hidden_size, (k + 2) * config.hidden_size);
        return [`${kind}.${i}.step`, stepsFor(of, config)] as const;
      }),
    ),
  );
}

/** Steps that are all alike: for weights that mean nothing. */
export function constantSteps(c: LmConfig): CacheSteps {
  const size = new Float32Array(c.hidden_size).fill(1);
  const layers = [...Array(c.num_hidden_layers).keys()];
  return Object.fromEntries(
    layers.flatMap((i) => ["keys", "values"].map((kind) => [`${kind}.${i}.step`, stepsFor(size, c)] as const)),
  );
}

// --- internal ---

/** @param sizes the largest that each channel was, [H d] */
function stepsFor(sizes: Float32Array, c: LmConfig): Tensor<"float32"> {
  const [heads, wide] = [c.num_attention_heads, cachedWidth(c)];
  const width = sizes.length / heads;
  const steps = tensor("float32", [1, heads, 1, wide]);
  steps.data.fill(1);
  for (const [i, size] of sizes.entries()) {
    assert(Number.isFinite(size), "the model's keys and values are not numbers");
    if (size > 0) steps.data[Math.floor(i / width) * wide + (i % width)] = (margin * size) / 127;
  }
  return steps;
}
