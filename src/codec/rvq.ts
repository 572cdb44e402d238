/** @file Residual vector quantisation: each codebook codes what the ones before it left over (spec §2.1). */

import * as ops from "../graph/ops.js";
import type { Scope, Value } from "../graph/value.js";
import type { CodecConfig } from "./config.js";

/** Latent [B, dimension, T] -> codes [B, K, T] int64, codebook 0 coarsest. */
export function quantize(p: Scope, latent: Value, codebooks: number, c: CodecConfig): Value {
  let residual = ops.transpose(latent, [0, 2, 1]); // [B, T, dimension]
  const codes: Value[] = [];
  for (let k = 0; k < codebooks; k++) {
    const table = codebook(p, k).weight("embed", [c.codebook_size, c.hidden_size]);
    const chosen = nearest(residual, table); // [B, T]
    codes.push(ops.unsqueeze(chosen, [1]));
    residual = ops.sub(residual, ops.gather(table, chosen));
  }
  return ops.concat(codes, 1);
}

/** Codes [B, K, T] -> the sum of the chosen entries [B, dimension, T]. */
export function dequantize(p: Scope, codes: Value, codebooks: number, c: CodecConfig): Value {
  const rows = ops.split(codes, 1, new Array<number>(codebooks).fill(1));
  const vectors = rows.map((row, k) => {
    const table = codebook(p, k).weight("embed", [c.codebook_size, c.hidden_size]);
    return ops.gather(table, ops.squeeze(row, [1])); // [B, T, dimension]
  });
  return ops.transpose(vectors.reduce(ops.add), [0, 2, 1]);
}

/** For every vector of x [..., dimension], which row of `table` [bins, dimension] is nearest: int64 [...]. */
export function nearest(x: Value, table: Value): Value {
  // The nearest entry has the largest -|x - e|^2 = -(|x|^2 - 2 x.e + |e|^2).
  const size = ops.reduceSum(ops.mul(x, x), [-1]);
  const sizes = ops.transpose(ops.reduceSum(ops.mul(table, table), [-1]), [1, 0]);
  const products = ops.matmul(x, ops.transpose(table, [1, 0]));
  return ops.argmax(ops.neg(ops.add(ops.sub(size, ops.mul(ops.scalar(2), products)), sizes)));
}

/** Where codebook k lives. */
export const codebook = (p: Scope, k: number): Scope => p.at("quantizer").at("layers").at(k).at("codebook");
