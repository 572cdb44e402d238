/**
 * @file A language model with its text encoder and codec as Hugging Face's MusicgenForConditionalGeneration and
 * MusicgenMelodyForConditionalGeneration keep it: config.json, model.safetensors, and how text and melody are prepared.
 */

import { writeFileAtomically } from "#platform";
import { type LmConfig, specialToken } from "../lm/config.js";
import { positionRows } from "../lm/positions.js";
import type { ChromaConfig } from "../melody/chroma.js";
import type { Json } from "../model-files.js";
import { type Tensor, tensor } from "../tensor.js";
import type { T5Config } from "../text/t5.js";
import { safetensorsChunks } from "../weights/safetensors.js";
import { json } from "./codec-files.js";

/** What of a model does not change while it learns. */
export interface LmModel {
  readonly lm: LmConfig;
  readonly t5: T5Config;
  /** Melody models: how a tune is heard, and frames of it before the codes. */
  readonly melody?: { readonly config: ChromaConfig; readonly length: number } | undefined;
  /** Seconds that it learns to fill, and frames in one. */
  readonly window: number;
  readonly frameRate: number;
  /** config.json of the codec. */
  readonly codec: Json;
  /** Tensors that do not learn, by their names in the checkpoint: the codec's; the text encoder's where it is frozen. */
  readonly frozen: Readonly<Record<string, Tensor>>;
  /** The tokenizer's files, by name. */
  readonly tokenizer: Readonly<Record<string, Uint8Array>>;
  /** A model that it begins from: its config.json and generation_config.json stay. */
  readonly given?: { readonly config: Json; readonly generation: Json | undefined };
}

/** Writes the model that `loadModel` and the reference load. */
export async function writeLm(folder: string, model: LmModel, learnt: Readonly<Record<string, Tensor>>): Promise<void> {
  const { lm, given } = model;
  const longest = given === undefined ? longestSequence(model) : longestOf(given.config);
  const positions = positionRows(0, longest, lm.hidden_size);
  const tensors = {
    ...model.frozen,
    ...learnt,
    // The reference has its sinusoids among its weights.
    "decoder.model.decoder.embed_positions.weights": tensor("float32", [longest, lm.hidden_size], positions),
  };
  const files: Record<string, Uint8Array> = {
    ...model.tokenizer,
    "config.json": json(given?.config ?? configJson(model, longest)),
    "generation_config.json": json(given?.generation ?? generationJson(model)),
    "preprocessor_config.json": json(preprocessorJson(model)),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFileAtomically(`${folder}/${name}`, bytes);
  await writeFileAtomically(`${folder}/model.safetensors`, safetensorsChunks(tensors, { format: "pt" }));
}

/** The files that a tokenizer may consist of. */
export const tokenizerNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "spiece.model",
  "added_tokens.json",
] as const;

/** config.json. @param longest columns that a sequence may have */
export function configJson({ lm, t5, melody, codec }: LmModel, longest: number): Json {
  const kind = melody === undefined ? "musicgen" : "musicgen_melody";
  const name = melody === undefined ? "Musicgen" : "MusicgenMelody";
  const special = specialToken(lm);
  const { crossAttention: _, ...decoder } = lm;
  return {
    model_type: kind,
    architectures: [`${name}ForConditionalGeneration`],
    is_encoder_decoder: melody === undefined,
    ...(melody === undefined ? {} : { num_chroma: melody.config.bins, chroma_length: melody.length }),
    text_encoder: {
      model_type: "t5",
      architectures: ["T5EncoderModel"],
      ...t5,
      num_decoder_layers: t5.num_layers,
      dropout_rate: 0,
      initializer_factor: 1,
      is_encoder_decoder: false,
      use_cache: false,
      pad_token_id: 0,
      eos_token_id: 1,
      decoder_start_token_id: 0,
    },
    audio_encoder: codec,
    decoder: {
      model_type: `${kind}_decoder`,
      architectures: [`${name}ForCausalLM`],
      ...decoder,
      max_position_embeddings: longest,
      initializer_factor: 0.02,
      layerdrop: 0,
      dropout: 0,
      attention_dropout: 0,
      activation_dropout: 0,
      use_cache: true,
      pad_token_id: special,
      bos_token_id: special,
      eos_token_id: null,
    },
    torch_dtype: "float32",
    tie_word_embeddings: false,
  };
}

// --- internal ---

/** Places that the reference has room for at first: what stands before the codes, the window, and the delays. */
const longestSequence = ({ lm, melody, window, frameRate }: LmModel): number =>
  2 ** Math.ceil(Math.log2(window * frameRate + lm.num_codebooks + (melody?.length ?? 0) + 128));

const longestOf = ({ decoder }: Json): number =>
  ((decoder as Json).max_position_embeddings as number | undefined) ?? 2048; // the reference's default

/** A step a frame, and one more a codebook: the reference then makes exactly the window. */
function generationJson({ lm, window, frameRate }: LmModel): Json {
  const special = specialToken(lm);
  return {
    bos_token_id: special,
    decoder_start_token_id: special,
    pad_token_id: special,
    do_sample: true,
    guidance_scale: 3,
    top_k: Math.min(250, lm.vocab_size),
    max_length: Math.round(window * frameRate) + lm.num_codebooks / lm.audio_channels,
  };
}

function preprocessorJson({ lm, melody, codec, window }: LmModel): Json {
  if (melody === undefined)
    return {
      feature_extractor_type: "EncodecFeatureExtractor",
      processor_class: "MusicgenProcessor",
      feature_size: lm.audio_channels,
      sampling_rate: codec.sampling_rate,
      chunk_length_s: null,
      overlap: null,
      padding_side: "left",
      padding_value: 0,
      return_attention_mask: true,
    };
  const { bins, sampleRate, hop, fftSize } = melody.config;
  return {
    feature_extractor_type: "MusicgenMelodyFeatureExtractor",
    processor_class: "MusicgenMelodyProcessor",
    feature_size: bins,
    num_chroma: bins,
    sampling_rate: sampleRate,
    hop_length: hop,
    n_fft: fftSize,
    chunk_length: Math.ceil(window),
    n_samples: Math.ceil(window) * sampleRate,
    padding_side: "right",
    padding_value: 0,
    return_attention_mask: true,
    stem_indices: [3, 2],
  };
}
