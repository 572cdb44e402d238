/** @file Residual vector quantisation: each codebook codes what the ones before it left over (spec §2.1). */

import * as ops from "../graph/ops.js";
import type { Scope, Value } from "../graph/value.js";
import type { CodecConfig } from "./config.js";

/** Latent [B, dimension, T] -> codes [B, K, T] int64, codebook 0 coarsest. */
export function quantize(p: Scope, latent: Value, codebooks: number, c: CodecConfig): Value {
  const [batch, , frames] = latent.shape;
  let residual = ops.transpose(latent, [0, 2, 1]); // [B, T, dimension]
  const codes: Value[] = [];
  for (let k = 0; k < codebooks; k++) {
    const table = codebook(p, k, c);
    // The nearest entry has the largest -|x - e|^2 = -(|x|^2 - 2 x.e + |e|^2).
    const size = ops.reduceSum(ops.mul(residual, residual), [-1]);
    const sizes = ops.transpose(ops.reduceSum(ops.mul(table, table), [-1]), [1, 0]);
    const products = ops.matmul(residual, ops.transpose(table, [1, 0]));
    const distance = ops.add(ops.sub(size, ops.mul(ops.scalar(2), products)), sizes);
    const nearest = ops.argmax(ops.neg(distance));
    codes.push(ops.reshape(nearest, [0, 1, -1], [batch!, 1, frames!]));
    residual = ops.sub(residual, ops.gather(table, nearest));
  }
  return ops.concat(codes, 1);
}

/** Codes [B, K, T] -> the sum of the chosen entries [B, dimension, T]. */
export function dequantize(p: Scope, codes: Value, codebooks: number, c: CodecConfig): Value {
  const rows = ops.split(codes, 1, new Array<number>(codebooks).fill(1));
  const vectors = rows.map((row, k) => ops.gather(codebook(p, k, c), ops.squeeze(row, [1]))); // [B, T, dimension]
  return ops.transpose(vectors.reduce(ops.add), [0, 2, 1]);
}

// --- internal ---

const codebook = (p: Scope, k: number, c: CodecConfig): Value =>
  p.at("quantizer").at("layers").at(k).at("codebook").weight("embed", [c.codebook_size, c.hidden_size]);
