/**
 * @file What an int8 number in the cache is worth, as a step of the model is fed it: one tensor for all layers, which costs less
 * to pass on than one each.
 */

import { type Tensor, tensor } from "../tensor.js";
import type { CacheSteps } from "./cache-steps.js";
import type { LmConfig } from "./config.js";
import { cachedWidth } from "./transformer.js";

/** The steps of every layer's keys and values in turn, [2 N, H, 1, d]. */
export function joinedSteps(steps: CacheSteps | undefined, c: LmConfig): Record<string, Tensor> {
  if (steps === undefined) return {};
  const all = Array.from({ length: c.num_hidden_layers }, (_, i) => [
    steps[`keys.${i}.step`]!,
    steps[`values.${i}.step`]!,
  ]).flat();
  const whole = tensor("float32", [all.length, c.num_attention_heads, 1, cachedWidth(c)]);
  for (const [i, { data }] of all.entries()) whole.data.set(data, i * data.length);
  return { steps: whole };
}
