/** @file For tests: a network of blocks, as those of a transformer are. */

import * as ops from "../src/graph/ops.js";
import { block } from "../src/graph/recompute.js";
import { input, Scope, type Value } from "../src/graph/value.js";
import { type Tensor, tensor } from "../src/tensor.js";

/** The mean square after blocks of [n, d] with weights of their own, one that they share, and an input besides x. */
export function blocks(count: number, marked: boolean, [n, d]: readonly [number, number]) {
  const p = new Scope();
  const shared = ops.mul(p.weight("shared", [d]), ops.scalar(2)); // computed once, outside
  const bias = input("bias", "float32", [n, 1]);
  let x = input("x", "float32", [n, d]);
  for (let i = 0; i < count; i++) {
    const inside = (x: Value): Value => {
      const wide = ops.gelu(ops.gemm(x, p.at(i).weight("in", [d, d])));
      const narrow = ops.layerNormalization(ops.add(wide, bias), shared, p.at(i).weight("shift", [d]), 1e-5);
      return ops.add(x, ops.softmax(ops.mul(narrow, ops.tanh(narrow))));
    };
    x = marked ? block(inside, x) : inside(x);
  }
  return { p, loss: mean(ops.mul(x, x)) };
}

/** Numbers between -1 and 1. */
export const numbers = (shape: readonly number[], seed: number): Tensor =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + i * 1.3)),
  );

const mean = (x: Value) => ops.squeeze(ops.reduceMean(x, [0, 1]), [0, 1]);
