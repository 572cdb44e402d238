/**
 * @file How codebooks learn: not by gradients, but by moving to the middle of the vectors that chose them (spec §2.2;
 * van den Oord, Vinyals and Kavukcuoglu, arXiv 1711.00937, appendix A.1).
 */

import type { CodecConfig } from "../codec/config.js";
import { codebook, nearest } from "../codec/rvq.js";
import { assert } from "../errors.js";
import { scatterAdd, zerosLike } from "../graph/backward.js";
import * as ops from "../graph/ops.js";
import { constant, input, known, type Scope, type Value } from "../graph/value.js";
import { tensor } from "../tensor.js";
import { squaredError } from "./distance.js";

export interface RvqTraining {
  /** How much of the past a codebook keeps at a step. */
  readonly decay: number;
  /** Keeps the size of an unused entry from being zero. */
  readonly epsilon: number;
  /**
   * An entry that is chosen less often than this share of the mean is dead, and starts again at a vector of the batch.
   * 0: never, as in the reference (which means to, but overwrites what it revived in the same step).
   */
  readonly deadBelow: number;
}

export const rvqTraining: RvqTraining = { decay: 0.99, epsilon: 1e-5, deadBelow: 0.1 };

/** A codebook's entries [bins, dimension], how many vectors choose each [bins], and the sums of those, both smoothed. */
export interface Codebook<T = Value> {
  readonly embed: T;
  readonly cluster_size: T;
  readonly embed_avg: T;
}

/**
 * Quantises a latent [B, dimension, T] in training. With `deadBelow`, each codebook k needs the input `picks.k`, int64
 * [bins], of `pickVectors`.
 * @returns codes [B, K, T]; quantized [B, dimension, T], through which the latent learns as if nothing had happened;
 * commitment [K], how far each codebook is from what it coded, and penalty, their mean; and the codebooks after this
 * step, under their weights' names. Codes are of the codebooks before it.
 */
export function quantizeAndLearn(p: Scope, latent: Value, codebooks: number, c: CodecConfig, t: RvqTraining) {
  const shape = [c.codebook_size, c.hidden_size];
  const [codes, commitment]: [Value[], Value[]] = [[], []];
  const next: Record<string, Value> = {};
  const start = ops.transpose(latent, [0, 2, 1]);
  let residual = start; // [B, T, dimension]
  for (let k = 0; k < codebooks; k++) {
    const q = codebook(p, k);
    const old = {
      embed: q.weight("embed", shape),
      cluster_size: q.weight("cluster_size", [c.codebook_size]),
      embed_avg: q.weight("embed_avg", shape),
    };
    const chosen = nearest(residual, old.embed); // [B, T]
    const entries = ops.gather(old.embed, chosen);
    codes.push(ops.unsqueeze(chosen, [1]));
    commitment.push(squaredError(residual, entries));
    const vectors = ops.reshape(residual, [-1, c.hidden_size]);
    const picks = t.deadBelow > 0 ? input(`picks.${k}`, "int64", [c.codebook_size]) : undefined;
    const learnt = follow(old, vectors, ops.reshape(chosen, [-1]), t, picks);
    for (const [name, value] of Object.entries(learnt)) next[weightName(old[name as keyof Codebook])] = value;
    residual = ops.sub(residual, entries);
  }
  const error = ops.detach(ops.neg(residual)); // the sum of all entries, minus what they code
  const perCodebook = ops.concat(
    commitment.map((one) => ops.unsqueeze(one, [0])),
    0,
  );
  return {
    codes: ops.concat(codes, 1),
    quantized: ops.transpose(ops.add(start, error), [0, 2, 1]),
    commitment: perCodebook,
    penalty: ops.squeeze(ops.reduceMean(perCodebook, [0]), [0]),
    next,
  };
}

/**
 * A codebook after a step in which the rows of `vectors` [N, dimension] chose the entries `chosen`, int64 [N].
 * @param picks int64 [bins]: the vector at which each entry starts again if it is dead
 */
export function follow(old: Codebook, vectors: Value, chosen: Value, t: RvqTraining, picks?: Value): Codebook {
  const { add, div, mul, scalar } = ops;
  const smoothed = (before: Value, now: Value) => add(mul(scalar(t.decay), before), mul(scalar(1 - t.decay), now));
  const { counts, sums } = gatherUp(old.embed, vectors, chosen);
  let cluster_size = smoothed(old.cluster_size, counts);
  let embed_avg = smoothed(old.embed_avg, sums);
  if (picks !== undefined) {
    const least = mul(scalar(t.deadBelow), ops.reduceMean(cluster_size, [0])); // [1]
    const dead = ops.less(cluster_size, least);
    embed_avg = ops.where(ops.unsqueeze(dead, [1]), mul(ops.gather(vectors, picks), least), embed_avg);
    cluster_size = ops.where(dead, least, cluster_size);
  }
  const all = ops.reduceSum(cluster_size, [0]);
  const bins = known(old.embed.shape[0], "a codebook's size");
  const share = div(add(cluster_size, scalar(t.epsilon)), add(all, scalar(bins * t.epsilon)));
  return { embed: div(embed_avg, ops.unsqueeze(mul(share, all), [1])), cluster_size, embed_avg };
}

/** How many of `vectors` [N, dimension] chose each entry, [bins], and the sum of those, [bins, dimension]. */
export function gatherUp(embed: Value, vectors: Value, chosen: Value) {
  const [count, bins] = [
    known(vectors.shape[0], "how many vectors there are"),
    known(embed.shape[0], "a codebook's size"),
  ];
  const ones = constant(tensor("float32", [count], new Float32Array(count).fill(1)));
  return {
    counts: scatterAdd(constant(tensor("float32", [bins])), chosen, ones),
    sums: scatterAdd(zerosLike(embed), chosen, vectors),
  };
}

// --- internal ---

function weightName({ origin }: Value): string {
  assert(origin.kind === "weight", "a codebook is made of weights");
  return origin.name;
}
