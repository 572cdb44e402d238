/** @file A trained codec as where another begins: its configuration and all its numbers, those for learning included. */

import { type CodecConfig, codecConfig } from "../codec/config.js";
import { HocketError } from "../errors.js";
import { readConfig, section } from "../model-files.js";
import type { Folder } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { openCheckpoint } from "../weights/checkpoint.js";
import { toFloat32 } from "../weights/float32.js";
import { prefixOf } from "../weights/names.js";

export interface CodecBase {
  readonly config: CodecConfig;
  readonly codebooks: number;
  /** By the names that a description asks for. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * The codec of a codec's folder, or of a MusicGen model's.
 * @throws HocketError "bad-checkpoint"; "unsupported" for one that was saved without what its training needs
 */
export async function codecBase(folder: Folder): Promise<CodecBase> {
  const config = await readConfig(folder);
  const where = `${folder.location}/config.json`;
  const codec = codecConfig(config.model_type === "encodec" ? config : section(config, "audio_encoder", where), where);
  const checkpoint = await openCheckpoint(folder);
  try {
    const prefix = prefixOf("audio_encoder", checkpoint.tensors.keys());
    const weights = new Map<string, Tensor>();
    for (const name of checkpoint.tensors.keys())
      if (name.startsWith(prefix))
        weights.set(plain(name.slice(prefix.length)), toFloat32(await checkpoint.read(name)));
    const books = [...weights.keys()].filter((name) => name.endsWith(".codebook.embed"));
    const normed = [...weights.keys()].some((name) => name.endsWith(".weight_g")) || codec.norm_type !== "weight_norm";
    if (!normed || !books.every((name) => weights.has(name.replace(/embed$/, "embed_avg"))))
      throw new HocketError(
        "unsupported",
        `${folder.location} was saved without weight norm or without its codebooks' averages, which learning needs`,
      );
    return { config: codec, codebooks: books.length, weights };
  } finally {
    await checkpoint.close();
  }
}

// --- internal ---

/** As torch.nn.utils.parametrizations spells weight norm, or as we do. */
const plain = (name: string): string =>
  name
    .replace(/\.parametrizations\.weight\.original0$/, ".weight_g")
    .replace(/\.parametrizations\.weight\.original1$/, ".weight_v");
