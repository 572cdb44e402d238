/**
 * @file How far the language model's predictions are from the codes that came: masked cross-entropy, a codebook at a time
 * (spec §8.2).
 */

import type { Codes } from "../codes.js";
import * as ops from "../graph/ops.js";
import { constant, input, type Scope, type Value } from "../graph/value.js";
import { type LmConfig, patternFor, specialToken } from "../lm/config.js";
import { build, logitSteps, validSteps } from "../lm/patterns.js";
import { positionRows } from "../lm/positions.js";
import { textMemory, transformer } from "../lm/transformer.js";
import { int64, type Tensor, tensor } from "../tensor.js";

/** Sizes of a batch: B sequences of T frames, L text tokens. */
export interface BatchShape {
  readonly batch: number;
  readonly frames: number;
  readonly tokens: number;
}

/**
 * The loss of a batch, fed as `lmBatch` makes it: mean over codebooks of each codebook's mean cross-entropy over the
 * positions that the pattern predicts. Also per codebook, [K].
 * @param text at the model's width, [B, L, width], exactly zero where there is none; and what is added to the scores of
 * its tokens, [B, 1, 1, L]
 */
export function lmLoss(p: Scope, text: { states: Value; mask: Value }, c: LmConfig, { batch, frames }: BatchShape) {
  const steps = validSteps(patternFor(c, frames)).steps.length - 1; // the last column predicts nothing
  const shape = [batch, c.num_codebooks, steps];
  const memory = textMemory(p, text.states, c);
  const layers = [...Array(c.num_hidden_layers).keys()];
  const { logits } = transformer(
    p,
    {
      columns: input("columns", "int64", shape),
      positions: constant(tensor("float32", [1, steps, c.hidden_size], positionRows(0, steps, c.hidden_size))),
      text: {
        keys: layers.map((i) => memory[`text.keys.${i}`]!),
        values: layers.map((i) => memory[`text.values.${i}`]!),
        mask: text.mask,
      },
    },
    c,
    "all",
  );
  const targets = ops.unsqueeze(input("targets", "int64", shape), [3]);
  const predicted = input("predicted", "float32", shape);
  const likelihood = ops.squeeze(ops.gatherElements(ops.logSoftmax(logits), targets), [3]); // [B, K, S]
  const sum = (x: Value) => ops.squeeze(ops.reduceSum(x, [0, 2]), [0, 2]); // [K]
  const perCodebook = ops.div(ops.neg(sum(ops.mul(likelihood, predicted))), sum(predicted));
  return { loss: ops.squeeze(ops.reduceMean(perCodebook, [0]), [0]), perCodebook, logits };
}

/** Codes of B items, [K][T] each, as `lmLoss` is fed them: what is read, what should follow, and where that is known. */
export function lmBatch(items: readonly Codes[], c: LmConfig): Record<"columns" | "targets" | "predicted", Tensor> {
  const frames = items[0]![0]!.length;
  const pattern = validSteps(patternFor(c, frames));
  const steps = pattern.steps.length - 1;
  const where = logitSteps(pattern); // [K][T]: the step that predicts a code
  const shape = [items.length, c.num_codebooks, steps];
  const columns: number[] = [];
  const targets = new Array<number>(items.length * c.num_codebooks * steps).fill(0);
  const predicted = tensor("float32", shape);
  for (const [b, grid] of items.entries()) {
    for (const row of build(pattern, grid, specialToken(c))) columns.push(...row.subarray(0, steps));
    for (const [k, row] of where.entries())
      for (const [t, step] of row.entries()) {
        if (step < 0) continue;
        const at = (b * c.num_codebooks + k) * steps + step;
        targets[at] = grid[k]![t]!;
        predicted.data[at] = 1;
      }
  }
  return { columns: int64(shape, columns), targets: int64(shape, targets), predicted };
}
