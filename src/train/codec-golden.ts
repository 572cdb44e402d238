/** @file A small step of a codec that is to learn: judged and coded, on a sound that is drawn. */

import { hop } from "../codec/config.js";
import { graphOf } from "../graph/onnx.js";
import { chance } from "../self-check.js";
import { type Tensor, tensor } from "../tensor.js";
import { rateTensors } from "./adamw.js";
import { startCodec } from "./codec-start.js";
import { codecStep } from "./codec-step.js";
import { type GoldenStep, onesForSquares } from "./golden-step.js";
import { pickVectors } from "./k-means.js";
import type { CodecRun } from "./train-codec.js";

/** @param row of the numbers that are drawn */
export function goldenCodec({ config: c, training: t, samples, codebooks, seed }: CodecRun, row = 0): GoldenStep {
  const shape = { batch: 1, samples: Math.min(longEnough, samples), codebooks };
  const step = codecStep(c, t, shape);
  const outputs = { ...step.losses, ...step.next };
  const sound = tensor("float32", [1, c.audio_channels, shape.samples]);
  for (const i of sound.data.keys())
    sound.data[i] = Math.sin(0.03 * i + i * i * 1e-5) * 0.4 + (chance(i, row) - 0.5) * 0.2;
  const vectors = Math.ceil(shape.samples / hop(c));
  const picks = Array.from({ length: codebooks }, (_, k) => [
    `picks.${k}`,
    pickVectors(c.codebook_size, vectors, seed, 1, k),
  ]);
  const fed: Record<string, Tensor> = {
    ...onesForSquares(startCodec(step, seed).tensors),
    ...Object.fromEntries(picks),
    ...rateTensors(1e-3, 1, t.adam),
    sound,
  };
  for (const [name, { shape }] of Object.entries(fed))
    if (name.includes(".codebook.")) fed[name] = entries(name, shape);
  const { inputs, weights } = graphOf(outputs);
  return { outputs, fed: Object.fromEntries([...inputs.keys(), ...weights.keys()].map((name) => [name, fed[name]!])) };

  /** A codebook whose entries lie apart, each chosen once. */
  function entries(name: string, shape: readonly number[]): Tensor {
    const numbers = tensor("float32", shape);
    const k = Number(/layers\.(\d+)\./.exec(name)?.[1] ?? 0);
    const chosen = name.endsWith("cluster_size");
    for (const i of numbers.data.keys()) numbers.data[i] = chosen ? 1 : chance(i, 100 * (row + 1) + k) * 2 - 1;
    return numbers;
  }
}

// --- internal ---

/** Samples: some frames of the longest spectrogram. */
const longEnough = 8192;
