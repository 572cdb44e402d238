/** @file What a model is, read from its small files: enough to list it and to check requests, without its weights. */

import { withoutAdapters } from "./adapters.js";
import { codecConfig, frameRate, hop } from "./codec/config.js";
import { HocketError } from "./errors.js";
import { lmConfig } from "./lm/config.js";
import { memoryToCode, memoryToCompose } from "./memory-needed.js";
import { type GenerationDefaults, readConfig, readDefaults, section } from "./model-files.js";
import type { Folder } from "./platform/platform.js";
import { t5Config } from "./text/t5.js";
import { licenceOf, resolveModel } from "./weights/source.js";

interface Facts {
  readonly name: string;
  readonly licence: string | undefined;
  readonly sampleRate: number;
  readonly channels: number;
  /** Frames a second. */
  readonly frameRate: number;
  /** Samples a frame. */
  readonly hop: number;
  readonly codebooks: number;
  /** Codes of a codebook. */
  readonly bins: number;
  /** Of its weights, in bytes. */
  readonly size: number;
  /** Bytes held at most while it is at work: composing one window, or coding. */
  readonly memory: number;
}

export interface MusicFacts extends Facts {
  readonly kind: "music";
  /** Whether it follows a melody. */
  readonly melody: boolean;
  readonly defaults: GenerationDefaults;
}

/** A codec alone: it encodes and decodes, and cannot compose. */
export interface CodecFacts extends Facts {
  readonly kind: "codec";
}

export type ModelFacts = MusicFacts | CodecFacts;

/** @throws HocketError "bad-checkpoint" or "unsupported" for what `loadModel` and `loadCodec` would refuse at first sight */
export async function modelFacts(given: Folder, name: string): Promise<ModelFacts> {
  const { folder } = await withoutAdapters(given, resolveModel);
  const config = await readConfig(folder);
  const where = `${folder.location}/config.json`;
  const kind = config.model_type;
  if (kind !== "musicgen" && kind !== "musicgen_melody" && kind !== "encodec")
    throw new HocketError("unsupported", `${where} describes neither MusicGen nor EnCodec`);
  const codec = codecConfig(kind === "encodec" ? config : section(config, "audio_encoder", where), where);
  const facts = {
    name,
    licence: await licenceOf(folder),
    sampleRate: codec.sampling_rate,
    frameRate: frameRate(codec),
    hop: hop(codec),
    bins: codec.codebook_size,
    size: await weightBytes(folder),
  };
  if (kind === "encodec") {
    const [channels, codebooks] = [codec.audio_channels, mostCodebooks(codec, facts)];
    return { ...facts, kind: "codec", channels, codebooks, memory: memoryToCode(codec) };
  }
  const lm = lmConfig(section(config, "decoder", where), kind === "musicgen", where);
  const defaults = await readDefaults(folder, facts.frameRate);
  const text = t5Config(section(config, "text_encoder", where), `${where} (text_encoder)`);
  const columns = Math.ceil(defaults.window * facts.frameRate);
  return {
    ...facts,
    kind: "music",
    channels: lm.audio_channels,
    codebooks: lm.num_codebooks,
    melody: kind === "musicgen_melody",
    defaults,
    memory: memoryToCompose({ lm, text, codec, columns }),
  };
}

// --- internal ---

/** What the highest bandwidth, in kbit/s, has room for. */
const mostCodebooks = (
  { target_bandwidths }: { target_bandwidths: readonly number[] },
  { frameRate, bins }: { frameRate: number; bins: number },
): number => Math.floor((1000 * Math.max(...target_bandwidths)) / (frameRate * Math.log2(bins)));

async function weightBytes(folder: Folder): Promise<number> {
  let sum = 0;
  for (const name of await folder.list()) {
    if (!name.endsWith(".safetensors")) continue;
    const file = await folder.open(name);
    sum += file?.size ?? 0;
    await file?.close();
  }
  return sum;
}
