/**
 * @file The state a codec begins to learn in, and the codebooks that it begins to code with: where the vectors of some
 * sounds lie (k-means, spec §2.2).
 */

import { type CodecConfig, hop } from "../codec/config.js";
import * as whole from "../codec/whole.js";
import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input, Scope } from "../graph/value.js";
import type { Runtime, SessionOptions } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import type { CodecStep, SoundBatch } from "./codec-step.js";
import { initialCodec } from "./initial-codec.js";
import { kMeansStep, pickVectors, startCodebook } from "./k-means.js";
import type { TrainState } from "./state.js";

/** Iterations a codebook, as published. */
const iterations = 50;
/** Vectors for each entry that k-means shall have to choose from. */
const vectorsPerEntry = 8;

/**
 * Weights at random, codebooks empty: `startBooks` fills them.
 * @param given weights to begin with instead: all of a codec's, its codebooks included
 */
export function startCodec(step: CodecStep, seed: number, given: ReadonlyMap<string, Tensor> = new Map()): TrainState {
  const weights = initialCodec(new Map([...step.codec, ...step.discriminators]), seed);
  for (const [name, value] of step.books) weights.set(name, tensor("float32", value.shape as readonly number[]));
  for (const [name, value] of given) if (weights.has(name)) weights.set(name, value);
  return { step: 0, tensors: { ...Object.fromEntries(weights), ...step.start } };
}

/**
 * Codebooks, each on what the ones before it leave over of the vectors that the encoder makes of some sounds.
 * @param sounds batches [B, channels, N] of the data, as many as are asked for
 */
export async function startBooks(
  runtime: Runtime,
  c: CodecConfig,
  { shape, seed, weights }: { shape: SoundBatch; seed: number; weights: Readonly<Record<string, Tensor>> },
  sounds: (index: number) => Promise<Tensor>,
  options: SessionOptions,
): Promise<Record<string, Tensor>> {
  const each = shape.batch * Math.ceil(shape.samples / hop(c));
  const batches = Math.ceil((vectorsPerEntry * c.codebook_size) / each);
  let vectors = await latents(runtime, c, shape, weights, batches, sounds, options);
  const books: Record<string, Tensor> = {};
  const step = kMeansStep(
    input("vectors", "float32", vectors.shape),
    input("embed", "float32", [c.codebook_size, c.hidden_size]),
  );
  const session = await compile(runtime, step, async () => new Map(), options);
  try {
    for (let k = 0; k < shape.codebooks; k++) {
      const picks = pickVectors(c.codebook_size, vectors.shape[0]!, seed, 0, k);
      let embed = rows(vectors, picks);
      let counts: Tensor | undefined;
      for (let i = 0; i < iterations; i++) ({ embed, counts } = (await session.run({ vectors, embed })) as Clusters);
      vectors = ((await session.run({ vectors, embed })) as Clusters).residual;
      for (const [name, value] of Object.entries(startCodebook(embed, counts!, 1 / batches)))
        books[`quantizer.layers.${k}.codebook.${name}`] = value;
    }
  } finally {
    await session.dispose();
  }
  return books;
}

// --- internal ---

type Clusters = { embed: Tensor; counts: Tensor; residual: Tensor };

/** [batches B T, dimension] what the encoder makes of the first sounds. */
async function latents(
  runtime: Runtime,
  c: CodecConfig,
  { batch, samples }: SoundBatch,
  weights: Readonly<Record<string, Tensor>>,
  batches: number,
  sounds: (index: number) => Promise<Tensor>,
  options: SessionOptions,
): Promise<Tensor> {
  const p = new Scope();
  const latent = whole.encoder(p, input("sound", "float32", [batch, c.audio_channels, samples]), c);
  const vectors = ops.reshape(ops.transpose(latent, [0, 2, 1]), [-1, c.hidden_size]);
  const session = await compile(runtime, { vectors }, async () => new Map(), options);
  const fed = Object.fromEntries([...p.weights.keys()].map((name) => [name, weights[name]!]));
  const found: Float32Array[] = [];
  try {
    for (let i = 0; i < batches; i++) {
      const made = await session.run({ sound: await sounds(i), ...fed });
      found.push(made.vectors!.data as Float32Array);
    }
  } finally {
    await session.dispose();
  }
  const all = new Float32Array(found.reduce((sum, { length }) => sum + length, 0));
  for (let i = 0, at = 0; i < found.length; at += found[i++]!.length) all.set(found[i]!, at);
  return tensor("float32", [all.length / c.hidden_size, c.hidden_size], all);
}

/** The rows of a matrix that `picks` names. */
function rows({ data, shape }: Tensor, picks: Tensor<"int64">): Tensor {
  const width = shape[1]!;
  const chosen = new Float32Array(picks.data.length * width);
  for (const [i, row] of picks.data.entries())
    chosen.set((data as Float32Array).subarray(Number(row) * width, (Number(row) + 1) * width), i * width);
  return tensor("float32", [picks.data.length, width], chosen);
}
