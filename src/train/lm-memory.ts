/** @file What a run of the language model needs of a machine, before it starts: parameters and bytes. */

import type { LmConfig } from "../lm/config.js";
import { elementCount } from "../tensor.js";
import type { LmShape } from "./lm-graph.js";
import { lmSteps } from "./lm-loss.js";
import type { StateShapes } from "./state.js";

/**
 * Bytes that a step takes at its worst moment, roughly: the state on both sides of the thread before and after a step,
 * and what the forward pass keeps for the backward pass. The shares are fitted to runs of two to eight layers.
 * @param shapes of the state
 * @param still numbers of the weights that do not learn
 */
export function stepBytes(lm: LmConfig, shape: LmShape, shapes: StateShapes, still: number): number {
  const state = [...shapes.values()].reduce((sum, size) => sum + elementCount(size), 0);
  const steps = lmSteps(lm, shape.frames);
  const columns = steps + (shape.melody === undefined ? 0 : shape.melody.length + shape.tokens);
  const layer =
    columns * (keptOfLayer * lm.hidden_size + 2 * lm.ffn_dim + keptOfScores * lm.num_attention_heads * columns);
  const logits = keptOfLogits * steps * lm.num_codebooks * lm.vocab_size;
  return (
    program + 4 * (stateCopies * state + stillCopies * still + shape.batch * (lm.num_hidden_layers * layer + logits))
  );
}

// --- internal ---

const stateCopies = 4;
/** The weights, and under an adapter the sum with it. */
const stillCopies = 2;
/** Numbers kept of a column in a layer, in widths. */
const keptOfLayer = 14;
/** Matrices of attention kept a head. */
const keptOfScores = 2;
/** Matrices of logits that are there at once. */
const keptOfLogits = 4;
/** Bytes of the process and the runtime. */
const program = 250e6;
