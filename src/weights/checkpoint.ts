/** @file A model's tensors on disk, in the Hugging Face layout: one safetensors file, or shards and an index. */

import { assert, HocketError } from "../errors.js";
import type { ByteSource, Folder } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { readHeader, readTensor, type TensorEntry } from "./safetensors.js";

/** A tensor, and the file that it lies in. */
export interface StoredTensor extends TensorEntry {
  /** The file's name in its folder, for messages. */
  readonly file: string;
  /** `ByteSource.location`: where a runtime finds the file. */
  readonly location: string;
}

export interface Checkpoint {
  /** The folder, for messages. */
  readonly location: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  read(name: string): Promise<Tensor>;
  /** `length` bytes of the tensor from its byte `start` on. */
  readBytes(name: string, start: number, length: number): Promise<Uint8Array>;
  /** Bytes of one of its files, whichever tensors lie there. */
  readAt(file: string, offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names (the Hugging Face layout).
 * @throws HocketError bad-checkpoint if files are missing or disagree; unsupported if there are only PyTorch pickles.
 */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  const files = new Map<string, ByteSource>();
  try {
    const tensors = await readTensorList(folder, files);
    const find = (name: string) => {
      const entry = tensors.get(name);
      assert(entry, `${name} is not in ${folder.location}`);
      return { entry, source: files.get(entry.file)! };
    };
    return {
      location: folder.location,
      tensors,
      async read(name) {
        const { entry, source } = find(name);
        return readTensor(source, entry);
      },
      async readBytes(name, start, length) {
        const { entry, source } = find(name);
        assert(start >= 0 && start + length <= entry.length, `${name} has ${entry.length} bytes`);
        return source.read(entry.offset + start, length);
      },
      readAt: (file, offset, length) => files.get(file)!.read(offset, length),
      close: () => closeAll(files),
    };
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

// --- internal ---

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

async function readTensorList(folder: Folder, files: Map<string, ByteSource>): Promise<Map<string, StoredTensor>> {
  const names = await folder.list();
  if (names.includes(SINGLE)) return readShard(folder, SINGLE, files);
  if (!names.includes(INDEX)) throw noWeights(folder, names);

  const tensors = new Map<string, StoredTensor>();
  const shards = new Map<string, Map<string, StoredTensor>>();
  for (const [name, shard] of await readIndex(folder)) {
    if (!shards.has(shard)) shards.set(shard, await readShard(folder, shard, files));
    const entry = shards.get(shard)!.get(name);
    if (entry === undefined) throw disagree(folder, `${INDEX} says that ${name} is in ${shard}, and it is not`);
    tensors.set(name, entry);
  }
  return tensors;
}

async function readShard(folder: Folder, file: string, files: Map<string, ByteSource>) {
  const source = await folder.open(file);
  if (source === undefined) throw disagree(folder, `${INDEX} names ${file}, which is not there`);
  files.set(file, source);
  const { tensors } = await readHeader(source, `${folder.location}/${file}`);
  return new Map([...tensors].map(([name, entry]) => [name, { ...entry, file, location: source.location }]));
}

/** [tensor, shard] pairs. */
async function readIndex(folder: Folder): Promise<[string, string][]> {
  const source = (await folder.open(INDEX))!;
  try {
    const text = new TextDecoder().decode(await source.read(0, source.size));
    const { weight_map: map } = JSON.parse(text) as { weight_map: Record<string, string> };
    const pairs = Object.entries(map);
    if (pairs.some(([, shard]) => typeof shard !== "string" || !/^[\w.-]+\.safetensors$/.test(shard))) throw undefined;
    return pairs;
  } catch (cause) {
    if (cause instanceof HocketError) throw cause;
    throw new HocketError("bad-checkpoint", `${folder.location}/${INDEX} has no weight_map of tensors to files`, {
      cause,
    });
  } finally {
    await source.close();
  }
}

const disagree = (folder: Folder, what: string) =>
  new HocketError("bad-checkpoint", `${folder.location}: ${what}; download the model again`);

function noWeights(folder: Folder, names: readonly string[]): HocketError {
  const pickle = names.find((name) => /^(pytorch_model.*|state_dict|compression_state_dict)\.bin$/.test(name));
  if (pickle === undefined)
    return new HocketError("bad-checkpoint", `${folder.location} holds no ${SINGLE}: is it a model's folder?`);
  return new HocketError(
    "unsupported",
    `${folder.location} holds PyTorch weights (${pickle}), and Hocket reads ${SINGLE} only: ` +
      "take a revision that has it, or convert with transformers' from_pretrained(…).save_pretrained(…)",
  );
}

async function closeAll(files: ReadonlyMap<string, ByteSource>): Promise<void> {
  await Promise.all([...files.values()].map((file) => file.close()));
}
