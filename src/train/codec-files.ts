/** @file A codec as Hugging Face's EncodecModel keeps it: config.json, model.safetensors, preprocessor_config.json. */

import { writeFileAtomically } from "#platform";
import type { CodecConfig } from "../codec/config.js";
import { type Tensor, tensor } from "../tensor.js";
import { safetensorsChunks } from "../weights/safetensors.js";

/** Writes the model that `loadCodec` and the reference load. Tensors that are no codec's are left out. */
export async function writeCodec(
  folder: string,
  config: CodecConfig,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<void> {
  await writeFileAtomically(`${folder}/model.safetensors`, safetensorsChunks(codecTensors(tensors), { format: "pt" }));
  await writeFileAtomically(`${folder}/config.json`, json(codecJson(config)));
  await writeFileAtomically(`${folder}/preprocessor_config.json`, json(extractorJson(config)));
}

/** What a checkpoint holds of a training state: weights, codebooks, and that they are in use. */
export function codecTensors(state: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const kept: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(state)) {
    if (!/^(encoder|decoder|quantizer)\./.test(name) || /\.(mean|square)$/.test(name)) continue;
    kept[name] = value;
    if (name.endsWith(".codebook.embed"))
      kept[name.replace(/embed$/, "inited")] = tensor("float32", [1], Float32Array.of(1));
  }
  return kept;
}

/** config.json of the codec, alone or as `audio_encoder`. */
export const codecJson = (config: CodecConfig) => ({
  model_type: "encodec",
  ...config,
  codebook_dim: config.hidden_size,
  architectures: ["EncodecModel"],
  torch_dtype: "float32",
});

/** preprocessor_config.json: how sound is prepared for the codec. */
export const extractorJson = (config: CodecConfig) => ({
  feature_extractor_type: "EncodecFeatureExtractor",
  feature_size: config.audio_channels,
  sampling_rate: config.sampling_rate,
  chunk_length_s: config.chunk_length_s,
  overlap: config.overlap,
  padding_side: "left",
  padding_value: 0,
  return_attention_mask: true,
});

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
