/** @file Sizes to train from scratch, and the numbers of config.json that follow from them (Hugging Face's field names). */

import { HocketError } from "../errors.js";
import { type LmConfig, lmConfig } from "../lm/config.js";
import { type T5Config, t5Config } from "../text/t5.js";

export const layouts = ["musicgen", "musicgen_melody"] as const;
/** Text attended to in every layer; or chroma and text before the codes, so that both can be given at once. */
export type Layout = (typeof layouts)[number];

export interface LmSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly text: TextSizes;
}

export interface TextSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Pieces that captions are cut into, at most. */
  readonly vocabulary: number;
}

/** How a run goes about it, whatever the size. */
export interface LmSchedule {
  readonly batch: number;
  /** Batches whose gradients are summed to one step. */
  readonly pieces: number;
  readonly steps: number;
  readonly rate: number;
  readonly warmup: number;
  /** See `AdamwConfig`. */
  readonly inLayers: number;
}

export interface LmPreset extends LmSizes, LmSchedule {
  readonly seconds: number;
}

/** Going on with a model, or learning an adapter for it. */
export const onwards: LmSchedule = { batch: 4, pieces: 1, steps: 2000, rate: 1e-4, warmup: 50, inLayers: 1 };
export const adapting: LmSchedule = { ...onwards, rate: 1e-3 };

export const lmPresets: Readonly<Record<string, LmPreset>> = {
  /** A few minutes on two cores: to see that everything works. */
  tiny: {
    ...{ layers: 4, width: 128, heads: 4, text: { layers: 1, width: 64, heads: 2, vocabulary: 500 } },
    ...{ batch: 8, pieces: 1, seconds: 5, steps: 600, rate: 4e-3, warmup: 30, inLayers: 1 / 3 },
  },
  /** A day on two cores: the model in this package. */
  mini: {
    ...{ layers: 8, width: 256, heads: 4, text: { layers: 2, width: 128, heads: 4, vocabulary: 1500 } },
    ...{ batch: 8, pieces: 1, seconds: 10, steps: 30_000, rate: 4e-3, warmup: 50, inLayers: 1 / 3 },
  },
  /** MusicGen small, with T5 small's sizes: weeks on several GPUs. */
  small: {
    ...{ layers: 24, width: 1024, heads: 16, text: { layers: 6, width: 512, heads: 8, vocabulary: 8000 } },
    ...{ batch: 8, pieces: 24, seconds: 30, steps: 1_000_000, rate: 1e-4, warmup: 4000, inLayers: 1 },
  },
};

/** That of a preset, if one is named; else as fits what is begun with. */
export function usualSchedule(preset: string | undefined, goesOn: boolean, adapts: boolean): LmSchedule {
  if (preset !== undefined) return lmPresets[preset]!;
  if (!goesOn) return lmPresets.mini!;
  return adapts ? adapting : onwards;
}

/** What the codes are like that a model learns to write. */
export interface CodeShape {
  /** Of one channel. */
  readonly codebooks: number;
  readonly bins: number;
  /** 2: left and right codes in turn, each of the codec's own. */
  readonly sides: 1 | 2;
}

/** The language model's and the text encoder's numbers. @throws HocketError "bad-request" for sizes that cannot be */
export function configsFor(
  { layers, width, heads, text }: LmSizes,
  { codebooks, bins, sides }: CodeShape,
  layout: Layout,
  vocabulary: number,
): { lm: LmConfig; t5: T5Config } {
  if (width % heads !== 0 || width % 2 !== 0)
    throw new HocketError("bad-request", `a width of ${width} does not divide by ${heads} heads: change one of them`);
  const decoder = {
    vocab_size: bins,
    num_hidden_layers: layers,
    ffn_dim: 4 * width,
    num_attention_heads: heads,
    hidden_size: width,
    num_codebooks: codebooks * sides,
    audio_channels: sides,
  };
  const encoder = {
    vocab_size: vocabulary,
    d_model: text.width,
    d_kv: text.width / text.heads,
    d_ff: 4 * text.width,
    num_layers: text.layers,
    num_heads: text.heads,
  };
  return {
    lm: lmConfig(decoder, layout === "musicgen", "the sizes asked for"),
    t5: t5Config(encoder, "the sizes asked for"),
  };
}
