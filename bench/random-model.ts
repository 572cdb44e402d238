/** @file A whole MusicGen of random numbers, as a folder that is loaded as any other. */

import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecConfig } from "../src/codec/config.js";
import { Encodec } from "../src/codec/encodec.js";
import { Scope } from "../src/graph/value.js";
import { lmConfig } from "../src/lm/config.js";
import { LanguageModel } from "../src/lm/lm.js";
import { createRuntime, writeFileAtomically } from "../src/platform/node.js";
import { elementCount, type Tensor } from "../src/tensor.js";
import { t5Config, t5Encoder, t5Inputs } from "../src/text/t5.js";
import { safetensorsChunks } from "../src/weights/safetensors.js";
import { miniReference } from "./mini-reference.js";
import { noise } from "./noise.js";
import { codec32, type LmSize, lmSizes, t5Base } from "./sizes.js";

export interface RandomModel {
  readonly folder: string;
  /** Bytes, in float32, of the weights that generating computes with: all but the codec's encoder. */
  readonly inUse: number;
  dispose(): Promise<void>;
}

/** @param dtype what the file stores; the tokenizer is the small reference model's */
export async function randomModel(size: LmSize, dtype: "float32" | "float16"): Promise<RandomModel> {
  const folder = await mkdtemp(join(tmpdir(), "hocket-bench-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const config = JSON.parse(await readFile(join(miniReference, "config.json"), "utf8")) as Record<string, object>;
    const full = { ...config, text_encoder: t5Base, audio_encoder: codec32, decoder: lmSizes[size] };
    await writeFile(join(folder, "config.json"), JSON.stringify(full));
    await copyFile(join(miniReference, "tokenizer.json"), join(folder, "tokenizer.json"));
    const shapes = weightShapes(size);
    const tensors = Object.fromEntries(
      [...shapes].map(([name, shape]) => [name, { dtype, shape, data: noise(elementCount(shape), dtype) } as Tensor]),
    );
    await writeFileAtomically(join(folder, "model.safetensors"), safetensorsChunks(tensors));
    const used = [...shapes].filter(([name]) => !name.startsWith("audio_encoder.encoder."));
    return { folder, inUse: used.reduce((sum, [, shape]) => sum + 4 * elementCount(shape), 0), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

// --- internal ---

function weightShapes(size: LmSize): Map<string, readonly number[]> {
  const runtime = createRuntime(); // described, never computed
  const bind = async () => new Map();
  const text = new Scope();
  t5Encoder(text, t5Inputs(), t5Config(t5Base, "T5"));
  const around = { textWidth: t5Base.d_model };
  const lm = new LanguageModel(lmConfig(lmSizes[size], true, size), around, runtime, bind);
  const codec = new Encodec(codecConfig(codec32, "EnCodec"), 4, runtime, bind);
  const parts = { "text_encoder.": text, "": lm.describe(), "audio_encoder.": codec.describe() };
  void runtime.dispose();
  return new Map(
    Object.entries(parts).flatMap(([prefix, part]) =>
      [...part.weights].map(([name, { shape }]) => [prefix + name, shape as readonly number[]] as const),
    ),
  );
}
