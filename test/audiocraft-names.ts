/** @file For tests: audiocraft's tensors under the names of Hugging Face, which ours are (its fused projections cut apart). */

import { type Tensor, tensor } from "../src/tensor.js";

export function fromAudiocraft(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const ours = new Map<string, Tensor>();
  const layerNames: Record<string, string> = {
    "self_attn.out_proj": "self_attn.out_proj",
    "cross_attention.out_proj": "encoder_attn.out_proj",
    linear1: "fc1",
    linear2: "fc2",
    norm1: "self_attn_layer_norm",
    norm_cross: "encoder_attn_layer_norm",
    norm2: "final_layer_norm",
  };
  for (const [name, value] of tensors) {
    const [, table, k] = /^(emb|linears)\.(\d+)\.weight$/.exec(name) ?? [];
    const [, layer, part, kind] = /^transformer\.layers\.(\d+)\.(.*?)\.?(weight|bias|in_proj_weight)$/.exec(name) ?? [];
    if (table !== undefined)
      ours.set(
        table === "emb" ? `decoder.model.decoder.embed_tokens.${k}.weight` : `decoder.lm_heads.${k}.weight`,
        value,
      );
    else if (name.startsWith("out_norm."))
      ours.set(name.replace("out_norm", "decoder.model.decoder.layer_norm"), value);
    else if (name.includes("output_proj.")) ours.set(name.replace(/^.*output_proj/, "enc_to_dec_proj"), value);
    else if (kind === "in_proj_weight") {
      const attention = part === "self_attn" ? "self_attn" : "encoder_attn";
      for (const [i, projection] of ["q_proj", "k_proj", "v_proj"].entries())
        ours.set(`decoder.model.decoder.layers.${layer}.${attention}.${projection}.weight`, third(value, i));
    } else if (part !== undefined) ours.set(`decoder.model.decoder.layers.${layer}.${layerNames[part]}.${kind}`, value);
  }
  return ours;
}

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

function third(stacked: Tensor, i: number): Tensor {
  const [rows, width] = stacked.shape as [number, number];
  const size = (rows / 3) * width;
  return tensor(
    "float32",
    [rows / 3, width],
    (stacked.data as Float32Array<ArrayBuffer>).slice(i * size, (i + 1) * size),
  );
}
