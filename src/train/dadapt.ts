/**
 * @file Adam that finds its own rate (Defazio and Mishchenko, arXiv 2301.07733), as graph over all weights at once: the
 * recipe of MusicGen small. It keeps a lower bound of how far the start is from the solution, and steps as far as that.
 */

import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";

export interface DAdaptConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The distance before anything is known of it. */
  readonly distance: number;
  /** The most that the distance may grow by in a step, as a factor. */
  readonly growth: number;
}

/** MusicGen small's (spec §8.2); the rate that goes with it is 1. */
export const musicgenDAdapt: DAdaptConfig = {
  ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 },
  ...{ distance: 1e-6, growth: Number.POSITIVE_INFINITY },
};

/** What is kept of a weight: means of its gradients times the rate (two, one slower), and of their squares. */
export const dadaptNames = (weight: string) => [`${weight}.mean`, `${weight}.square`, `${weight}.path`] as const;
/** What is kept of all weights together: the distance d, and the mean r of the gradients' sizes. */
export const [distanceName, sizesName] = ["dadapt.distance", "dadapt.sizes"] as const;

/**
 * A step of every weight. With l = d rate: m' = b1 m + (1 - b1) l g, v' = b2 v + (1 - b2) g^2, s' = b2 s + (1 - b2) l g and
 * n = sqrt(v') + epsilon; over all weights r' = b2 r + (1 - b2) l^2 sum(g^2 / n) and
 * d' = max(d, min((sum(s'^2 / n) / (1 - b2) - r') / sum|s'|, growth d)); then w' = (1 - l decay) w - m' / n.
 * While nothing has ever moved (sum|s'| = 0) there is no step.
 * @param rate one number: a schedule's, around 1
 * @returns what is fed to the next step, under the names under which this step is fed it
 */
export function dadaptAll(
  weights: ReadonlyMap<string, Value>,
  gradients: readonly Value[],
  rate: Value,
  c: DAdaptConfig,
): Record<string, Value> {
  const { add, div, mul, scalar, sub, where } = ops;
  const distance = input(distanceName, "float32", []);
  const sizes = input(sizesName, "float32", []);
  const length = mul(distance, rate);
  const blend = (kept: number, old: Value, added: Value) => add(mul(scalar(kept), old), mul(scalar(1 - kept), added));

  const each = [...weights].map(([name, weight], i) => {
    const [mean, square, path] = dadaptNames(name).map((each) => input(each, "float32", weight.shape)) as [
      ...[Value, Value, Value],
    ];
    const gradient = gradients[i]!;
    const pushed = mul(length, gradient);
    const v = blend(c.beta2, square, mul(gradient, gradient));
    return {
      ...{ name, weight, gradient, v, old: { mean, square, path } },
      m: blend(c.beta1, mean, pushed),
      s: blend(c.beta2, path, pushed),
      norm: add(ops.sqrt(v), scalar(c.epsilon)),
    };
  });
  const over = (of: (one: (typeof each)[number]) => Value) => each.map((one) => total(of(one))).reduce(add);
  const gone = over(({ s }) => ops.abs(s));
  const moved = ops.less(scalar(0), gone);
  const squares = over(({ gradient, norm }) => div(mul(gradient, gradient), norm));
  const sizesNow = blend(c.beta2, sizes, mul(mul(length, length), squares));
  const lead = sub(
    div(
      over(({ s, norm }) => div(mul(s, s), norm)),
      scalar(1 - c.beta2),
    ),
    sizesNow,
  );
  const bound = smaller(div(lead, where(moved, gone, scalar(1))), mul(distance, scalar(c.growth)));

  const next: Record<string, Value> = {
    [distanceName]: where(moved, larger(distance, bound), distance),
    [sizesName]: where(moved, sizesNow, sizes),
  };
  const decay = sub(scalar(1), mul(length, scalar(c.weightDecay)));
  for (const { name, weight, m, v, s, norm } of each) {
    const [mean, square, path] = dadaptNames(name);
    next[name] = where(moved, sub(mul(weight, decay), div(m, norm)), weight);
    next[mean] = m;
    next[square] = v;
    next[path] = s;
  }
  return next;
}

/** What `dadaptAll` is fed besides weights and gradients, before the first step. */
export const startDAdapt = (weights: ReadonlyMap<string, Value>, c: DAdaptConfig): Record<string, Tensor> => ({
  [distanceName]: tensor("float32", [], Float32Array.of(c.distance)),
  [sizesName]: tensor("float32", []),
  ...Object.fromEntries(
    [...weights].flatMap(([name, { shape }]) =>
      dadaptNames(name).map((each) => [each, tensor("float32", shape as readonly number[])]),
    ),
  ),
});

// --- internal ---

/** The sum of all elements, []. */
const total = (x: Value): Value => ops.squeeze(ops.reduceSum(ops.reshape(x, [-1]), [0]), [0]);
const smaller = (a: Value, b: Value): Value => ops.where(ops.less(a, b), a, b);
const larger = (a: Value, b: Value): Value => ops.where(ops.less(a, b), b, a);
