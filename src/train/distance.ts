/** @file One number for how large or how far apart tensors are: what losses are made of. */

import * as ops from "../graph/ops.js";
import type { Value } from "../graph/value.js";

/** The mean of every element. */
export const mean = (x: Value): Value => ops.squeeze(ops.reduceMean(flat(x), [0]), [0]);

/** The sum of every element. */
export const sum = (x: Value): Value => ops.squeeze(ops.reduceSum(flat(x), [0]), [0]);

/** sqrt(sum x^2) */
export const size = (x: Value): Value => ops.squeeze(ops.reduceL2(flat(x), [0]), [0]);

/** mean |a - b| */
export const l1 = (a: Value, b: Value): Value => mean(ops.abs(ops.sub(a, b)));

/** mean (a - b)^2 */
export function squaredError(a: Value, b: Value): Value {
  const difference = ops.sub(a, b);
  return mean(ops.mul(difference, difference));
}

// --- internal ---

const flat = (x: Value): Value => ops.reshape(x, [-1]);
