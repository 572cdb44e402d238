/**
 * @file A model, its adapters and another codec become one model: the weights that would be computed with, as a file.
 */

import { codecConfig } from "./codec/config.js";
import { HocketError } from "./errors.js";
import { compile } from "./graph/compile.js";
import { Scope } from "./graph/value.js";
import type { MusicModel } from "./model.js";
import type { Runtime } from "./platform/platform.js";
import { bytesPerElement, type DType, elementCount, type Tensor } from "./tensor.js";
import type { Checkpoint } from "./weights/checkpoint.js";
import { toFloat16 } from "./weights/float16.js";
import { toFloat32 } from "./weights/float32.js";
import { safetensorsHeader } from "./weights/safetensors.js";

export interface MergeChoices {
  /** Tensors of another codec, by their names in a whole model: they take the place of the model's. */
  readonly codec?: ReadonlyMap<string, Tensor> | undefined;
  /** Whether all fractions are kept in half precision: half the size, for three digits. */
  readonly half?: boolean;
}

/**
 * model.safetensors of the model with its adapters merged, in pieces. What an adapter changes becomes float32, so that
 * nothing of the change is lost; everything else is as it was, bit for bit, unless it is to be halved.
 */
export async function* mergedWeights(
  model: MusicModel,
  runtime: Runtime,
  { codec = new Map(), half = false }: MergeChoices = {},
): AsyncGenerator<Uint8Array> {
  const { checkpoint, changes } = model;
  const missing = [...changes.keys()].find((name) => !checkpoint.tensors.has(name));
  if (missing !== undefined)
    throw new HocketError("unsupported", `${checkpoint.location} spells ${missing} in a way that cannot be merged`);
  const kept = [...checkpoint.tensors].filter(([name]) => codec.size === 0 || !name.startsWith(codecPrefix));
  const all = new Map<string, { dtype: DType; shape: readonly number[] }>([...kept, ...codec]);
  const typeOf = (name: string, dtype: DType): DType => {
    const whole = changes.has(name) ? "float32" : dtype;
    return half && fractions.has(whole) ? "float16" : whole;
  };
  const shapes = [...all].map(([name, { dtype, shape }]) => [name, { dtype: typeOf(name, dtype), shape }] as const);
  const { header, order } = safetensorsHeader(Object.fromEntries(shapes), { format: "pt" });
  yield header;
  for (const name of order) {
    const { dtype, shape } = all.get(name)!;
    const given = codec.get(name);
    const tensor = changes.has(name) ? await merged(model, name, runtime) : given;
    if (typeOf(name, dtype) !== dtype && half) {
      yield bytesOf(toFloat16(tensor ?? (await checkpoint.read(name)), name));
      continue;
    }
    if (tensor !== undefined) {
      yield bytesOf(tensor);
      continue;
    }
    const length = elementCount(shape) * bytesPerElement(dtype);
    for (let start = 0; start < length; start += piece)
      yield await checkpoint.readBytes(name, start, Math.min(piece, length - start));
  }
}

/**
 * Whether a codec can take the place of a model's: its codes must mean what they meant.
 * @param other its config.json, and its tensors under their names in a whole model
 * @throws HocketError "bad-request" saying what differs
 */
export async function checkSameCodes(
  checkpoint: Checkpoint,
  own: object,
  other: { readonly config: object; readonly tensors: ReadonlyMap<string, Tensor>; readonly name: string },
): Promise<void> {
  const differs = (what: string) =>
    new HocketError(
      "bad-request",
      `${what} of ${other.name} differs from the model's, so its codes mean something else: give a codec that was trained from the model's with --only-decoder`,
    );
  if (JSON.stringify(codecConfig(own, "the model")) !== JSON.stringify(codecConfig(other.config, other.name)))
    throw differs("the configuration");
  for (const name of checkpoint.tensors.keys()) {
    if (!/^audio_encoder\.(encoder\.|quantizer\..*\.embed$)/.test(name)) continue;
    const [ours, theirs] = [toFloat32(await checkpoint.read(name)), other.tensors.get(name)];
    if (theirs === undefined) throw differs(name);
    const { data } = toFloat32(theirs);
    if (data.length !== ours.data.length || data.some((value, i) => value !== ours.data[i])) throw differs(name);
  }
}

// --- internal ---

/** In bytes. */
const piece = 2 ** 24;
const codecPrefix = "audio_encoder.";
const fractions: ReadonlySet<DType> = new Set(["float32", "float64", "bfloat16"]);

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The runtime adds the change as it does for a model that runs, so that both have the same numbers. */
async function merged({ checkpoint, changes }: MusicModel, name: string, runtime: Runtime): Promise<Tensor> {
  const { shape, dtype, location, offset, length } = checkpoint.tensors.get(name)!;
  const weight = new Scope().weight(name, shape);
  const stored = { dtype, data: { location, offset, length }, added: changes.get(name)! };
  const session = await compile(runtime, { weight }, async () => new Map([[name, stored]]));
  try {
    return (await session.run({})).weight!;
  } finally {
    await session.dispose();
  }
}
