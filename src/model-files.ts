/** @file The small files of a model's folder, as what they say: configuration, tokenizer, defaults, melody settings. */

import { z } from "zod";
import { HocketError } from "./errors.js";
import type { ChromaConfig } from "./melody/chroma.js";
import type { Folder } from "./platform/platform.js";
import { loadSentencePiece } from "./text/spiece.js";
import type { Tokenizer } from "./text/tokenizer.js";
import { loadTokenizer } from "./text/tokenizer-json.js";

/** What the model's generation_config.json asks for. */
export interface GenerationDefaults {
  readonly guidance?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly greedy?: boolean;
  /** Seconds that the model was trained on: longer pieces are made in windows of this. */
  readonly window: number;
}

/** @throws HocketError "bad-checkpoint" where there is none */
export async function readConfig(folder: Folder): Promise<Json> {
  const config = await readJson(folder, "config.json");
  if (config === undefined)
    throw new HocketError(
      "bad-checkpoint",
      `${folder.location} has no config.json: give the folder of a model in Hugging Face layout`,
    );
  return config;
}

/** From tokenizer.json, else from spiece.model. */
export async function readTokenizer(folder: Folder): Promise<Tokenizer> {
  const json = await readJson(folder, "tokenizer.json");
  if (json !== undefined) return loadTokenizer(json);
  const pieces = await readBytes(folder, "spiece.model");
  if (pieces !== undefined) {
    // T5's sentinels are not in the file; its tokenizer adds a hundred unless it says otherwise.
    const { extra_ids } = (await readJson(folder, "tokenizer_config.json")) ?? {};
    return loadSentencePiece(pieces, typeof extra_ids === "number" ? extra_ids : 100);
  }
  throw new HocketError(
    "bad-checkpoint",
    `${folder.location} has neither tokenizer.json nor spiece.model, so prompts cannot be read: 'hocket pull' fetches what a model of the hub lacks`,
  );
}

export async function readDefaults(folder: Folder, frameRate: number): Promise<GenerationDefaults> {
  const parsed = GenerationConfig.safeParse((await readJson(folder, "generation_config.json")) ?? {});
  if (!parsed.success)
    throw new HocketError(
      "bad-checkpoint",
      `${folder.location}/generation_config.json: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`,
    );
  const { guidance_scale, temperature, top_k, top_p, do_sample, max_length } = parsed.data;
  return {
    ...(guidance_scale == null ? {} : { guidance: guidance_scale }),
    ...(temperature == null ? {} : { temperature }),
    ...(top_k == null ? {} : { topK: top_k }),
    ...(top_p == null || top_p >= 1 ? {} : { topP: top_p }), // transformers' 1.0 is "off"
    ...(do_sample === false ? { greedy: true } : {}),
    // max_length counts steps: 1500 of 50 a second are MusicGen's 30 s, 404 are 8 s and the delays.
    window: max_length == null || max_length < frameRate ? 30 : Math.floor(max_length / frameRate),
  };
}

/** Melody models: how a tune is turned into pitch classes, how many the model takes in, and of how many frames. */
export async function chromaConfig(
  folder: Folder,
  config: Json,
): Promise<{ config: ChromaConfig; bins: number; length: number }> {
  const heard = Preprocessor.safeParse((await readJson(folder, "preprocessor_config.json")) ?? {});
  const taken = MelodySizes.safeParse(config);
  if (!heard.success || !taken.success || heard.data.feature_size !== taken.data.num_chroma)
    throw new HocketError(
      "bad-checkpoint",
      `${folder.location}: preprocessor_config.json and config.json do not say how to read a melody`,
    );
  const { feature_size, sampling_rate, hop_length, n_fft } = heard.data;
  return {
    config: { sampleRate: sampling_rate, fftSize: n_fft, hop: hop_length, bins: feature_size },
    bins: taken.data.num_chroma,
    length: taken.data.chroma_length,
  };
}

// --- internal ---

type Json = Readonly<Record<string, unknown>>;

const GenerationConfig = z.object({
  guidance_scale: z.number().nullish(),
  temperature: z.number().nullish(),
  top_k: z.int().nullish(),
  top_p: z.number().nullish(),
  do_sample: z.boolean().nullish(),
  max_length: z.int().positive().nullish(),
});

const Preprocessor = z.object({
  feature_size: z.int().positive().default(12),
  sampling_rate: z.int().positive().default(32000),
  hop_length: z.int().positive().default(4096),
  n_fft: z.int().positive().default(16384),
});

const MelodySizes = z.object({
  num_chroma: z.int().positive().default(12),
  chroma_length: z.int().positive().default(235),
});

async function readBytes(folder: Folder, name: string): Promise<Uint8Array | undefined> {
  const file = await folder.open(name);
  if (file === undefined) return undefined;
  try {
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

async function readJson(folder: Folder, name: string): Promise<Json | undefined> {
  const bytes = await readBytes(folder, name);
  if (bytes === undefined) return undefined;
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new HocketError("bad-checkpoint", `${folder.location}/${name} is not a JSON object`, { cause });
  }
}
