/** @file The layers that the text encoder and the language model share, made of ops. */

import { attendInPieces } from "./causal-attention.js";
import * as ops from "./ops.js";
import { add, div, gemm, matmul, mul, reduceMean, reshape, scalar, softmax, sqrt, transpose } from "./ops.js";
import { type Dim, known, type Scope, times, type Value } from "./value.js";

/**
 * How the rows of a flat [B S, width] stand for [B, S, width]. Between attentions everything is row by row, and a flat
 * matrix is what the runtime multiplies fastest.
 */
export interface Rows {
  readonly batch: Value;
  readonly steps: Value;
  readonly dims: readonly [Dim, Dim];
}

/** The batch and steps of x [B, S, ...]. */
export const rowsOf = (x: Value): Rows => ({
  batch: ops.sizeOf(x, 0),
  steps: ops.sizeOf(x, 1),
  dims: [x.shape[0]!, x.shape[1]!],
});

/** [B, S, width] -> [B S, width] */
export function flatten(x: Value): Value {
  const width = known(x.shape[2], "the width of a row");
  return reshape(x, [-1, width], [times(x.shape[0]!, x.shape[1]!), width]);
}

/** [B S, width] -> [B, S, width] */
export function unflatten(x: Value, rows: Rows): Value {
  const width = known(x.shape[1], "the width of a row");
  return ops.reshapeTo(x, ops.concat([rows.batch, rows.steps, ops.ints([width])], 0), [...rows.dims, width]);
}

/** x W^T, W = `weight` [width, D], no bias unless asked for. x [N, D] -> [N, width]. */
export function linear(p: Scope, x: Value, width: number, options: { bias?: boolean } = {}): Value {
  const depth = known(x.shape[1], "a linear layer's input width");
  return gemm(x, p.weight("weight", [width, depth]), options.bias === true ? p.weight("bias", [width]) : undefined);
}

/**
 * Several linear layers of one input as one product, x [N, D] -> [N, layers width]: one long read instead of several
 * short ones. (Measured on a step of the language model: 7 %, for queries, keys and values and for the heads.)
 */
export function linears(p: Scope, names: readonly (string | number)[], x: Value, width: number): Value {
  const depth = known(x.shape[1], "a linear layer's input width");
  const weights = names.map((name) => p.at(name).weight("weight", [width, depth]));
  return gemm(x, ops.concat(weights, 0));
}

/** Row `id` of a table [count, width] for every id. */
export const embedding = (p: Scope, ids: Value, count: number, width: number): Value =>
  ops.gather(p.weight("weight", [count, width]), ids);

export function layerNorm(p: Scope, x: Value, epsilon = 1e-5): Value {
  const width = known(x.shape.at(-1), "a layer norm's width");
  return ops.layerNormalization(x, p.weight("weight", [width]), p.weight("bias", [width]), epsilon);
}

/** x / sqrt(mean(x^2) + epsilon) * weight: no mean subtracted, no bias. */
export function rmsNorm(p: Scope, x: Value, epsilon: number): Value {
  const width = known(x.shape.at(-1), "a norm's width");
  const size = sqrt(add(reduceMean(mul(x, x), [-1]), scalar(epsilon)));
  return mul(div(x, size), p.weight("weight", [width]));
}

/** [B S, H d] -> [B, H, S, d] */
export function splitHeads(x: Value, rows: Rows, heads: number): Value {
  const size = known(x.shape[1], "attention width") / heads;
  const shape = ops.concat([rows.batch, rows.steps, ops.ints([heads, size])], 0);
  return transpose(ops.reshapeTo(x, shape, [...rows.dims, heads, size]), [0, 2, 1, 3]);
}

/** [B, H, S, d] -> [B S, H d] */
export function joinHeads(x: Value): Value {
  const [batch, heads, steps, size] = x.shape;
  const width = known(heads, "heads") * known(size, "head width");
  return reshape(transpose(x, [0, 2, 1, 3]), [-1, width], [times(batch!, steps!), width]);
}

/** softmax(q k^T + bias) v: q [B, H, S, d], k and v [B, H, L, d], bias broadcast over [B, H, S, L]. No scaling. */
export function attend(q: Value, k: Value, v: Value, bias?: Value): { mixed: Value; weights: Value } {
  const scores = matmul(q, transpose(k, [0, 1, 3, 2]));
  const weights = softmax(bias === undefined ? scores : add(scores, bias));
  return { mixed: matmul(weights, v), weights };
}

/** `attend` where no row sees what is after it, which `bias` hides. q may be of the last rows only. */
export function attendBehind(q: Value, k: Value, v: Value, bias: Value): { mixed: Value; weights: Value } {
  const long =
    [...q.shape, k.shape[2]].every((dim) => typeof dim === "number") && (q.shape[2] as number) >= 2 * rowsOfPiece;
  return long ? attendInPieces(q, k, v, bias, rowsOfPiece) : attend(q, k, v, bias);
}

/** Shorter pieces compute less of what is hidden, but their products are less than what the runtime is fast at. */
const rowsOfPiece = 125;
