/** @file What a step of learning is made of besides its gradients: how weights move. */

import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";
import { type AdamwConfig, adamwAll, rateInputs, rateTensors, zeroMoments } from "./adamw.js";
import { type DAdaptConfig, dadaptAll, startDAdapt } from "./dadapt.js";

/** A function from weights and gradients to the next weights, as graph, and what it keeps in between. */
export interface Optimiser {
  /** What is kept beside the weights before the first step, under the names that a step is fed it by. */
  start(weights: ReadonlyMap<string, Value>): Record<string, Tensor>;
  /** The next weights and what is kept, under the same names. */
  next(weights: ReadonlyMap<string, Value>, gradients: readonly Value[]): Record<string, Value>;
  /** What else a step is fed. @param step from 1 */
  fed(rate: number, step: number): Record<string, Tensor>;
}

export const adamwOptimiser = (c: AdamwConfig): Optimiser => ({
  start: zeroMoments,
  next: (weights, gradients) => adamwAll(weights, gradients, rateInputs(), c),
  fed: (rate, step) => rateTensors(rate, step, c),
});

/** The rate is a factor, around 1, of the one that it finds itself. */
export const dadaptOptimiser = (c: DAdaptConfig): Optimiser => ({
  start: (weights) => startDAdapt(weights, c),
  next: (weights, gradients) => dadaptAll(weights, gradients, input("rate", "float32", []), c),
  fed: (rate) => ({ rate: tensor("float32", [], Float32Array.of(rate)) }),
});
