/** @file The numbers of an EnCodec model, from its config.json (spec §9.3), and what follows from them. */

import { z } from "#zod";
import { checked } from "../checked.js";
import { HocketError } from "../errors.js";

const Config = z.object({
  target_bandwidths: z.array(z.number().positive()).min(1).default([1.5, 3, 6, 12, 24]),
  sampling_rate: z.int().positive().default(24000),
  audio_channels: z.union([z.literal(1), z.literal(2)]).default(1),
  normalize: z.boolean().default(false),
  chunk_length_s: z.number().positive().nullable().default(null),
  overlap: z.number().min(0).lt(1).nullable().default(null),
  hidden_size: z.int().positive().default(128),
  num_filters: z.int().positive().default(32),
  num_residual_layers: z.int().min(0).default(1),
  upsampling_ratios: z.array(z.int().positive()).min(1).default([8, 5, 4, 2]),
  norm_type: z.enum(["weight_norm", "time_group_norm"]).default("weight_norm"),
  kernel_size: z.int().positive().default(7),
  last_kernel_size: z.int().positive().default(7),
  residual_kernel_size: z.int().positive().default(3),
  dilation_growth_rate: z.int().positive().default(2),
  use_causal_conv: z.boolean().default(true),
  pad_mode: z.enum(["reflect", "constant"]).default("reflect"),
  compress: z.int().positive().default(2),
  num_lstm_layers: z.int().min(0).default(2),
  trim_right_ratio: z.number().min(0).max(1).default(1),
  codebook_size: z.int().positive().default(1024),
  codebook_dim: z.int().positive().nullish(),
  use_conv_shortcut: z.boolean().default(true),
});

/** Hugging Face's field names, its defaults filled in. */
export type CodecConfig = z.infer<typeof Config>;

/** @throws HocketError "bad-checkpoint" naming each field that cannot be */
export function codecConfig(json: unknown, where: string): CodecConfig {
  const config = checked(Config, json, `${where}: this is not a codec that Hocket knows`);
  if (config.norm_type === "time_group_norm" && config.use_causal_conv)
    throw new HocketError(
      "bad-checkpoint",
      `${where}: time_group_norm looks at the whole clip, so it cannot be causal`,
    );
  if (config.codebook_dim != null && config.codebook_dim !== config.hidden_size)
    throw new HocketError(
      "unsupported",
      `${where}: codebook_dim ${config.codebook_dim} differs from hidden_size ${config.hidden_size}`,
    );
  return config;
}

/** Samples per frame. */
export const hop = (c: CodecConfig): number => c.upsampling_ratios.reduce((product, ratio) => product * ratio, 1);

/** Frames per second. */
export const frameRate = (c: CodecConfig): number => Math.ceil(c.sampling_rate / hop(c));

/** Samples per chunk and from one chunk's start to the next, where the codec works in chunks (spec §1.5). */
export function chunking(c: CodecConfig): { length: number; stride: number } | undefined {
  if (c.chunk_length_s === null) return undefined;
  const length = Math.floor(c.chunk_length_s * c.sampling_rate);
  return { length, stride: Math.max(1, Math.floor((1 - (c.overlap ?? 0)) * length)) };
}

/**
 * How many codebooks fit a bandwidth in kbit/s: each costs log2(bins) bits a frame.
 * @param stored the number of codebooks that the checkpoint holds
 */
export function codebooksFor(c: CodecConfig, bandwidth: number | undefined, stored: number): number {
  if (bandwidth === undefined) return stored;
  if (!c.target_bandwidths.includes(bandwidth))
    throw new HocketError(
      "bad-request",
      `this codec has no bandwidth of ${bandwidth} kbit/s: it has ${c.target_bandwidths.join(", ")}`,
    );
  const bitsPerSecond = Math.log2(c.codebook_size) * frameRate(c);
  return Math.min(stored, Math.max(1, Math.floor((1000 * bandwidth) / bitsPerSecond)));
}
