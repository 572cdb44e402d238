/** @file AdamW (Loshchilov and Hutter, arXiv 1711.05101), as graph: weights and moments in, weights and moments out. */

import { factored } from "../graph/backward.js";
import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";

export interface AdamwConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Of every weight: the reference decays norms and embeddings too. */
  readonly weightDecay: number;
  /**
   * Share of the rate at which the matrices of a language model's layers learn; all of it if not said. Tables and heads are
   * looked up by single codes, each seldom, and want a high rate, at which the layers between them only shake.
   */
  readonly inLayers?: number;
}

/** MusicGen's (spec §8.2). */
export const musicgenAdamw: AdamwConfig = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** EnCodec's, for the codec and the discriminators: nothing decays, so that this is Adam (spec §3.1). */
export const encodecAdam: AdamwConfig = { beta1: 0.5, beta2: 0.9, epsilon: 1e-8, weightDecay: 0 };

/** A weight's running mean of gradients and of their squares, zero at first. */
export interface Moments {
  readonly mean: Value;
  readonly square: Value;
}

/** What changes from step to step: the learning rate, and 1 - beta^t for both moments. Fed by `rateTensors`. */
export const rateInputs = () => ({
  rate: input("rate", "float32", []),
  correction1: input("correction1", "float32", []),
  correction2: input("correction2", "float32", []),
});

/** @param step t, from 1 */
export function rateTensors(rate: number, step: number, c: AdamwConfig): Record<string, Tensor> {
  const number = (value: number) => tensor("float32", [], Float32Array.of(value));
  return { rate: number(rate), correction1: number(1 - c.beta1 ** step), correction2: number(1 - c.beta2 ** step) };
}

/**
 * m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g^2, and
 * w' = (1 - rate decay) w - rate (m' / (1 - b1^t)) / (sqrt(v' / (1 - b2^t)) + epsilon).
 */
export function adamw(
  weight: Value,
  gradient: Value,
  moments: Moments,
  { rate, correction1, correction2 }: ReturnType<typeof rateInputs>,
  c: AdamwConfig,
): Moments & { readonly weight: Value } {
  const { add, div, mul, scalar, sub } = ops;
  // What shortened all gradients alike is put where there are fewest numbers, too.
  const { rest: g, factor = scalar(1) } = factored(gradient);
  const mean = add(mul(scalar(c.beta1), moments.mean), mul(mul(scalar(1 - c.beta1), factor), g));
  const fresh = mul(mul(scalar(1 - c.beta2), mul(factor, factor)), mul(g, g));
  const square = add(mul(scalar(c.beta2), moments.square), fresh);
  // What does not depend on the weight goes where there are fewest numbers to multiply: into the rate and epsilon.
  const spread = ops.sqrt(correction2);
  const step = div(mul(rate, spread), correction1);
  const direction = div(mean, add(ops.sqrt(square), mul(scalar(c.epsilon), spread)));
  const decayed = c.weightDecay === 0 ? weight : mul(weight, sub(scalar(1), mul(rate, scalar(c.weightDecay))));
  return { weight: sub(decayed, mul(step, direction)), mean, square };
}

/**
 * A step of every weight at once.
 * @returns the next weights and moments, under the names under which this step is fed them
 */
export function adamwAll(
  weights: ReadonlyMap<string, Value>,
  gradients: readonly Value[],
  rates: ReturnType<typeof rateInputs>,
  c: AdamwConfig,
): Record<string, Value> {
  const next: Record<string, Value> = {};
  for (const [i, [name, weight]] of [...weights].entries()) {
    const [mean, square] = momentNames(name);
    const moments = { mean: input(mean, "float32", weight.shape), square: input(square, "float32", weight.shape) };
    const share = isInLayers.test(name) ? (c.inLayers ?? 1) : 1;
    const own = share === 1 ? rates : { ...rates, rate: ops.mul(rates.rate, ops.scalar(share)) };
    const after = adamw(weight, gradients[i]!, moments, own, c);
    next[name] = after.weight;
    next[mean] = after.mean;
    next[square] = after.square;
  }
  return next;
}

const isInLayers = /(^|\.)decoder\.layers\.\d+\..*(_proj|fc\d)\.weight$/;

/** The moments of every weight before the first step. */
export const zeroMoments = (weights: ReadonlyMap<string, Value>): Record<string, Tensor> =>
  Object.fromEntries(
    [...weights].flatMap(([name, { shape }]) =>
      momentNames(name).map((moment) => [moment, tensor("float32", shape as readonly number[])]),
    ),
  );

/** All gradients, shortened together so that their common length is at most `most`; and that length, before. */
export function clipped(gradients: readonly Value[], most: number): { gradients: Value[]; norm: Value } {
  const { add, div, mul, scalar } = ops;
  const squares = gradients.map((g) => ops.squeeze(ops.reduceSum(ops.reshape(mul(g, g), [-1]), [0]), [0]));
  const norm = ops.sqrt(squares.reduce(add));
  const wanted = div(scalar(most), add(norm, scalar(1e-6)));
  const factor = ops.where(ops.less(wanted, scalar(1)), wanted, scalar(1));
  return { gradients: gradients.map((g) => mul(g, factor)), norm };
}

/** What a weight's moments are called, in a step's inputs and outputs and in what is saved. */
export const momentNames = (weight: string) => [`${weight}.mean`, `${weight}.square`] as const;
