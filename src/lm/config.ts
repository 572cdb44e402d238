/** @file The numbers of MusicGen's language model, from the `decoder` part of config.json (spec §9.3). */

import { z } from "#zod";
import { checked } from "../checked.js";
import { HocketError } from "../errors.js";
import { delayPattern, type Pattern, stereoDelays } from "./patterns.js";

const Config = z.object({
  vocab_size: z.int().positive().default(2048),
  num_hidden_layers: z.int().positive().default(24),
  ffn_dim: z.int().positive().default(4096),
  num_attention_heads: z.int().positive().default(16),
  hidden_size: z.int().positive().default(1024),
  activation_function: z.enum(["gelu", "relu"]).default("gelu"),
  scale_embedding: z.boolean().default(false),
  num_codebooks: z.int().positive().default(4),
  audio_channels: z.union([z.literal(1), z.literal(2)]).default(1),
  tie_word_embeddings: z.literal(false).default(false),
});

/** Hugging Face's field names, its defaults filled in. */
export type LmConfig = z.infer<typeof Config> & {
  /** Text is attended to in every layer (true), or stands before the codes (false: the melody models). */
  readonly crossAttention: boolean;
};

/** @throws HocketError "bad-checkpoint" naming each field that cannot be */
export function lmConfig(json: unknown, crossAttention: boolean, where: string): LmConfig {
  const config = checked(Config, json, `${where}: this is not a language model that Hocket knows`);
  if (config.hidden_size % config.num_attention_heads !== 0)
    throw new HocketError(
      "bad-checkpoint",
      `${where}: a width of ${config.hidden_size} cannot be split over ${config.num_attention_heads} heads`,
    );
  if (config.num_codebooks % config.audio_channels !== 0)
    throw new HocketError(
      "bad-checkpoint",
      `${where}: ${config.num_codebooks} codebooks cannot be shared by ${config.audio_channels} channels`,
    );
  return { ...config, crossAttention };
}

/** The code that stands where a codebook has none: one past the last. */
export const specialToken = (c: LmConfig): number => c.vocab_size;

/** Codebook k (of each channel) speaks k steps late. */
export function delays(c: LmConfig): number[] {
  const perChannel = Array.from({ length: c.num_codebooks / c.audio_channels }, (_, k) => k);
  return c.audio_channels === 2 ? stereoDelays(perChannel) : perChannel;
}

export const patternFor = (c: LmConfig, frames: number): Pattern => delayPattern(frames, delays(c));
