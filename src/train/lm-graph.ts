/**
 * @file The language model's loss as one pure graph: weights and a batch in, loss out; in both layouts, with text that is
 * attended to in every layer, or with chroma and text that stand before the codes.
 */

import { flatten, linear, rowsOf, unflatten } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { LmConfig } from "../lm/config.js";
import { type T5Config, t5Encoder } from "../text/t5.js";
import { type BatchShape, type LossCondition, lmLoss, lmSteps } from "./lm-loss.js";

/** Sizes of a batch and, for melody models, of the chroma before it. */
export interface LmShape extends BatchShape {
  readonly melody?: MelodyShape;
}

export interface MelodyShape {
  /** Pitch classes. */
  readonly bins: number;
  /** Frames of chroma. */
  readonly length: number;
}

export interface LmGraph {
  readonly loss: Value;
  readonly perCodebook: Value;
  /** [B, K, S, bins] */
  readonly logits: Value;
  /** What learns, by name. */
  readonly learnt: ReadonlyMap<string, Value>;
  /** Everything declared, what is frozen included. */
  readonly scope: Scope;
}

/**
 * The loss of a batch, fed as `lmBatch` and `conditionBatch` make it. With `learnText`, the text encoder learns too; else
 * its weights are bound.
 * @param p where the weights are found: one that has some already gives those (`loraGraph`)
 */
export function lmGraph(
  lm: LmConfig,
  t5: T5Config,
  shape: LmShape,
  learnText: boolean,
  p: Scope = new Scope(),
): LmGraph {
  const mask = input("text.mask", "float32", [shape.batch, 1, 1, shape.tokens]);
  const states = textStates(p, mask, lm, t5, shape);
  const condition =
    shape.melody === undefined ? { states, mask } : prefixed(p, states, lm, { ...shape, melody: shape.melody });
  const { loss, perCodebook, logits } = lmLoss(p.at("decoder"), condition, lm, shape);
  const learnt = [...p.weights].filter(([name]) => learnText || !name.startsWith("text_encoder."));
  return { loss, perCodebook, logits, learnt: new Map(learnt), scope: p };
}

// --- internal ---

/** The text at the model's width, [B, L, width]; exactly zero where there is none. */
function textStates(p: Scope, mask: Value, lm: LmConfig, t5: T5Config, { batch, tokens }: LmShape): Value {
  const states = t5Encoder(
    p.at("text_encoder"),
    {
      ids: input("text.ids", "int64", [batch, tokens]),
      mask,
      buckets: input("text.buckets", "int64", [2 * tokens - 1]),
    },
    t5,
  );
  const atWidth = t5.d_model === lm.hidden_size ? states : projected(p.at("enc_to_dec_proj"), states, lm.hidden_size);
  return ops.mul(atWidth, input("text.keep", "float32", [batch, tokens, 1]));
}

/** Chroma, then text, before the codes. */
function prefixed(
  p: Scope,
  text: Value,
  lm: LmConfig,
  { batch, frames, tokens, melody: { bins, length } }: LmShape & { melody: MelodyShape },
): LossCondition {
  const chroma = input("chroma", "float32", [batch, length, bins]);
  const melody = projected(p.at("audio_enc_to_dec_proj"), chroma, lm.hidden_size);
  const columns = length + tokens + lmSteps(lm, frames);
  return {
    prefix: ops.concat([melody, text], 1),
    places: input("places", "int64", [batch, columns]),
    hidden: input("hidden", "float32", [batch, 1, 1, columns]),
  };
}

const projected = (p: Scope, x: Value, width: number): Value =>
  unflatten(linear(p, flatten(x), width, { bias: true }), rowsOf(x));
