/** @file A whole MusicGen of random numbers, as a folder that is loaded as any other. */

import { copyFile, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecConfig } from "../codec/config.js";
import { Encodec } from "../codec/encodec.js";
import { declaredWeights } from "../graph/compile.js";
import { Scope } from "../graph/value.js";
import { constantSteps } from "../lm/cache-steps.js";
import { lmConfig } from "../lm/config.js";
import { LanguageModel } from "../lm/lm.js";
import { createRuntime, openFolder } from "../platform/node.js";
import { codings, keptSteps, type Precision } from "../precision.js";
import { codec32, type LmSize, lmSizes, t5Base } from "../published.js";
import { bytesPerElement, elementCount } from "../tensor.js";
import { t5Config, t5Encoder, t5Inputs } from "../text/t5.js";
import { bindWeights } from "../weights/bind.js";
import { openCheckpoint } from "../weights/checkpoint.js";
import { type Job, keep } from "../weights/quantised-cache.js";
import { safetensorsHeader } from "../weights/safetensors.js";
import { miniReference } from "./mini-reference.js";
import { noise } from "./noise.js";
import { randomBlocks } from "./random-weights.js";
import { stepGraph } from "./step-bounds.js";

export interface RandomModel {
  readonly folder: string;
  /** Where its quantised weights are, if it has any. */
  readonly cache: string;
  /** Bytes, in float32, of the weights that generating computes with: all but the codec's encoder. */
  readonly inUse: number;
  dispose(): Promise<void>;
}

/**
 * The tokenizer is the small reference model's.
 * @param dtype what the file stores
 * @param precision to be loaded with. Where that is not fp32, the quantised weights are there as if they had been made before,
 *   and in the file that they would have been made of, which nobody reads, they are holes
 */
export async function randomModel(
  size: LmSize,
  dtype: "float32" | "float16",
  precision: Precision = "fp32",
): Promise<RandomModel> {
  const folder = await mkdtemp(join(tmpdir(), "hocket-bench-"));
  const cache = join(folder, "quantised");
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const config = JSON.parse(await readFile(join(miniReference, "config.json"), "utf8")) as Record<string, object>;
    const full = { ...config, text_encoder: t5Base, audio_encoder: codec32, decoder: lmSizes[size] };
    await writeFile(join(folder, "config.json"), JSON.stringify(full));
    await copyFile(join(miniReference, "tokenizer.json"), join(folder, "tokenizer.json"));
    const shapes = weightShapes(size);
    const coded = codedWeights(size, precision);
    await writeWeights(join(folder, "model.safetensors"), shapes, dtype, new Set(coded.map(({ name }) => name)));
    if (coded.length > 0) await keepRandom(folder, cache, coded, size, precision);
    const used = [...shapes].filter(([name]) => !name.startsWith("audio_encoder.encoder."));
    return { folder, cache, inUse: used.reduce((sum, [, shape]) => sum + 4 * elementCount(shape), 0), dispose };
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

/** What a step multiplies by in few bits. */
const codedWeights = (size: LmSize, precision: Precision) =>
  declaredWeights(stepGraph(lmConfig(lmSizes[size], true, size))).flatMap((weight) => {
    const coding = weight.multiplies === true ? codings[precision](weight) : undefined;
    return coding === undefined ? [] : [{ ...weight, shape: weight.shape as [number, number], coding }];
  });

async function writeWeights(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  dtype: "float32" | "float16",
  holes: ReadonlySet<string>,
): Promise<void> {
  const tensors = Object.fromEntries([...shapes].map(([name, shape]) => [name, { dtype, shape }]));
  const { header, order } = safetensorsHeader(tensors);
  const file = await open(path, "w");
  try {
    await file.write(header);
    let end = header.length;
    for (const name of order) {
      const count = elementCount(shapes.get(name)!);
      if (!holes.has(name)) await file.write(noise(count, dtype), 0, undefined, end);
      end += count * bytesPerElement(dtype);
    }
    await file.truncate(end);
  } finally {
    await file.close();
  }
}

/** Lays what loading would make where it would look for it. */
async function keepRandom(
  folder: string,
  cache: string,
  coded: ReturnType<typeof codedWeights>,
  size: LmSize,
  precision: Precision,
): Promise<void> {
  const checkpoint = await openCheckpoint(await openFolder(folder));
  try {
    const bound = await bindWeights(coded, checkpoint);
    const jobs = coded.map(({ name, shape, coding }): Job => {
      const { dtype, data } = bound.get(name)!;
      return { name, shape, dtype, data, coding };
    });
    await keep(jobs, cache, async function* (wanted) {
      for (const { shape, coding } of wanted) yield randomBlocks(shape, coding);
    });
    await keptSteps(checkpoint, precision, cache, async () => constantSteps(lmConfig(lmSizes[size], true, size)));
  } finally {
    await checkpoint.close();
  }
}
