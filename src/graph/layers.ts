/** @file The layers that the text encoder and the language model share, made of ops. */

import * as ops from "./ops.js";
import { add, div, gemm, matmul, mul, reduceMean, reshape, scalar, softmax, sqrt, transpose } from "./ops.js";
import { known, type Scope, times, type Value } from "./value.js";

/** x W^T, W = `weight` [width, D], no bias unless asked for. x [..., D] -> [..., width]. */
export function linear(p: Scope, x: Value, width: number, options: { bias?: boolean } = {}): Value {
  const depth = known(x.shape.at(-1), "a linear layer's input width");
  const weight = p.weight("weight", [width, depth]);
  const bias = options.bias === true ? p.weight("bias", [width]) : undefined;
  if (x.shape.length === 2) return gemm(x, weight, bias);
  const rows = x.shape.slice(0, -1).reduce(times);
  const flat = gemm(reshape(x, [-1, depth], [rows, depth]), weight, bias);
  return likeRows(flat, x, width);
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

/** [B, S, H d] -> [B, H, S, d] */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, steps, width] = x.shape;
  const size = known(width, "attention width") / heads;
  return transpose(reshape(x, [0, 0, heads, size], [batch!, steps!, heads, size]), [0, 2, 1, 3]);
}

/** [B, H, S, d] -> [B, S, H d] */
export function joinHeads(x: Value): Value {
  const [batch, heads, steps, size] = x.shape;
  const width = known(heads, "heads") * known(size, "head width");
  return reshape(transpose(x, [0, 2, 1, 3]), [0, 0, width], [batch!, steps!, width]);
}

/** softmax(q k^T + bias) v: q [B, H, S, d], k and v [B, H, L, d], bias broadcast over [B, H, S, L]. No scaling. */
export function attend(q: Value, k: Value, v: Value, bias?: Value): { mixed: Value; weights: Value } {
  const scores = matmul(q, transpose(k, [0, 1, 3, 2]));
  const weights = softmax(bias === undefined ? scores : add(scores, bias));
  return { mixed: matmul(weights, v), weights };
}

// --- internal ---

/** flat [rows, width] under the leading axes of `like`. */
function likeRows(flat: Value, like: Value, width: number): Value {
  const [batch, steps] = like.shape;
  if (like.shape.length === 3 && typeof steps === "number")
    return reshape(flat, [-1, steps, width], [batch!, steps, width]);
  const sizes = like.shape
    .slice(0, -1)
    .map((dim, axis) => (typeof dim === "number" ? ops.ints([dim]) : ops.sizeOf(like, axis)));
  return ops.reshapeTo(flat, ops.concat([...sizes, ops.ints([width])], 0), [...like.shape.slice(0, -1), width]);
}
