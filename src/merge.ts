/** @file A model and its adapters become one model: the weights that `loadModel` would compute with, as a file. */

import { HocketError } from "./errors.js";
import { compile } from "./graph/compile.js";
import { Scope } from "./graph/value.js";
import type { MusicModel } from "./model.js";
import type { Runtime } from "./platform/platform.js";
import type { DType } from "./tensor.js";
import { safetensorsHeader } from "./weights/safetensors.js";

/**
 * model.safetensors of the model with its adapters merged, in pieces. What an adapter changes becomes float32, so that
 * nothing of the change is lost; everything else is as it was, bit for bit.
 */
export async function* mergedWeights(model: MusicModel, runtime: Runtime): AsyncGenerator<Uint8Array> {
  const { checkpoint, changes } = model;
  const missing = [...changes.keys()].find((name) => !checkpoint.tensors.has(name));
  if (missing !== undefined)
    throw new HocketError("unsupported", `${checkpoint.location} spells ${missing} in a way that cannot be merged`);
  const shapes = [...checkpoint.tensors].map(([name, { dtype, shape }]) => {
    const kind: DType = changes.has(name) ? "float32" : dtype;
    return [name, { dtype: kind, shape }] as const;
  });
  const { header, order } = safetensorsHeader(Object.fromEntries(shapes), { format: "pt" });
  yield header;
  for (const name of order) {
    const { length } = checkpoint.tensors.get(name)!;
    if (changes.has(name)) yield await merged(model, name, runtime);
    else
      for (let start = 0; start < length; start += piece)
        yield await checkpoint.readBytes(name, start, Math.min(piece, length - start));
  }
}

// --- internal ---

/** In bytes. */
const piece = 2 ** 24;

/** The runtime adds the change as it does for a model that runs, so that both have the same numbers. */
async function merged({ checkpoint, changes }: MusicModel, name: string, runtime: Runtime): Promise<Uint8Array> {
  const { shape, dtype, location, offset, length } = checkpoint.tensors.get(name)!;
  const weight = new Scope().weight(name, shape);
  const stored = { dtype, data: { location, offset, length }, added: changes.get(name)! };
  const session = await compile(runtime, { weight }, async () => new Map([[name, stored]]));
  try {
    const { data } = (await session.run({})).weight!;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  } finally {
    await session.dispose();
  }
}
