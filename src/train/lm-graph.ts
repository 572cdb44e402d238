/**
 * @file One training step of the language model as one pure graph: weights, moments and a batch in; weights, moments, loss
 * and the gradient's length out.
 */

import { differentiate } from "../graph/differentiate.js";
import { flatten, linear, rowsOf, unflatten } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { LmConfig } from "../lm/config.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { masked, relativeBuckets, type T5Config, t5Encoder } from "../text/t5.js";
import { type AdamwConfig, adamwAll, clipped, rateInputs } from "./adamw.js";
import { type BatchShape, lmLoss } from "./lm-loss.js";

export interface LmGraph {
  readonly loss: Value;
  readonly perCodebook: Value;
  /** What learns, by name. */
  readonly learnt: ReadonlyMap<string, Value>;
  /** Everything declared, what is frozen included. */
  readonly scope: Scope;
}

/**
 * The loss of a batch of codes and texts. With `learnText`, the text encoder learns too; else its weights are bound.
 * @param p where the weights are found: one that has some already gives those (`loraGraph`)
 */
export function lmGraph(
  lm: LmConfig,
  t5: T5Config,
  shape: BatchShape,
  learnText: boolean,
  p: Scope = new Scope(),
): LmGraph {
  const { batch, tokens } = shape;
  const mask = input("text.mask", "float32", [batch, 1, 1, tokens]);
  const states = t5Encoder(
    p.at("text_encoder"),
    {
      ids: input("text.ids", "int64", [batch, tokens]),
      mask,
      buckets: input("text.buckets", "int64", [2 * tokens - 1]),
    },
    t5,
  );
  const keep = input("text.keep", "float32", [batch, tokens, 1]);
  const width = lm.hidden_size;
  const projected =
    t5.d_model === width
      ? states
      : unflatten(linear(p.at("enc_to_dec_proj"), flatten(states), width, { bias: true }), rowsOf(states));
  const { loss, perCodebook } = lmLoss(p.at("decoder"), { states: ops.mul(projected, keep), mask }, lm, shape);
  const learnt = [...p.weights].filter(([name]) => learnText || !name.startsWith("text_encoder."));
  return { loss, perCodebook, learnt: new Map(learnt), scope: p };
}

/** @returns the outputs of one step: `loss`, `norm`, `perCodebook`, and weights and moments under their own names */
export function stepOutputs(
  { loss, perCodebook, learnt }: LmGraph,
  most: number,
  c: AdamwConfig,
): Record<string, Value> {
  const { gradients, norm } = clipped(differentiate(loss, [...learnt.values()]), most);
  return { loss, norm, perCodebook, ...adamwAll(learnt, gradients, rateInputs(), c) };
}

/** Token ids of B prompts, as the graph is fed them; a prompt without tokens is one that was dropped. */
export function textBatch(
  prompts: readonly (readonly number[])[],
  tokens: number,
  t5: T5Config,
): Record<string, Tensor> {
  const ids = new Array<number>(prompts.length * tokens).fill(0);
  const mask = tensor("float32", [prompts.length, 1, 1, tokens]);
  const keep = tensor("float32", [prompts.length, tokens, 1]);
  for (const [b, prompt] of prompts.entries())
    for (let l = 0; l < tokens; l++) {
      const id = prompt[l];
      ids[b * tokens + l] = id ?? 0;
      mask.data[b * tokens + l] = id === undefined ? masked : 0;
      keep.data[b * tokens + l] = id === undefined ? 0 : 1;
    }
  return {
    "text.ids": int64([prompts.length, tokens], ids),
    "text.mask": mask,
    "text.keep": keep,
    "text.buckets": relativeBuckets(tokens, t5),
  };
}
