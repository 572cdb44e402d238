/** @file Adapters on a model: which base an adapter's folder stands on, and what several adapters change together. */

import { HocketError } from "./errors.js";
import type { LowRank } from "./graph/onnx.js";
import type { Scope } from "./graph/value.js";
import type { Folder } from "./platform/platform.js";
import { addUp, checkFits, isAdapter, readAdapter, readBase } from "./weights/lora.js";

/** An adapter, and how strongly it is used: 1 as it was trained, 0 not at all, -1 the other way. */
export interface AdapterUse {
  readonly folder: Folder;
  readonly strength: number;
}

/** How adapters can stand on adapters; more is a folder that stands on itself. */
const deepest = 8;

/**
 * A folder's model: itself, or where the folder is an adapter's, its base (and so on), with what is to be put on it.
 * @param find the folder of a model, by name
 */
export async function withoutAdapters(
  folder: Folder,
  find: (name: string) => Promise<Folder>,
): Promise<{ folder: Folder; adapters: readonly AdapterUse[] }> {
  const adapters: AdapterUse[] = [];
  for (let at = folder; ; ) {
    if (!(await isAdapterAlone(at))) return { folder: at, adapters };
    adapters.unshift({ folder: at, strength: 1 });
    const base = await readBase(at);
    const other = `say it: --model BASE --lora ${at.location}`;
    if (base === undefined || base === "" || adapters.length > deepest)
      throw new HocketError("bad-request", `${at.location} is an adapter and does not say of which model: ${other}`);
    const location = at.location;
    at = await find(base).catch((error: unknown) => {
      if (!(error instanceof HocketError)) throw error;
      const message = `${location} is an adapter of ${base}: ${error.message}. If that model is elsewhere, ${other}`;
      throw new HocketError(error.code, message, { cause: error });
    });
  }
}

/**
 * What the adapters add to the weights of `parts`, by name.
 * @param prefixes what precedes the names of each part
 * @throws HocketError bad-checkpoint where an adapter is damaged, or for another model
 */
export async function changesBy(
  uses: readonly AdapterUse[],
  model: string,
  parts: readonly Scope[],
  prefixes: readonly string[],
): Promise<Map<string, LowRank>> {
  const shapes = new Map(
    parts.flatMap((part, i) =>
      [...part.weights].map(([name, { shape }]) => [prefixes[i]! + name, shape as readonly number[]] as const),
    ),
  );
  const read = await Promise.all(
    uses.map(async ({ folder, strength }) => ({ adapter: await readAdapter(folder), strength })),
  );
  for (const { adapter } of read) checkFits(adapter, model, (name) => shapes.get(name));
  return addUp(read);
}

// --- internal ---

/** A folder may hold an adapter beside a whole model; then it is the model. */
const isAdapterAlone = async (folder: Folder): Promise<boolean> =>
  (await isAdapter(folder)) && !(await folder.list()).some((name) => /^model\.safetensors(\.index\.json)?$/.test(name));
