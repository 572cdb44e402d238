/**
 * @file How much memory a model needs, told from its config.json alone: before it is loaded, or even fetched. What is counted
 * is what a process holds at most while it composes one window, pages of weights that are used in place included.
 * docs/benchmarks.md holds it against what was measured.
 */

import type { CodecConfig } from "./codec/config.js";
import { worthKeeping } from "./graph/sessions.js";
import type { LmConfig } from "./lm/config.js";
import { autoPrecision, type Precision } from "./precision.js";
import type { T5Config } from "./text/t5.js";

export interface ModelConfigs {
  readonly lm: LmConfig;
  readonly text: T5Config;
  readonly codec: CodecConfig;
  /** Columns of codes that are heard at once. */
  readonly columns: number;
}

/** Bytes that composing takes, with the settings that nobody has changed. */
export function memoryToCompose(configs: ModelConfigs, precision: Precision | "auto" = "auto"): number {
  const { lm, text, codec, columns } = configs;
  const { steps, rest } = lmNumbers(lm, text.d_model);
  const chosen = precision === "auto" ? autoPrecision(steps + rest) : precision;
  const cache = 2 * lm.num_hidden_layers * lm.hidden_size * columns * guided * (chosen === "fp32" ? 4 : 1);
  const sides = lm.audio_channels;
  const words = 4 * textNumbers(text);
  const heldWords = words < worthKeeping ? words : 0; // a large text encoder is let go of before anything is composed
  return program + bytesOfSteps[chosen] * steps + 4 * rest + heldWords + cache + decoding(codec, sides);
}

/** Bytes that a codec alone takes, both ways. */
export const memoryToCode = (codec: CodecConfig): number =>
  program + decoding(codec, 1) + 4 * perNumber * codecNumbers(codec);

/** How many numbers a language model has: those of its steps, and those that are used once or looked up. */
export function lmNumbers(c: LmConfig, textWidth: number): { readonly steps: number; readonly rest: number } {
  const [h, layers] = [c.hidden_size, c.num_hidden_layers];
  const [every, once] = c.crossAttention ? [6, 2] : [4, 0]; // matrices of attention; what a prompt passes through once
  return {
    steps: layers * (every * h * h + 2 * h * c.ffn_dim) + c.num_codebooks * c.vocab_size * h,
    rest: layers * once * h * h + c.num_codebooks * (c.vocab_size + 1) * h + textWidth * h,
  };
}

export function textNumbers(c: T5Config): number {
  const feed = c.feed_forward_proj === "relu" ? 2 : 3;
  return c.num_layers * (4 * c.d_model * c.num_heads * c.d_kv + feed * c.d_model * c.d_ff) + c.vocab_size * c.d_model;
}

/** Of a codec's decoder; its encoder has as many. */
export function codecNumbers(c: CodecConfig): number {
  const inner = c.num_filters * 2 ** c.upsampling_ratios.length;
  let numbers = c.kernel_size * c.hidden_size * inner + c.num_lstm_layers * 8 * inner * inner;
  let width = inner;
  for (const ratio of c.upsampling_ratios) {
    const half = width / 2;
    const inside = Math.floor(half / c.compress);
    const block = (c.residual_kernel_size + 1) * half * inside + (c.use_conv_shortcut ? half * half : 0);
    numbers += 2 * ratio * width * half + c.num_residual_layers * block;
    width = half;
  }
  return numbers + c.last_kernel_size * width * c.audio_channels;
}

// --- internal ---

/** Bytes of the program and the runtime, before there is any model. */
const program = 155e6;

/** With guidance a step is two rows. */
const guided = 2;

/**
 * Bytes a number of what is read at each step: a scale of float32 for 32 numbers, and of blocks a ninth more, which their
 * packing leaves (measured).
 */
const bytesOfSteps: Readonly<Record<Precision, number>> = {
  fp32: 4,
  fp16: 2, // of the device's
  int8: (10 / 9) * (1 + 4 / 32),
  int4: (10 / 9) * (1 / 2 + 4 / 32),
};

/** A codec's weights lie in their file, and again as they are folded and packed. */
const perNumber = 2;

/** Frames that are decoded at once, and how often the widest layer of them is held. */
const [frames, layersHeld] = [100, 6];

function decoding(c: CodecConfig, sides: number): number {
  const samples = frames * c.upsampling_ratios.reduce((product, ratio) => product * ratio, 1);
  return 4 * perNumber * codecNumbers(c) + 4 * layersHeld * samples * c.num_filters * sides;
}
