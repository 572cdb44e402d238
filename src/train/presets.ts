/** @file Sizes to train, by name: what `--preset` stands for. */

import { type CodecConfig, codecConfig } from "../codec/config.js";
import { type CodecTraining, encodecTraining } from "./codec-step.js";
import { encodecDiscriminator } from "./discriminator.js";

export interface CodecPreset {
  readonly config: CodecConfig;
  readonly codebooks: number;
  readonly batch: number;
  readonly seconds: number;
  readonly steps: number;
  readonly rate: number;
  readonly warmup: number;
  /** Shares of the steps that are done before anything is coded, and before discriminators judge. */
  readonly uncoded: number;
  readonly unjudged: number;
  readonly training: CodecTraining;
}

/**
 * Where steps are few, the wave itself has to pull harder than as published (0.1 of 10.1), or phases are never found.
 * Measured in docs/training.md.
 */
const few: CodecTraining = { ...encodecTraining, shares: { adversarial: 1, features: 2, l1: 1, mel: 2 } };

/** 32 kHz and 50 frames a second: the layout of MusicGen's codec, in which `mini` and `music` differ in width only. */
const music = {
  sampling_rate: 32000,
  upsampling_ratios: [8, 5, 4, 4],
  use_causal_conv: false,
  use_conv_shortcut: false,
};

export const codecPresets: Readonly<Record<string, CodecPreset>> = {
  /** Minutes: enough to hear rhythm and pitch. */
  tiny: {
    config: preset({
      ...music,
      sampling_rate: 16000,
      upsampling_ratios: [8, 5, 4, 2],
      num_filters: 8,
      hidden_size: 32,
      num_lstm_layers: 1,
      codebook_size: 256,
      target_bandwidths: [1.6],
    }),
    codebooks: 4,
    batch: 8,
    seconds: 0.5,
    steps: 400,
    rate: 2e-3,
    warmup: 20,
    uncoded: 0.1,
    unjudged: 1,
    training: { ...few, discriminator: { ffts: [1024, 512, 256], filters: 8 } },
  },
  /** Hours on two cores: the codec of the model in this package. */
  mini: {
    config: preset({
      ...music,
      num_filters: 16,
      hidden_size: 64,
      num_lstm_layers: 1,
      codebook_size: 1024,
      target_bandwidths: [2],
    }),
    codebooks: 4,
    batch: 8,
    seconds: 1,
    steps: 20_000,
    rate: 1e-3,
    warmup: 50,
    uncoded: 0.02,
    unjudged: 0.7,
    // With twice the share for `mel`, as `few` has it, `valid.si_snr` stayed near 3 dB while `valid.mel` was half of what was asked.
    training: {
      ...few,
      shares: { ...few.shares, l1: 1.5, mel: 1.5 },
      discriminator: { ...encodecDiscriminator, filters: 16 },
    },
  },
  /** MusicGen's own, as published: weeks on several GPUs. */
  music: {
    config: preset({ ...music, num_filters: 64, codebook_size: 2048, target_bandwidths: [2.2] }),
    codebooks: 4,
    batch: 64,
    seconds: 1,
    steps: 400_000,
    rate: 3e-4,
    warmup: 0,
    uncoded: 0,
    unjudged: 0,
    training: encodecTraining,
  },
};

// --- internal ---

function preset(fields: object): CodecConfig {
  return codecConfig(fields, "preset");
}
