/** @file Does a step of the language model's training keep up with PyTorch? Run as a program, it measures our side. */

import type { Row } from "../src/bench/row.js";
import { codes } from "../src/codes.js";
import { differentiate } from "../src/graph/differentiate.js";
import { input, Scope } from "../src/graph/value.js";
import { lmConfig } from "../src/lm/config.js";
import type { Fed, Runtime } from "../src/platform/platform.js";
import { type Tensor, tensor } from "../src/tensor.js";
import { adamwAll, clipped, musicgenAdamw, rateInputs, rateTensors, zeroMoments } from "../src/train/adamw.js";
import { initialWeights } from "../src/train/initial.js";
import { lmBatch, lmLoss } from "../src/train/lm-loss.js";
import { releaseTensors } from "../src/train/state.js";
import { compileStepper } from "../src/train/stepper.js";
import { besideTorch, measureSteps, type Stepping, waves } from "./train-step.js";

/** 10 s of codes at 50 frames a second. */
const setting = { width: 256, layers: 6, heads: 4, codebooks: 4, bins: 1024, columns: 500, batch: 8, tokens: 16 };
type Setting = typeof setting;

/** Models that a GPU may learn: that of the rows below, MusicGen small, and one to try it with. */
export const trainingSizes: Readonly<Record<string, Setting>> = {
  mini: setting,
  small: { ...setting, width: 1024, layers: 24, heads: 16, bins: 2048 },
  tiny: { ...setting, width: 32, layers: 1, heads: 2, bins: 16, columns: 8, batch: 2, tokens: 3 },
};

export const trainLmRows = (): Promise<Row[]> => besideTorch("train-lm-step", setting);

if (process.argv[1] === import.meta.filename) {
  const given = JSON.parse(process.argv[2]!) as Setting & Stepping;
  const { outputs, start, feeds } = described(given);
  await measureSteps(outputs, start, feeds, given);
}

/** Steps on a runtime, whose state stays there: seconds of each but the first. */
export async function stepsOfTraining(runtime: Runtime, s: Setting, { steps, threads }: Stepping): Promise<number[]> {
  const { outputs, start, feeds } = described(s);
  const step = await compileStepper(runtime, outputs, ["loss"], async () => new Map(), { threads });
  const seconds: number[] = [];
  let state: Fed = start;
  for (let t = 1; t <= steps + 1; t++) {
    const begun = performance.now();
    const { loss, ...next } = await step({ ...state, ...feeds(t) });
    seconds.push((performance.now() - begun) / 1000);
    if (!Number.isFinite((loss as Tensor<"float32">).data[0])) throw new Error(`the loss of step ${t} is no number`);
    await releaseTensors(runtime, state, next);
    state = next;
  }
  await releaseTensors(runtime, state);
  return seconds.slice(1);
}

// --- internal ---

function described(s: Setting) {
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
  return {
    outputs: { loss, ...adamwAll(p.weights, gradients, rateInputs(), musicgenAdamw) },
    start: { ...zeroMoments(p.weights), ...Object.fromEntries(initialWeights(p.weights, 1)) },
    feeds: (step: number) => ({ ...fed, ...rateTensors(1e-4, step, musicgenAdamw) }),
  };
}
