/**
 * @file Where codebooks start: at the means of the first batch's vectors, found by k-means (Lloyd 1982), each codebook on
 * what the ones before it left over. And which vectors are picked, at the start and when an entry starts again.
 */

import { nearest } from "../codec/rvq.js";
import * as ops from "../graph/ops.js";
import type { Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { type Codebook, gatherUp } from "./rvq-training.js";

/**
 * One step: entries [bins, dimension] move to the mean of the vectors [N, dimension] nearest to them, and those that have
 * none stay.
 * @returns the entries, how many vectors each had, [bins], and what the entries before this step leave over of the vectors
 */
export function kMeansStep(vectors: Value, embed: Value) {
  const chosen = nearest(vectors, embed);
  const { counts, sums } = gatherUp(embed, vectors, chosen);
  const column = ops.unsqueeze(counts, [1]);
  const empty = ops.less(column, ops.scalar(1));
  const means = ops.where(empty, embed, ops.div(sums, ops.where(empty, ops.scalar(1), column)));
  return { embed: means, counts, residual: ops.sub(vectors, ops.gather(embed, chosen)) };
}

/**
 * The codebook that k-means found: `embed` [bins, dimension], chosen by `counts` [bins] vectors.
 * @param share how many vectors a step has, of those that were counted: with the counts of many batches a codebook would
 * not follow an encoder that moves on, and fall behind by the first hundred steps
 * @param asPublished the reference forgets to multiply the sums by the counts, which shrinks every entry to almost
 * nothing at the first step
 */
export function startCodebook(embed: Tensor, counted: Tensor, share = 1, asPublished = false): Codebook<Tensor> {
  const counts = tensor(
    "float32",
    counted.shape,
    Float32Array.from(counted.data as Float32Array, (n) => share * n),
  );
  const width = embed.shape[1]!;
  const sums = Float32Array.from(embed.data as Float32Array, (value, i) =>
    asPublished ? value : value * Number(counts.data[Math.floor(i / width)]),
  );
  return { embed, cluster_size: counts, embed_avg: tensor("float32", embed.shape, sums) };
}

/** `count` different ones of the numbers below `of`; where there are not so many, some more than once. int64 [count]. */
export function pickVectors(count: number, of: number, seed: number, step: number, codebook: number): Tensor<"int64"> {
  const order = Int32Array.from({ length: of }, (_, i) => i);
  const picks = Array.from({ length: count }, (_, i) => {
    const [word] = philox([step, codebook, i, 1], [seed, seed / 2 ** 32]);
    const from = count <= of ? i : 0; // what was picked moves to the front, and stays there
    const at = from + Math.floor((word / 2 ** 32) * (of - from));
    const pick = order[at]!;
    order[at] = order[from]!;
    order[from] = pick;
    return pick;
  });
  return int64([count], picks);
}
