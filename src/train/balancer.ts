/**
 * @file The balancer (EnCodec, arXiv 2210.13438, section 3.4; spec §3.2): a loss's weight is its share of what the sound is
 * pulled by, however large the loss itself happens to be.
 */

import { assert } from "../errors.js";
import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";
import { size } from "./distance.js";

export interface BalancerConfig {
  /** How much of the past the mean size of a loss's slope keeps at a step. */
  readonly decay: number;
  /** The size that all slopes together shall have. */
  readonly total: number;
  /** Whether a slope's size is the mean over the items of a batch, or of the batch as a whole. */
  readonly perItem: boolean;
}

export const encodecBalancer: BalancerConfig = { decay: 0.999, total: 1, perItem: true };

export interface Pull {
  /** One number. */
  readonly loss: Value;
  /** Its slope in the sound, [B, C, N]. */
  readonly slope: Value;
  readonly weight: number;
}

/** What the balancer remembers, as inputs and as zeros to start from: a sum for each loss, and how much was summed. */
export const balancerState = (names: readonly string[]): Record<string, Tensor> =>
  Object.fromEntries([...names, "steps"].map((name) => [stateName(name), tensor("float32", [])]));

/**
 * @returns what pulls on the sound, [B, C, N]; the balanced loss, one number; each loss's mean slope size as a share of
 * all, and the balancer's state after this step, under the names of `balancerState`
 */
export function balance(pulls: Readonly<Record<string, Pull>>, c: BalancerConfig) {
  const { add, div, mul, scalar } = ops;
  assert(Object.keys(pulls).length > 0, "there is nothing to balance");
  const remembered = (name: string, now: Value) =>
    add(mul(scalar(c.decay), input(stateName(name), "float32", [])), now);
  const steps = remembered("steps", scalar(1));
  const next: Record<string, Value> = { [stateName("steps")]: steps };
  const sizes = Object.entries(pulls).map(([name, { slope }]) => {
    const sum = remembered(name, c.perItem ? sizePerItem(slope) : size(slope));
    next[stateName(name)] = sum;
    return div(sum, steps);
  });
  const all = sizes.reduce(add);
  const weights = Object.values(pulls).reduce((sum, { weight }) => sum + weight, 0);
  const parts = Object.values(pulls).map(({ loss, slope, weight }, i) => {
    const scale = div(scalar((weight / weights) * c.total), add(scalar(1e-12), sizes[i]!));
    return { slope: mul(scale, slope), loss: mul(scale, loss) };
  });
  return {
    slope: parts.map((part) => part.slope).reduce(add),
    loss: parts.map((part) => part.loss).reduce(add),
    shares: Object.fromEntries(Object.keys(pulls).map((name, i) => [name, div(sizes[i]!, all)])),
    next,
  };
}

// --- internal ---

const stateName = (name: string): string => `balancer.${name}`;

const sizePerItem = (slope: Value): Value =>
  ops.squeeze(ops.reduceMean(ops.reduceL2(slope, [1, 2]), [0, 1, 2]), [0, 1, 2]);
