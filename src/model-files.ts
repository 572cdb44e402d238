/** @file What a model's folder says besides its weights: config.json, its tokenizer, its defaults, how it hears a melody. */

import { z } from "#zod";
import { canResample } from "./audio/resample.js";
import { checked } from "./checked.js";
import { HocketError } from "./errors.js";
import type { ChromaConfig } from "./melody/chroma.js";
import type { Folder } from "./platform/platform.js";
import { loadSentencePiece } from "./text/spiece.js";
import type { Tokenizer } from "./text/tokenizer.js";
import { loadTokenizer } from "./text/tokenizer-json.js";

export type Json = Readonly<Record<string, unknown>>;

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

/** @throws HocketError "bad-checkpoint" where there is none, or it is no JSON object */
export async function readConfig(folder: Folder): Promise<Json> {
  const config = await readJson(folder, "config.json");
  if (config === undefined)
    throw bad(`${folder.location} has no config.json: give the folder of a model in Hugging Face layout`);
  return config;
}

/** A part of config.json that describes a part of the model. @throws HocketError "bad-checkpoint" where there is none */
export function section(config: Json, name: string, where: string): Json {
  const found = Json.safeParse(config[name]);
  if (!found.success)
    throw bad(`${where} does not describe its "${name}": is it the configuration of a whole MusicGen model?`);
  return found.data;
}

export async function readTokenizer(folder: Folder): Promise<Tokenizer> {
  const json = await readJson(folder, "tokenizer.json");
  if (json !== undefined) return locate(folder, () => loadTokenizer(json));
  const pieces = await readBytes(folder, "spiece.model");
  if (pieces === undefined)
    throw bad(
      `${folder.location} has neither tokenizer.json nor spiece.model, so prompts cannot be read: 'hocket pull' fetches what a model of the hub lacks`,
    );
  // T5's sentinels are not in the file; its tokenizer adds a hundred unless it says otherwise.
  const { extra_ids } = (await readJson(folder, "tokenizer_config.json")) ?? {};
  return locate(folder, () => loadSentencePiece(pieces, typeof extra_ids === "number" ? extra_ids : 100));
}

export async function readDefaults(folder: Folder, frameRate: number): Promise<GenerationDefaults> {
  const json = (await readJson(folder, "generation_config.json")) ?? {};
  const { guidance_scale, temperature, top_k, top_p, do_sample, max_length } = checked(
    GenerationConfig,
    json,
    `${folder.location}/generation_config.json`,
  );
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

/** Melody models: how a tune becomes pitch classes, and how many of them stand before the codes. */
export async function readChroma(
  folder: Folder,
  config: Json,
): Promise<{ config: ChromaConfig; bins: number; length: number }> {
  const where = `${folder.location}/preprocessor_config.json`;
  const json = (await readJson(folder, "preprocessor_config.json")) ?? {};
  const { feature_size, sampling_rate, hop_length, n_fft } = checked(Preprocessor, json, where);
  const { num_chroma, chroma_length } = checked(ChromaSizes, config, `${folder.location}/config.json`);
  if (hop_length * 128 < n_fft)
    throw bad(`${where}: a hop_length of ${hop_length} is too short for an n_fft of ${n_fft}`);
  if (feature_size !== num_chroma)
    throw bad(`${where} makes ${feature_size} pitch classes, the model of config.json hears ${num_chroma}`);
  return {
    config: { sampleRate: sampling_rate, fftSize: n_fft, hop: hop_length, bins: feature_size },
    bins: num_chroma,
    length: chroma_length,
  };
}

// --- internal ---

/** In bytes. The largest, a tokenizer.json, has a few million. */
const longestFile = 2 ** 25;

const Json = z.record(z.string(), z.unknown());

const GenerationConfig = z.object({
  guidance_scale: z.number().min(0).max(100).nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  do_sample: z.boolean().nullish(),
  max_length: z.int().positive().nullish(),
});

const Preprocessor = z.object({
  feature_size: z.int().positive().default(12),
  sampling_rate: z.int().refine(canResample, "is no sample rate").default(32000),
  hop_length: z.int().positive().default(4096),
  n_fft: z
    .int()
    .positive()
    .max(2 ** 20)
    .refine((n) => (n & (n - 1)) === 0, "is no power of two")
    .default(16384),
});

const ChromaSizes = z.object({
  num_chroma: z.int().positive().default(12),
  chroma_length: z
    .int()
    .positive()
    .max(2 ** 16)
    .default(235),
});

const bad = (message: string, cause?: unknown) => new HocketError("bad-checkpoint", message, { cause });

async function readBytes(folder: Folder, name: string): Promise<Uint8Array | undefined> {
  const file = await folder.open(name);
  if (file === undefined) return undefined;
  try {
    if (file.size > longestFile) throw bad(`${folder.location}/${name} has ${file.size} bytes: no model's has as many`);
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

async function readJson(folder: Folder, name: string): Promise<Json | undefined> {
  const bytes = await readBytes(folder, name);
  if (bytes === undefined) return undefined;
  try {
    return Json.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw bad(`${folder.location}/${name} is not a JSON object: get the file again`, cause);
  }
}

/** The readers of tokenizers know their file's name, and not its folder. */
function locate<T>(folder: Folder, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HocketError)) throw error;
    throw new HocketError(error.code, `${folder.location}/${error.message}`, { cause: error });
  }
}
