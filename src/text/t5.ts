/**
 * @file The T5 encoder: token ids to hidden states (Raffel et al., arXiv 1910.10683; spec §4.1). Plain ReLU (v1.0) and
 * gated GELU (v1.1, flan). Computed in float32 whatever the weights are stored in: T5 overflows half precision.
 */

import { z } from "#zod";
import { checked } from "../checked.js";
import {
  attend,
  embedding,
  flatten,
  joinHeads,
  linear,
  type Rows,
  rmsNorm,
  rowsOf,
  splitHeads,
  unflatten,
} from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, type Scope, type Value } from "../graph/value.js";
import { int64, type Tensor } from "../tensor.js";

const Config = z.object({
  vocab_size: z.int().positive().default(32128),
  d_model: z.int().positive().default(512),
  d_kv: z.int().positive().default(64),
  d_ff: z.int().positive().default(2048),
  num_layers: z.int().positive().default(6),
  num_heads: z.int().positive().default(8),
  relative_attention_num_buckets: z.int().positive().default(32),
  relative_attention_max_distance: z.int().positive().default(128),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: z.enum(["relu", "gated-gelu"]).default("relu"),
});

/** Hugging Face's field names, its defaults filled in. */
export type T5Config = z.infer<typeof Config>;

/** @throws HocketError "bad-checkpoint" naming each field that cannot be */
export const t5Config = (json: unknown, where: string): T5Config =>
  checked(Config, json, `${where}: this is not a T5 encoder that Hocket knows`);

/** What a T5 graph is fed. */
export const t5Inputs = () => ({
  /** Token ids [B, L]. */
  ids: input("ids", "int64", ["B", "L"]),
  /** Added to every score of a key: 0 for a token, `masked` for padding; [B, 1, 1, L]. */
  mask: input("mask", "float32", ["B", 1, 1, "L"]),
  /** Which entry of the position table each distance uses, [2 L - 1]: `relativeBuckets`. */
  buckets: input("buckets", "int64", ["2*L-1"]),
});

/** Far below any score, and finite, so that a row with nothing to attend to is not 0 / 0. */
export const masked = -1e9;

/** -> hidden states [B, L, d_model]. */
export function t5Encoder(p: Scope, inputs: ReturnType<typeof t5Inputs>, c: T5Config): Value {
  const embedded = embedding(p.at("shared"), inputs.ids, c.vocab_size, c.d_model);
  const rows = rowsOf(embedded);
  let x = flatten(embedded);
  const encoder = p.at("encoder");
  const bias = ops.add(
    positionBias(encoder.at("block.0.layer.0.SelfAttention.relative_attention_bias"), inputs, c),
    inputs.mask,
  );
  for (let i = 0; i < c.num_layers; i++) {
    encoder.tap(`hidden.${i}`, unflatten(x, rows));
    const block = encoder.at("block").at(i).at("layer");
    x = ops.add(x, selfAttention(block.at("0"), x, rows, bias, c));
    x = ops.add(x, feedForward(block.at("1"), x, c));
  }
  return unflatten(rmsNorm(encoder.at("final_layer_norm"), x, c.layer_norm_epsilon), rows);
}

/** [2 L - 1]: the entry of the position table for the distances key - query from -(L - 1) to L - 1. */
export const relativeBuckets = (length: number, c: T5Config): Tensor<"int64"> =>
  int64(
    [2 * length - 1],
    Array.from({ length: 2 * length - 1 }, (_, i) => relativeBucket(i - (length - 1), c)),
  );

/**
 * Half of the entries are for keys to the right; of each half, half are for single distances and the rest for ranges
 * that grow with the logarithm, up to the maximum.
 */
export function relativeBucket(distance: number, c: T5Config): number {
  const half = c.relative_attention_num_buckets / 2;
  const exact = half / 2;
  const side = distance > 0 ? half : 0;
  const far = Math.abs(distance);
  if (far < exact) return side + far;
  // In single precision, as the models were trained: at the edges of a range it decides the bucket.
  const f = Math.fround;
  const steps = f(
    f(f(Math.log(far / exact)) / f(Math.log(c.relative_attention_max_distance / exact))) * f(half - exact),
  );
  return side + Math.min(half - 1, exact + Math.trunc(steps));
}

// --- internal ---

/** [1, H, L, L]: what each head adds for a distance. Every layer uses the table of the first. */
function positionBias(p: Scope, inputs: ReturnType<typeof t5Inputs>, c: T5Config): Value {
  const byDistance = embedding(p, inputs.buckets, c.relative_attention_num_buckets, c.num_heads); // [2 L - 1, H]
  const length = ops.sizeOf(inputs.ids, 1);
  const token = ops.range(length, inputs.ids.shape[1]!);
  const distance = ops.sub(ops.unsqueeze(token, [0]), ops.unsqueeze(token, [1])); // [L, L], key - query
  const index = ops.add(distance, ops.sub(length, ops.ints([1])));
  return ops.unsqueeze(ops.transpose(ops.gather(byDistance, index), [2, 0, 1]), [0]);
}

/** T5 does not divide its scores by sqrt(d). */
function selfAttention(p: Scope, x: Value, rows: Rows, bias: Value, c: T5Config): Value {
  const normed = rmsNorm(p.at("layer_norm"), x, c.layer_norm_epsilon);
  const attention = p.at("SelfAttention");
  const heads = (name: string) =>
    splitHeads(linear(attention.at(name), normed, c.num_heads * c.d_kv), rows, c.num_heads);
  const { mixed, weights } = attend(heads("q"), heads("k"), heads("v"), bias);
  attention.tap("weights", weights);
  return linear(attention.at("o"), joinHeads(mixed), c.d_model);
}

function feedForward(p: Scope, x: Value, c: T5Config): Value {
  const normed = rmsNorm(p.at("layer_norm"), x, c.layer_norm_epsilon);
  const dense = p.at("DenseReluDense");
  const wide =
    c.feed_forward_proj === "relu"
      ? ops.relu(linear(dense.at("wi"), normed, c.d_ff))
      : ops.mul(ops.gelu(linear(dense.at("wi_0"), normed, c.d_ff), "tanh"), linear(dense.at("wi_1"), normed, c.d_ff));
  return linear(dense.at("wo"), wide, c.d_model);
}
