/**
 * @file For tests: audiocraft's tensors under the names of the Hugging Face conversion, which ours are (spec §9.2). Its q,
 * k and v are stored as one.
 */

import { type Tensor, tensor } from "../src/tensor.js";

const spellings: readonly (readonly [RegExp, string])[] = [
  [/^emb\.(\d+)/, "decoder.model.decoder.embed_tokens.$1"],
  [/^linears\./, "decoder.lm_heads."],
  [/^out_norm/, "decoder.model.decoder.layer_norm"],
  [/^.*output_proj\./, "enc_to_dec_proj."],
  [/^transformer\.layers/, "decoder.model.decoder.layers"],
  [/\.cross_attention\./, ".encoder_attn."],
  [/\.norm1\./, ".self_attn_layer_norm."],
  [/\.norm_cross\./, ".encoder_attn_layer_norm."],
  [/\.norm2\./, ".final_layer_norm."],
  [/\.linear(\d)\./, ".fc$1."],
];

export const fromAudiocraft = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map([...tensors].flatMap(renamed));

/** The same for the codec. */
export const codecFromAudiocraft = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map(
    [...tensors].map(([name, value]) => [
      name
        .replace(/^(encoder|decoder)\.model\./, "$1.layers.")
        .replace(/\.(conv|convtr)\.\1\./, ".conv.")
        .replace(/^quantizer\.vq\.layers\.(\d+)\._codebook\./, "quantizer.layers.$1.codebook."),
      value,
    ]),
  );

// --- internal ---

function renamed([name, weight]: [string, Tensor]): [string, Tensor][] {
  const full = spellings.reduce((spelled, [theirs, ours]) => spelled.replace(theirs, ours), name);
  if (!full.endsWith("in_proj_weight")) return [[full, weight]];
  const [rows, width] = weight.shape as [number, number];
  const third = weight.data.length / 3;
  return ["q", "k", "v"].map((letter, i) => [
    full.replace("in_proj_weight", `${letter}_proj.weight`),
    tensor("float32", [rows / 3, width], (weight.data as Float32Array<ArrayBuffer>).slice(i * third, (i + 1) * third)),
  ]);
}
