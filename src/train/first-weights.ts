/**
 * @file What a language model from scratch begins with, beside random numbers: codes that sound alike begin alike, and layers
 * add nothing yet. What a codec means by a code is a vector, and a model whose tables and heads are made of these vectors
 * learns of all neighbours when it learns of one; with random ones it must meet every pair of codes to know which follow each
 * other. That much tables and heads find out by themselves, in a third of the steps if random layers do not stand between
 * them. (docs/training.md)
 */

import { HocketError } from "../errors.js";
import { philox } from "../lm/random.js";
import { type Tensor, tensor } from "../tensor.js";
import { toFloat32 } from "../weights/float32.js";
import type { LmModel } from "./lm-files.js";

/**
 * Weights to begin with, by the names under which the language model declares them: its tables, in which every codebook
 * counts as much as the position beside it, its heads, and the last matrices of its layers' parts, which are zero.
 * @param model whose codec is among `frozen`
 */
export function firstWeights({ lm, frozen }: Pick<LmModel, "lm" | "frozen">, seed: number): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (let k = 0; k < lm.num_codebooks; k++) {
    const name = `audio_encoder.quantizer.layers.${Math.floor(k / lm.audio_channels)}.codebook.embed`;
    const book = frozen[name];
    if (book === undefined) throw new HocketError("bad-checkpoint", `the codec has no ${name}`);
    const vectors = standardised(toFloat32(book));
    const width = lm.hidden_size;
    const made = (part: number, rows: number, deviation: number) =>
      tensor("float32", [rows, width], spread(vectors, rows, width, deviation, normals(seed, 2 * k + part)));
    weights.set(`decoder.model.decoder.embed_tokens.${k}.weight`, made(0, lm.vocab_size + 1, 0.5));
    weights.set(`decoder.lm_heads.${k}.weight`, made(1, lm.vocab_size, width ** -0.5));
  }
  const last = { "self_attn.out_proj": lm.hidden_size, "encoder_attn.out_proj": lm.hidden_size, fc2: lm.ffn_dim };
  for (let i = 0; i < lm.num_hidden_layers; i++)
    for (const [part, inputs] of Object.entries(last))
      weights.set(`decoder.model.decoder.layers.${i}.${part}.weight`, tensor("float32", [lm.hidden_size, inputs]));
  return weights;
}

// --- internal ---

interface Vectors {
  readonly rows: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** How much of a row's size is of its code's vector; the rest is the row's own, so that equal vectors differ. */
const common = 0.9;

/** Every dimension with mean 0 and deviation 1. */
function standardised({ shape, data }: Tensor<"float32">): Vectors {
  const [rows, width] = shape as [number, number];
  const made = new Float32Array(data.length);
  for (let d = 0; d < width; d++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const value = data[row * width + d]!;
      sum += value;
      squares += value * value;
    }
    const mean = sum / rows;
    const deviation = Math.sqrt(Math.max(squares / rows - mean * mean, 1e-12));
    for (let row = 0; row < rows; row++) made[row * width + d] = (data[row * width + d]! - mean) / deviation;
  }
  return { rows, width, data: made };
}

/** Rows whose numbers have that deviation: each the projection of its code's vector, and a part of its own; others random. */
function spread(
  { rows: known, width: from, data }: Vectors,
  rows: number,
  width: number,
  deviation: number,
  normal: () => number,
) {
  const projection = Float32Array.from({ length: from * width }, () => normal() / Math.sqrt(from));
  const own = Math.sqrt(1 - common * common);
  const numbers = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < width; i++) {
      let sum = 0;
      if (row < known) for (let d = 0; d < from; d++) sum += data[row * from + d]! * projection[d * width + i]!;
      numbers[row * width + i] = deviation * (row < known ? common * sum + own * normal() : normal());
    }
  return numbers;
}

/** Normal numbers from a stream of their own (Box and Muller). */
function normals(seed: number, stream: number): () => number {
  let count = 0;
  return () => {
    const [a, b] = philox([count++, stream, 0, 4], [seed, seed / 2 ** 32]);
    return Math.sqrt(-2 * Math.log((a + 1) / (2 ** 32 + 1))) * Math.cos((2 * Math.PI * b) / 2 ** 32);
  };
}
