/**
 * @file What a batch is to be conditioned on, as the training graph is fed it, and what is left out at random so that a
 * model learns to do without (spec §4.3). A row sees what it would see alone at inference, whatever its neighbours are.
 */

import { oneHot } from "../lm/condition.js";
import type { LmConfig } from "../lm/config.js";
import { philox } from "../lm/random.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { masked, relativeBuckets, type T5Config } from "../text/t5.js";
import type { LmShape, MelodyShape } from "./lm-graph.js";
import { lmSteps } from "./lm-loss.js";

/** What one item shall sound like. */
export interface ItemCondition {
  /** Token ids; none where there is no text. */
  readonly text: readonly number[];
  /** Pitch classes, as many as stand before the codes; undefined where there is no melody. */
  readonly melody?: Int32Array | undefined;
  /** Guidance's other half: everything above counts as nothing. */
  readonly dropped?: boolean;
}

export interface Dropout {
  /** Of an item: how often it learns without any condition, as guidance compares with. */
  readonly guidance: number;
  /** Of an item: how often it learns from its text alone. */
  readonly melody: number;
}

/** Leaves conditions out, each item of each step on its own. The same seed, step and item, the same choice. */
export function dropConditions(
  items: readonly ItemCondition[],
  { guidance, melody }: Dropout,
  seed: number,
  step: number,
): ItemCondition[] {
  return items.map((item, i) => {
    const [first, second] = philox([step, i, 0, 2], [seed, seed / 2 ** 32]);
    if (first / 2 ** 32 < guidance) return { ...item, dropped: true };
    return second / 2 ** 32 < melody ? { ...item, melody: undefined } : item;
  });
}

/** The conditions of B items, as `lmGraph` is fed them. Longer texts are cut: see `fitTokens`. */
export function conditionBatch(
  items: readonly ItemCondition[],
  shape: LmShape,
  lm: LmConfig,
  t5: T5Config,
): Record<string, Tensor> {
  const text = textBatch(items, shape.tokens, t5);
  return shape.melody === undefined ? text : { ...text, ...prefixBatch(items, { ...shape, melody: shape.melody }, lm) };
}

/** Token ids, what is added to their scores, and which of their states count. */
export function textBatch(items: readonly ItemCondition[], tokens: number, t5: T5Config): Record<string, Tensor> {
  const ids = new Array<number>(items.length * tokens).fill(0);
  const mask = tensor("float32", [items.length, 1, 1, tokens]);
  const keep = tensor("float32", [items.length, tokens, 1]);
  for (const [b, { text, dropped }] of items.entries())
    for (let l = 0; l < tokens; l++) {
      const id = text[l];
      ids[b * tokens + l] = id ?? 0;
      mask.data[b * tokens + l] = id === undefined ? masked : 0;
      keep.data[b * tokens + l] = id === undefined || dropped === true ? 0 : 1;
    }
  return {
    "text.ids": int64([items.length, tokens], ids),
    "text.mask": mask,
    "text.keep": keep,
    "text.buckets": relativeBuckets(tokens, t5),
  };
}

/** A text of at most `most` tokens: what is over is cut, and the last token, which ends every text, stays. */
export const fitTokens = (ids: readonly number[], most: number): readonly number[] =>
  ids.length <= most ? ids : [...ids.slice(0, most - 1), ids.at(-1)!];

// --- internal ---

/**
 * What stands before the codes, row by row: chroma, then as many rows as the text has (zeros where it was dropped; one
 * where there is none). The columns between a shorter text and the codes are hidden, and the codes count from its end.
 */
function prefixBatch(
  items: readonly ItemCondition[],
  { tokens, frames, melody: { bins, length } }: LmShape & { readonly melody: MelodyShape },
  lm: LmConfig,
): Record<string, Tensor> {
  const before = length + tokens;
  const columns = before + lmSteps(lm, frames);
  const places: number[] = [];
  const hidden = tensor("float32", [items.length, 1, 1, columns]);
  for (const [b, { text }] of items.entries()) {
    const padding = tokens - Math.max(1, text.length);
    for (let column = 0; column < columns; column++) places.push(column < before ? column : column - padding);
    hidden.data.fill(masked, b * columns + before - padding, b * columns + before);
  }
  const heard = items.map(({ melody, dropped }) => (dropped === true ? undefined : melody));
  return { places: int64([items.length, columns], places), hidden, chroma: oneHot(heard, length, bins) };
}
