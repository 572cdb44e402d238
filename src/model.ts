/**
 * @file A model's folder (Hugging Face layout) becomes its parts: text encoder, language model, codec. Everything that a
 * checkpoint can have wrong is found here, before anything is computed; what is big is compiled when first used.
 */

import { type AdapterUse, changesBy, withoutAdapters } from "./adapters.js";
import { canResample } from "./audio/resample.js";
import { type CodecConfig, chunking, codecConfig, hop } from "./codec/config.js";
import { Encodec } from "./codec/encodec.js";
import { HocketError } from "./errors.js";
import type { Binder } from "./graph/compile.js";
import type { LowRank } from "./graph/onnx.js";
import type { Scope } from "./graph/value.js";
import { type LmConfig, lmConfig } from "./lm/config.js";
import { LanguageModel } from "./lm/lm.js";
import type { ChromaConfig } from "./melody/chroma.js";
import {
  type GenerationDefaults,
  readChroma,
  readConfig,
  readDefaults,
  readTokenizer,
  section,
} from "./model-files.js";
import type { Folder, Runtime, SessionOptions } from "./platform/platform.js";
import { atPrecision, cacheSteps, chosenPrecision, type Precision, type PrecisionOptions } from "./precision.js";
import { checkCodec, checkLm } from "./self-check.js";
import { bytesPerElement, elementCount } from "./tensor.js";
import { TextEncoder as TextStates } from "./text/encoder.js";
import { t5Config } from "./text/t5.js";
import { bindWeights } from "./weights/bind.js";
import { type Checkpoint, openCheckpoint } from "./weights/checkpoint.js";
import { findNonFinite } from "./weights/finite.js";
import { changed } from "./weights/lora.js";
import { prefixOf } from "./weights/names.js";
import { licenceOf, resolveModel } from "./weights/source.js";

/** A codec, alone or as a part of something larger. */
export interface CodecModel {
  readonly name: string;
  /** As the model's card states it, such as "cc-by-nc-4.0". */
  readonly licence: string | undefined;
  readonly codec: Encodec;
  /** 2 where codes are those of left and right in turn, each coded alone; else 1. */
  readonly sides: 1 | 2;
  readonly checkpoint: Checkpoint;
  /** Weights of each part, by name and shape. */
  readonly parts: Readonly<Record<string, Scope>>;
  dispose(): Promise<void>;
}

export interface MusicModel extends CodecModel {
  readonly text: TextStates;
  readonly lm: LanguageModel;
  /** Melody models: how a tune is turned into pitch classes. */
  readonly chroma: ChromaConfig | undefined;
  readonly defaults: GenerationDefaults;
  /** Of the language model's weights while it computes. */
  readonly precision: Precision;
  /** What adapters add to the weights, by name. */
  readonly changes: ReadonlyMap<string, LowRank>;
}

/**
 * On a device, the language model is there, and words and sound are computed beside it, on the processor.
 * @param folder of a model, or of an adapter that says which model it is for, if that model is on this machine
 * @param adapters what else to put on the model
 * @throws HocketError "bad-checkpoint" or "bad-file" for anything that does not fit together; "unsupported" if the
 *   runtime's device is not there, or computes other numbers than the processor
 */
export async function loadModel(
  folder: Folder,
  name: string,
  runtime: Runtime,
  options: SessionOptions & PrecisionOptions = {},
  adapters: readonly AdapterUse[] = [],
): Promise<MusicModel> {
  const found = await withoutAdapters(folder, resolveModel);
  return loadWhole(found.folder, name, runtime, options, [...found.adapters, ...adapters]);
}

async function loadWhole(
  folder: Folder,
  name: string,
  runtime: Runtime,
  { precision: asked = "fp32", cache, onQuantising, ...options }: SessionOptions & PrecisionOptions,
  adapters: readonly AdapterUse[],
): Promise<MusicModel> {
  const config = await readConfig(folder);
  const type = config.model_type;
  if (type === "encodec")
    throw new HocketError(
      "bad-request",
      `${name} is a codec: it encodes and decodes, and cannot compose. Give a MusicGen model`,
    );
  if (type !== "musicgen" && type !== "musicgen_melody") throw unknownType(folder, type);
  const where = `${folder.location}/config.json`;
  const crossAttention = type === "musicgen";
  const decoder = lmConfig(section(config, "decoder", where), crossAttention, `${where} (decoder)`);
  const textConfig = t5Config(section(config, "text_encoder", where), `${where} (text_encoder)`);
  const tokenizer = await readTokenizer(folder);
  const chroma = crossAttention ? undefined : await readChroma(folder, config);

  return withCheckpoint(folder, async (checkpoint) => {
    checkDepth(checkpoint, where, {
      "decoder.num_hidden_layers": decoder.num_hidden_layers,
      "text_encoder.num_layers": textConfig.num_layers,
    });
    const audio = section(config, "audio_encoder", where);
    // Words and sound are computed beside the language model: compiled while it is, and decoded while it composes.
    const beside = runtime.beside();
    const codec = createCodec(audio, `${where} (audio_encoder)`, checkpoint, beside, options);
    if (codec.config.normalize || codec.config.chunk_length_s !== null)
      throw new HocketError(
        "bad-checkpoint",
        `${where}: a codec that scales or works in chunks cannot be composed with`,
      );
    if (
      codec.config.codebook_size !== decoder.vocab_size ||
      codec.codebooks * decoder.audio_channels < decoder.num_codebooks
    )
      throw new HocketError(
        "bad-checkpoint",
        `${where}: the language model writes ${decoder.num_codebooks} codebooks of ${decoder.vocab_size}, the codec reads ${codec.codebooks} of ${codec.config.codebook_size}`,
      );
    const changes = new Map<string, LowRank>(); // filled below, when it is known what there is to change
    const bind = changed(binder(checkpoint), changes);
    const textPrefix = prefixOf("text_encoder", checkpoint.tensors.keys());
    const bindText = changed(binder(checkpoint, textPrefix), changes, textPrefix);
    const text = new TextStates(tokenizer, textConfig, beside, bindText, options);
    const melody = chroma === undefined ? {} : { melody: { bins: chroma.bins, length: chroma.length } };
    const precision = chosenPrecision(asked, checkpoint, runtime.device);
    const bindLm = await atPrecision(bind, precision, { cache, onQuantising, threads: options.threads });
    const around = { textWidth: textConfig.d_model, ...melody };
    const halves = (on: Runtime) => precision === "fp16" && on.device !== "cpu"; // what it is compared with is float32
    const make = (c: LmConfig, on: Runtime) => new LanguageModel(c, around, on, bindLm, options, halves(on));
    const lm = make(decoder, runtime);
    const parts = {
      "text encoder": described(where, text),
      "language model": described(where, lm),
      codec: described(where, codec),
    };
    const prefixes = [textPrefix, "", prefixOf("audio_encoder", checkpoint.tensors.keys())];
    await checkWeights(checkpoint, Object.values(parts), prefixes);
    const changeable = [parts["text encoder"], parts["language model"]];
    for (const [weight, change] of await changesBy(adapters, name, changeable, prefixes)) changes.set(weight, change);
    if (runtime.device !== "cpu") lm.atOnce = await checkLm(lm, make, beside, precision);
    else if (precision !== "fp32")
      lm.useCacheSteps(() => cacheSteps(lm, text, checkpoint, precision, { cache, adapted: changes.size > 0 }));
    return {
      name,
      licence: await licenceOf(folder),
      precision,
      text,
      lm,
      codec,
      sides: decoder.audio_channels,
      chroma: chroma?.config,
      checkpoint,
      parts,
      changes,
      defaults: await readDefaults(folder, codec.frameRate),
      dispose: async () => {
        await Promise.all([text.dispose(), lm.dispose(), codec.dispose(), checkpoint.close()]);
      },
    };
  });
}

/** The codec of a codec's folder or of a MusicGen model's. */
export async function loadCodec(
  given: Folder,
  name: string,
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<CodecModel> {
  const { folder } = await withoutAdapters(given, resolveModel); // adapters change no codec
  const config = await readConfig(folder);
  const where = `${folder.location}/config.json`;
  const alone = config.model_type === "encodec";
  if (!alone && config.audio_encoder === undefined) throw unknownType(folder, config.model_type);
  return withCheckpoint(folder, async (checkpoint) => {
    const audio = alone ? config : section(config, "audio_encoder", where);
    const codec = createCodec(audio, where, checkpoint, runtime, options);
    const part = described(where, codec);
    await checkWeights(checkpoint, [part], [prefixOf("audio_encoder", checkpoint.tensors.keys())], alone);
    if (runtime.device !== "cpu")
      await checkCodec(codec, () => createCodec(audio, where, checkpoint, runtime.beside(), options), runtime.device);
    return {
      name,
      licence: await licenceOf(folder),
      codec,
      sides: alone ? 1 : lmConfig(section(config, "decoder", where), true, `${where} (decoder)`).audio_channels,
      checkpoint,
      parts: { codec: part },
      dispose: async () => {
        await Promise.all([codec.dispose(), checkpoint.close()]);
      },
    };
  });
}

/** Which tensor holds a number that is none, for when a model's output is not a number. */
export async function nonFiniteWeight(checkpoint: Checkpoint): Promise<HocketError | undefined> {
  const found = await findNonFinite(checkpoint);
  if (found === undefined) return undefined;
  const { file } = checkpoint.tensors.get(found.name)!;
  return new HocketError(
    "bad-checkpoint",
    `${found.name} in ${checkpoint.location}/${file} is not a finite number at element ${found.index}: the file is damaged, or the training that made it failed`,
  );
}

// --- internal ---

/** Up to this size, all weights are looked through for NaN at load (a fraction of a second); else when a result is NaN. */
const scanBytes = 256 * 2 ** 20;

function unknownType(folder: Folder, type: unknown): HocketError {
  const says = type === undefined ? "does not say its model_type" : `describes a model of type ${JSON.stringify(type)}`;
  return new HocketError(
    "unsupported",
    `${folder.location}/config.json ${says.slice(0, 200)}; Hocket knows musicgen, musicgen_melody and encodec`,
  );
}

async function withCheckpoint<T>(folder: Folder, make: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await make(checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

function createCodec(
  json: unknown,
  where: string,
  checkpoint: Checkpoint,
  runtime: Runtime,
  options: SessionOptions,
): Encodec {
  const prefix = prefixOf("audio_encoder", checkpoint.tensors.keys());
  const stored = [...checkpoint.tensors.keys()].filter(
    (name) => name.startsWith(`${prefix}quantizer.`) && name.endsWith(".codebook.embed"),
  ).length;
  if (stored === 0)
    throw new HocketError("bad-checkpoint", `${checkpoint.location} holds no codebooks (${prefix}quantizer.layers.*)`);
  const config = codecConfig(json, where);
  checkDepth(checkpoint, where, {
    num_lstm_layers: config.num_lstm_layers,
    upsampling_ratios: config.upsampling_ratios.length,
    num_residual_layers: config.num_residual_layers * config.upsampling_ratios.length,
  });
  checkSizes(config, where);
  return new Encodec(config, stored, runtime, binder(checkpoint, prefix), options);
}

/** Describing a model takes as long as it has layers, and each layer has weights. */
function checkDepth(checkpoint: Checkpoint, where: string, layers: Readonly<Record<string, number>>): void {
  for (const [field, count] of Object.entries(layers))
    if (count > checkpoint.tensors.size)
      throw new HocketError(
        "bad-checkpoint",
        `${where}: ${field} says ${count} layers, and there are ${checkpoint.tensors.size} tensors in all: do config.json and the weights belong together?`,
      );
}

/** What no weight's shape would give away: numbers that lead to empty chunks, or to more padding than sound. */
function checkSizes(config: CodecConfig, where: string): void {
  const reach =
    config.residual_kernel_size * config.dilation_growth_rate ** Math.max(0, config.num_residual_layers - 1);
  const chunk = chunking(config);
  for (const [field, good] of [
    ["sampling_rate", canResample(config.sampling_rate) && hop(config) <= config.sampling_rate],
    ["chunk_length_s", chunk === undefined || chunk.length >= hop(config)],
    ["overlap", chunk === undefined || chunk.stride >= hop(config)],
    ["dilation_growth_rate", reach <= config.sampling_rate],
  ] as const)
    if (!good)
      throw new HocketError(
        "bad-checkpoint",
        `${where}: no codec has a ${field} of ${config[field]} beside its other numbers`,
      );
}

/** The part's weights. Numbers of config.json that fit no model at all come out here. */
function described(where: string, part: { describe(): Scope }): Scope {
  try {
    return part.describe();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HocketError("bad-checkpoint", `${where}: no model can have these numbers (${why})`, { cause });
  }
}

const binder =
  (checkpoint: Checkpoint, prefix = ""): Binder =>
  (declared) =>
    bindWeights(declared, checkpoint, { prefix });

/** Every weight is there, fits and is finite, and (`whole`) nothing is left over. */
async function checkWeights(
  checkpoint: Checkpoint,
  parts: readonly Scope[],
  prefixes: readonly string[],
  whole = true,
): Promise<void> {
  const declared = parts.flatMap((part, i) =>
    [...part.weights].map(([name, value]) => ({ name: prefixes[i]! + name, shape: value.shape as readonly number[] })),
  );
  await bindWeights(declared, checkpoint, { whole });
  const bytes = [...checkpoint.tensors.values()].reduce(
    (sum, t) => sum + elementCount(t.shape) * bytesPerElement(t.dtype),
    0,
  );
  const damaged = bytes <= scanBytes ? await nonFiniteWeight(checkpoint) : undefined;
  if (damaged !== undefined) throw damaged;
}
