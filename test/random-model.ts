/**
 * @file For tests: whole models of kinds that this repository has no weights of: stereo, and with a melody. Text encoder
 * and codec are those of models/mini-reference; the language model is tiny and random.
 */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LmConfig, lmConfig } from "../src/lm/config.js";
import { LanguageModel } from "../src/lm/lm.js";
import { uniform } from "../src/lm/random.js";
import { openFolder } from "../src/platform/node.js";
import type { Runtime } from "../src/platform/platform.js";
import { elementCount, type Tensor, tensor } from "../src/tensor.js";
import { openCheckpoint } from "../src/weights/checkpoint.js";
import { writeSafetensors } from "../src/weights/safetensors.js";
import { repositoryFile } from "./golden.js";

export type Kind = "mono" | "stereo" | "melody";

/** Seconds of its window: short, so that a few seconds are a long piece. */
export const windowSeconds = 2;

/** Writes a model in Hugging Face's layout into the folder `path`. The same seed, the same model. */
export async function writeRandomModel(path: string, kind: Kind, seed = 1): Promise<void> {
  const base = JSON.parse(readFileSync(join(mini, "config.json"), "utf8"));
  const decoder = {
    ...base.decoder,
    num_hidden_layers: 2,
    hidden_size: 48,
    num_attention_heads: 4,
    ffn_dim: 96,
    ...(kind === "stereo" ? { num_codebooks: 8, audio_channels: 2 } : {}),
  };
  const melody = kind === "melody" ? { num_chroma: 12, chroma_length: 63 } : {};
  const config = { ...base, ...melody, model_type: kind === "melody" ? "musicgen_melody" : "musicgen", decoder };
  const files = {
    "config.json": config,
    "generation_config.json": { guidance_scale: 3, top_k: 250, do_sample: true, max_length: windowSeconds * 50 + 4 },
    "preprocessor_config.json":
      kind === "melody"
        ? { feature_size: 12, sampling_rate: 16000, hop_length: 512, n_fft: 4096, chunk_length: windowSeconds }
        : { feature_size: kind === "stereo" ? 2 : 1, sampling_rate: 16000 },
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), JSON.stringify(content));
  copyFileSync(join(mini, "tokenizer.json"), join(path, "tokenizer.json"));
  writeFileSync(join(path, "README.md"), "---\nlicense: cc0-1.0\n---\n");
  const weights = {
    ...(await miniWeights()),
    ...randomWeights(lmConfig(decoder, kind !== "melody", "test"), seed),
  };
  writeFileSync(join(path, "model.safetensors"), writeSafetensors(weights));
}

/** For what describes and never computes. */
export const noRuntime: Runtime = {
  device: "cpu",
  external: String,
  createSession: () => nothingHere(),
  place: () => nothingHere(),
  read: () => nothingHere(),
  release: () => nothingHere(),
  beside: () => noRuntime,
  dispose: async () => {},
};

// --- internal ---

const nothingHere = (): Promise<never> => Promise.reject(new Error("nothing is computed here"));

const mini = repositoryFile("models/mini-reference");

/** The text encoder and the codec. */
async function miniWeights(): Promise<Record<string, Tensor>> {
  const checkpoint = await openCheckpoint(await openFolder(mini));
  const names = [...checkpoint.tensors.keys()].filter((name) => /^(text|audio)_encoder\./.test(name));
  const weights = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await checkpoint.read(name)])));
  await checkpoint.close();
  return weights;
}

/** Every weight that the language model declares. Larger than usual, so that its choices depend on what it is given. */
function randomWeights(config: LmConfig, seed: number): Record<string, Tensor> {
  const around = { textWidth: 128, ...(config.crossAttention ? {} : { melody: { bins: 12, length: 63 } }) };
  const lm = new LanguageModel(config, around, noRuntime, () => Promise.reject(new Error("nothing is bound here")));
  const weights: Record<string, Tensor> = {};
  for (const [t, [name, { shape }]] of [...lm.describe().weights].entries()) {
    const sizes = shape as readonly number[];
    const scale = name.includes("embed_tokens") ? 1 : 2 / Math.sqrt(sizes.at(-1)!);
    const norm = /norm\.weight$/.test(name);
    const data = Float32Array.from({ length: elementCount(sizes) }, (_, i) =>
      norm ? 1 : scale * (2 * uniform(seed, i, t) - 1),
    );
    weights[name] = tensor("float32", sizes, data);
  }
  return weights;
}
