/** @file A small step of a language model that is to learn: its first layers, at their real width, on codes that are drawn. */

import { codes } from "../codes.js";
import { graphOf as onnxGraph } from "../graph/onnx.js";
import type { Tensors } from "../platform/platform.js";
import { chance, drawn } from "../self-check.js";
import { type GoldenStep, onesForSquares } from "./golden-step.js";
import { initialWeights } from "./initial.js";
import { conditionBatch } from "./lm-conditions.js";
import { lmBatch } from "./lm-loss.js";
import { stepOutputs } from "./lm-step.js";
import { type Around, boundBut, choicesOf, graphOf, type LmRun } from "./train-lm.js";

export function goldenLm(run: LmRun, bind: Around["bind"]): GoldenStep {
  const { model, shape } = run;
  const lm = { ...model.lm, num_hidden_layers: Math.min(few, model.lm.num_hidden_layers) };
  const t5 = { ...model.t5, num_layers: Math.min(few, model.t5.num_layers) };
  const melody = shape.melody && { bins: shape.melody.bins, length: Math.min(4, shape.melody.length) };
  const small = {
    ...{ batch: 2, frames: Math.min(longEnough, shape.frames), tokens: Math.min(3, shape.tokens) },
    ...(melody && { melody }),
  };
  const graph = graphOf({ ...run, model: { ...model, lm, t5 }, shape: small });
  const choices = choicesOf(run);
  const outputs = stepOutputs(graph, choices);
  const items = Array.from({ length: small.batch }, (_, b) => ({
    text: [...drawn(small.tokens - 1 - b, t5.vocab_size, b), 1].slice(-small.tokens),
    melody: melody && Int32Array.from({ length: melody.length }, (_, t) => Math.floor(chance(t, b) * melody.bins)),
  }));
  const grids = items.map((_, b) =>
    codes(Array.from({ length: lm.num_codebooks }, (_, k) => drawn(small.frames, lm.vocab_size, 8 * b + k))),
  );
  const fed: Tensors = {
    ...lmBatch(grids, lm),
    ...conditionBatch(items, small, lm, t5),
    ...onesForSquares(choices.optimiser.start(graph.learnt)),
    ...Object.fromEntries(initialWeights(graph.learnt, run.seed)),
    ...choices.optimiser.fed(1e-2, 1),
  };
  const { inputs, weights } = onnxGraph(outputs);
  const read = [...inputs.keys(), ...[...weights.keys()].filter((name) => graph.learnt.has(name))];
  return {
    outputs,
    fed: Object.fromEntries(read.map((name) => [name, fed[name]!])),
    bind: boundBut(graph.learnt, bind),
  };
}

// --- internal ---

/** Layers. */
const few = 2;
/** Frames: so many that attention is taken in pieces. */
const longEnough = 260;
