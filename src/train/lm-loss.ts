/**
 * @file How far the language model's predictions are from the codes that came: masked cross-entropy, a codebook at a time
 * (spec §8.2).
 */

import type { Codes } from "../codes.js";
import * as ops from "../graph/ops.js";
import { constant, input, known, type Scope, type Value } from "../graph/value.js";
import { type LmConfig, patternFor, specialToken } from "../lm/config.js";
import { build, logitSteps, validSteps } from "../lm/patterns.js";
import { positionRows } from "../lm/positions.js";
import { type LmInputs, textMemory, transformer } from "../lm/transformer.js";
import { int64, type Tensor, tensor } from "../tensor.js";

/** Sizes of a batch: B sequences of T frames, at most L text tokens each. */
export interface BatchShape {
  readonly batch: number;
  readonly frames: number;
  readonly tokens: number;
}

/** What the codes are to follow. */
export type LossCondition =
  /** Text to attend to, at the model's width, [B, L, width], and what is added to the scores of its tokens, [B, 1, 1, L]. */
  | { readonly states: Value; readonly mask: Value }
  /**
   * What stands before the codes, [B, F, width]; where every column stands, [B, F + S]; what is added to the scores of
   * each column, [B, 1, 1, F + S].
   */
  | { readonly prefix: Value; readonly places: Value; readonly hidden: Value };

/** S: the columns that a model learns from. The last of the pattern predicts nothing. */
export const lmSteps = (c: LmConfig, frames: number): number => validSteps(patternFor(c, frames)).steps.length - 1;

/**
 * The loss of a batch, fed as `lmBatch` makes it: mean over codebooks of each codebook's mean cross-entropy over the
 * positions that the pattern predicts. Also per codebook, [K], and the logits, [B, K, S, bins].
 * @param condition exactly zero where there is no text
 */
export function lmLoss(p: Scope, condition: LossCondition, c: LmConfig, { batch, frames }: BatchShape) {
  const steps = lmSteps(c, frames);
  const shape = [batch, c.num_codebooks, steps];
  const columns = input("columns", "int64", shape);
  const { logits, byColumn } = transformer(p, { columns, ...conditioned(p, condition, c, steps) }, c, "codes");
  // The logits are much, and stay in the order in which they are made, [B, S, K, bins].
  const turned = (x: Value) => ops.transpose(x, [0, 2, 1]);
  const targets = ops.unsqueeze(turned(input("targets", "int64", shape)), [3]);
  const predicted = turned(input("predicted", "float32", shape));
  const likelihood = ops.squeeze(ops.gatherElements(ops.logSoftmax(byColumn), targets), [3]); // [B, S, K]
  const sum = (x: Value) => ops.squeeze(ops.reduceSum(x, [0, 1]), [0, 1]); // [K]
  const perCodebook = ops.div(ops.neg(sum(ops.mul(likelihood, predicted))), sum(predicted));
  return { loss: ops.squeeze(ops.reduceMean(perCodebook, [0]), [0]), perCodebook, logits };
}

/**
 * Codes of B items, [K][T] each, as `lmLoss` is fed them: what is read, what should follow, and where that is known.
 * @param read what is read, where it is not the codes themselves
 * @param lengths frames of each item that are of a recording: of the silence behind it nothing is learnt
 */
export function lmBatch(
  items: readonly Codes[],
  c: LmConfig,
  read: readonly Codes[] = items,
  lengths: readonly number[] = [],
): Record<"columns" | "targets" | "predicted", Tensor> {
  const frames = items[0]![0]!.length;
  const pattern = validSteps(patternFor(c, frames));
  const steps = lmSteps(c, frames);
  const where = logitSteps(pattern); // [K][T]: the step that predicts a code
  const shape = [items.length, c.num_codebooks, steps];
  const columns: number[] = [];
  const targets = new Array<number>(items.length * c.num_codebooks * steps).fill(0);
  const predicted = tensor("float32", shape);
  for (const [b, grid] of items.entries()) {
    for (const row of build(pattern, read[b]!, specialToken(c))) columns.push(...row.subarray(0, steps));
    for (const [k, row] of where.entries())
      for (const [t, step] of row.entries()) {
        if (step < 0 || t >= (lengths[b] ?? frames)) continue;
        const at = (b * c.num_codebooks + k) * steps + step;
        targets[at] = grid[k]![t]!;
        predicted.data[at] = 1;
      }
  }
  return { columns: int64(shape, columns), targets: int64(shape, targets), predicted };
}

// --- internal ---

function conditioned(p: Scope, condition: LossCondition, c: LmConfig, steps: number): Omit<LmInputs, "columns"> {
  const rowsFor = (count: number, lead: readonly number[]) =>
    constant(tensor("float32", [...lead, count, c.hidden_size], positionRows(0, count, c.hidden_size)));
  if ("prefix" in condition) {
    const { prefix, places, hidden } = condition;
    const count = known(places.shape[1], "columns of a batch");
    return { positions: ops.gather(rowsFor(count, []), places), melody: { prefix, hidden } };
  }
  const memory = textMemory(p, condition.states, c);
  const layers = [...Array(c.num_hidden_layers).keys()];
  return {
    positions: rowsFor(steps, [1]),
    text: {
      keys: layers.map((i) => memory[`text.keys.${i}`]!),
      values: layers.map((i) => memory[`text.values.${i}`]!),
      mask: condition.mask,
    },
  };
}
