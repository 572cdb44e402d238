/**
 * @file A running average of the weights, as graph: what is validated, sampled from and kept as the best. The average is
 * over the weights seen so far alone, however few (spec §8.2): it needs no good start.
 */

import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";

export interface EmaConfig {
  /** What an average keeps of itself when weights come in. */
  readonly decay: number;
  /** Steps from one time that weights come in to the next. */
  readonly every: number;
}

/** MusicGen's (spec §8.2). */
export const musicgenEma: EmaConfig = { decay: 0.99, every: 10 };

/** The same, but over no more than the last twentieth of a short run. */
export const averagesFor = (steps: number): EmaConfig => {
  const { decay, every } = musicgenEma;
  return { decay: Math.max(0, Math.min(decay, 1 - (20 * every) / steps)), every };
};

/** What a weight's average is called, in a step's inputs and outputs and in what is saved. */
export const averageName = (weight: string) => `${weight}.average`;

/** How many weights the average is over, each counted by what is kept of it. */
export const averageCount = "average.count";

/**
 * count' = count decay + 1 and a' = (1 - 1 / count') a + w / count'.
 * @param weights by name, as they are after the step
 * @returns the averages and their count, under the names under which this graph is fed them
 */
export function averageAll(weights: ReadonlyMap<string, Value>, { decay }: EmaConfig): Record<string, Value> {
  const { add, div, mul, scalar, sub } = ops;
  const counted = add(mul(input(averageCount, "float32", []), scalar(decay)), scalar(1));
  const share = div(scalar(1), counted);
  const next: Record<string, Value> = { [averageCount]: counted };
  for (const [name, weight] of weights) {
    const average = input(averageName(name), "float32", weight.shape);
    next[averageName(name)] = add(mul(sub(scalar(1), share), average), mul(share, weight));
  }
  return next;
}

/** Whether the weights come in that step t leads to; from 1. */
export const comesIn = (step: number, { every }: EmaConfig): boolean => step % every === 0;

/** The averages before the first step: of nothing. */
export const noAverages = (weights: ReadonlyMap<string, Value>): Record<string, Tensor> => ({
  [averageCount]: tensor("float32", []),
  ...Object.fromEntries(
    [...weights].map(([name, { shape }]) => [averageName(name), tensor("float32", shape as readonly number[])]),
  ),
});
