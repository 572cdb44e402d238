/** @file What is made of weights once and kept on disk: known by what it was made of, and made again if it is damaged. */

import { lastWritten, makeFolder, openFile, writeFileAtomically } from "#platform";
import { assert, HocketError } from "../errors.js";
import type { StoredNumbers } from "../graph/onnx.js";
import type { ByteSource } from "../platform/platform.js";
import { bytesPerElement, type DType, elementCount, type Tensor } from "../tensor.js";
import { readHeader, readTensor, writeSafetensors } from "./safetensors.js";

/** Numbers where they are stored. */
export interface StoredMatrix {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: StoredNumbers;
}

/**
 * What changes with the numbers: when their files were written, and a KiB from the middle of each matrix. A step of training
 * changes all of them; the time tells what the sample misses. A whole hash would read all of the file at each load, to save
 * reading it. (Two more, from both ends, told nothing else and took 0.04 s of loading 8 layers x 256.)
 */
export async function stateOf(matrices: readonly StoredMatrix[]): Promise<string> {
  const files = new Map<string, ByteSource>();
  const seen: Uint8Array[] = [];
  try {
    for (const { data, shape, dtype } of matrices) {
      assert(!(data instanceof Uint8Array), "only what lies in a file is kept");
      const { location, offset } = data;
      const file = files.get(location) ?? (await openFile(location));
      if (!files.has(location)) seen.push(encoded(await lastWritten(location)));
      files.set(location, file);
      const length = elementCount(shape) * bytesPerElement(dtype);
      const count = Math.min(1024, length);
      seen.push(await file.read(offset + Math.floor((length - count) / 2), count));
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
  return hex(new Uint8Array(await new Blob(seen as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
}

/**
 * The tensors in the file `path`, which were made of `source`; if they are not there, makes them and keeps them. Where
 * nothing can be written they are made each time.
 */
export async function keptTensors(
  path: string,
  source: string,
  make: () => Promise<Readonly<Record<string, Tensor>>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const known = await read(path, source);
  if (known !== undefined) return known;
  const made = await make();
  const bytes = writeSafetensors(made, { source, digest: await digestOf(made) });
  try {
    await makeFolder(path.slice(0, path.lastIndexOf("/")));
    await writeFileAtomically(path, [bytes]);
  } catch (error) {
    if (!(error instanceof HocketError && error.code === "disk")) throw error;
  }
  return made;
}

export const encoded = (json: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(json));

export const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));

/** SHA-256 in hexadecimal. */
export const hex = async (bytes: Uint8Array): Promise<string> =>
  Array.from(await sha256(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

// --- internal ---

async function read(path: string, source: string): Promise<Record<string, Tensor> | undefined> {
  let file: ByteSource | undefined;
  try {
    file = await openFile(path);
    const { tensors, metadata } = await readHeader(file);
    if (metadata.source !== source) return undefined;
    const found: Record<string, Tensor> = {};
    for (const [name, entry] of tensors) found[name] = await readTensor(file, entry);
    return metadata.digest === (await digestOf(found)) ? found : undefined;
  } catch (error) {
    if (error instanceof HocketError && error.code !== "internal") return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}

const digestOf = async (tensors: Readonly<Record<string, Tensor>>): Promise<string> => hex(writeSafetensors(tensors));
