/** @file Does a step of the language model's training keep up with PyTorch? Run as a program, it measures our side. */

import type { Row } from "../src/bench/row.js";
import { codes } from "../src/codes.js";
import { differentiate } from "../src/graph/differentiate.js";
import { input, Scope } from "../src/graph/value.js";
import { lmConfig } from "../src/lm/config.js";
import { tensor } from "../src/tensor.js";
import { adamwAll, clipped, musicgenAdamw, rateInputs, rateTensors, zeroMoments } from "../src/train/adamw.js";
import { initialWeights } from "../src/train/initial.js";
import { lmBatch, lmLoss } from "../src/train/lm-loss.js";
import { besideTorch, measureSteps, type Stepping, waves } from "./train-step.js";

/** 10 s of codes at 50 frames a second. */
const setting = { width: 256, layers: 6, heads: 4, codebooks: 4, bins: 1024, columns: 500, batch: 8, tokens: 16 };

export const trainLmRows = (): Promise<Row[]> => besideTorch("train-lm-step", setting);

if (process.argv[1] === import.meta.filename) await ours(JSON.parse(process.argv[2]!) as typeof setting & Stepping);

// --- internal ---

async function ours(s: typeof setting & Stepping): Promise<void> {
  const config = lmConfig(
    {
      vocab_size: s.bins,
      hidden_size: s.width,
      num_hidden_layers: s.layers,
      num_attention_heads: s.heads,
      ffn_dim: 4 * s.width,
      num_codebooks: s.codebooks,
    },
    true,
    "the benchmark",
  );
  const { batch, tokens } = s;
  const frames = s.columns;
  const p = new Scope();
  const text = {
    states: input("states", "float32", [batch, tokens, s.width]),
    mask: input("mask", "float32", [batch, 1, 1, tokens]),
  };
  const { loss } = lmLoss(p, text, config, { batch, frames, tokens });
  const { gradients } = clipped(differentiate(loss, [...p.weights.values()]), 1);
  const grid = () => Int32Array.from({ length: frames }, (_, t) => (t * t) % s.bins);
  const fed = {
    ...lmBatch(
      Array.from({ length: batch }, () => codes(Array.from({ length: s.codebooks }, grid))),
      config,
    ),
    states: tensor("float32", [batch, tokens, s.width], waves(batch * tokens * s.width)),
    mask: tensor("float32", [batch, 1, 1, tokens]),
  };
  await measureSteps(
    { loss, ...adamwAll(p.weights, gradients, rateInputs(), musicgenAdamw) },
    { ...zeroMoments(p.weights), ...Object.fromEntries(initialWeights(p.weights, 1)) },
    (step) => ({ ...fed, ...rateTensors(1e-4, step, musicgenAdamw) }),
    s,
  );
}
