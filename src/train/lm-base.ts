/** @file What a language model is built on: the codec whose codes it learns to write, and a model that it begins from. */

import { codecConfig, frameRate } from "../codec/config.js";
import { HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import { type LmConfig, lmConfig } from "../lm/config.js";
import { type Json, readChroma, readConfig, readDefaults, section } from "../model-files.js";
import type { Folder } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { type T5Config, t5Config } from "../text/t5.js";
import { bindWeights } from "../weights/bind.js";
import { type Checkpoint, openCheckpoint } from "../weights/checkpoint.js";
import { toFloat32 } from "../weights/float32.js";
import { findSpelling, prefixOf } from "../weights/names.js";
import { type LmModel, tokenizerNames } from "./lm-files.js";

/** A codec as a part of the model to be. */
export interface CodecPart {
  /** As its own config.json says it. */
  readonly json: Json;
  /** As they are stored, under the names that they have in a whole MusicGen. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** The codec of a codec's folder, or of a MusicGen model's. @throws HocketError "bad-checkpoint" */
export async function codecPart(folder: Folder): Promise<CodecPart> {
  const whole = await readConfig(folder);
  const json =
    whole.model_type === "encodec" ? whole : section(whole, "audio_encoder", `${folder.location}/config.json`);
  return { json, tensors: await partTensors(folder, "audio_encoder") };
}

/** A model to go on from. */
export interface LmBase {
  readonly lm: LmConfig;
  readonly t5: T5Config;
  readonly melody: LmModel["melody"];
  readonly window: number;
  readonly given: NonNullable<LmModel["given"]>;
  /** Its weights as float32, by the names that a description asks for. @throws HocketError "bad-checkpoint" */
  weights(names: Iterable<string>): Promise<Map<string, Tensor>>;
  /** Its weights in place. */
  readonly bind: Binder;
  close(): Promise<void>;
}

/** @throws HocketError "bad-request" for a codec alone; "bad-checkpoint" for what does not fit together */
export async function lmBase(folder: Folder): Promise<LmBase> {
  const config = await readConfig(folder);
  const where = `${folder.location}/config.json`;
  if (config.model_type !== "musicgen" && config.model_type !== "musicgen_melody")
    throw new HocketError(
      "bad-request",
      `--from ${folder.location} is no MusicGen model: it has no language model to go on from`,
    );
  const lm = lmConfig(section(config, "decoder", where), config.model_type === "musicgen", `${where} (decoder)`);
  const t5 = t5Config(section(config, "text_encoder", where), `${where} (text_encoder)`);
  const chroma = lm.crossAttention ? undefined : await readChroma(folder, config);
  const melody = chroma && { config: chroma.config, length: chroma.length };
  const codec = codecConfig(section(config, "audio_encoder", where), `${where} (audio_encoder)`);
  const window = (await readDefaults(folder, frameRate(codec))).window;
  const generation = await readJson(folder, "generation_config.json");
  const checkpoint = await openCheckpoint(folder);
  return {
    ...{ lm, t5, melody, window, given: { config, generation } },
    weights: (names) => namedWeights(checkpoint, names),
    bind: (declared) => bindWeights(declared, checkpoint),
    close: () => checkpoint.close(),
  };
}

/** The tensors of one part of a model's folder, under the names that they have in a whole MusicGen. */
export async function partTensors(
  folder: Folder,
  part: "text_encoder" | "audio_encoder",
): Promise<Record<string, Tensor>> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const prefix = prefixOf(part, checkpoint.tensors.keys());
    const names = [...checkpoint.tensors.keys()].filter((name) => name.startsWith(prefix));
    const read = names.map(
      async (name) => [`${part}.${name.slice(prefix.length)}`, await checkpoint.read(name)] as const,
    );
    return Object.fromEntries(await Promise.all(read));
  } finally {
    await checkpoint.close();
  }
}

/** The files of a model's tokenizer, by name. */
export const tokenizerBytes = (folder: Folder): Promise<Record<string, Uint8Array>> =>
  fileBytes(folder, tokenizerNames);

// --- internal ---

/** As float32, whatever they are stored as, under whatever published spelling. */
async function namedWeights(checkpoint: Checkpoint, names: Iterable<string>): Promise<Map<string, Tensor>> {
  const weights = new Map<string, Tensor>();
  for (const name of names) {
    const spelling = findSpelling(name, (stored) => checkpoint.tensors.has(stored));
    if (spelling === undefined)
      throw new HocketError("bad-checkpoint", `${checkpoint.location} has no ${name}, which its config.json asks for`);
    weights.set(name, toFloat32(await checkpoint.read(spelling.stored)));
  }
  return weights;
}

async function fileBytes(folder: Folder, names: readonly string[]): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of names) {
    const file = await folder.open(name);
    if (file === undefined) continue;
    files[name] = await file.read(0, file.size);
    await file.close();
  }
  return files;
}

/** A file that `readDefaults` has checked already. */
async function readJson(folder: Folder, name: string): Promise<Json | undefined> {
  const bytes = (await fileBytes(folder, [name]))[name];
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Json);
}
