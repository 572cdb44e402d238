/**
 * @file Matrices in few bits on disk, in a safetensors file that a runtime reads in place. It is known by where its numbers
 * came from, when that was written and what a sample of it says: a file that training writes over is not taken for what it
 * was. What is damaged, or of another kind, is made again.
 */

import { makeFolder, openFile, writeFileAtomically } from "#platform";
import { assert, HocketError } from "../errors.js";
import type { StoredNumbers } from "../graph/onnx.js";
import type { ByteSource } from "../platform/platform.js";
import { encoded, hex, sha256, stateOf } from "./kept.js";
import { type Coded, codedSize } from "./quantise.js";
import type { QuantiseTask } from "./quantise-task.js";
import { readHeader, safetensorsHeader, type TensorEntry } from "./safetensors.js";

/** A matrix to be had in few bits. */
export interface Job extends QuantiseTask {
  readonly name: string;
}

export interface Numbers {
  readonly packed: StoredNumbers;
  readonly scales: StoredNumbers;
}

/**
 * Where the matrices lie in few bits, by name: in a file of `folder`, written first unless it is there.
 * @param jobs matrices that lie in files
 * @param make makes them, in the order given
 * @returns undefined where nothing can be written
 */
export async function keep(
  jobs: readonly Job[],
  folder: string,
  make: (jobs: readonly Job[]) => AsyncIterable<Coded>,
): Promise<ReadonlyMap<string, Numbers> | undefined> {
  const path = `${folder}/${(await hex(encoded(jobs.map(described)))).slice(0, 32)}.safetensors`;
  const source = await stateOf(jobs);
  const known = await read(path, jobs, source);
  if (known !== undefined) return known;
  try {
    await makeFolder(folder);
    await writeFileAtomically(path, pieces(jobs, source, make));
  } catch (error) {
    if (error instanceof HocketError && error.code === "disk") return undefined;
    throw error;
  }
  const written = await read(path, jobs, source);
  assert(written !== undefined, `${path} was written, and is not what was written`);
  return written;
}

// --- internal ---

/** To be counted up when the same matrices would be coded or laid out in another way. */
const version = 1;

/** In bytes, of SHA-256. */
const digestSize = 32;

/** What is the same as long as the files lie where they lie. */
const described = ({ name, shape, dtype, data, coding }: Job) => ({ version, name, shape, dtype, data, coding });

/** The file: of each matrix its scales, its numbers and the SHA-256 of both, as one tensor of bytes. */
async function* pieces(
  jobs: readonly Job[],
  source: string,
  make: (jobs: readonly Job[]) => AsyncIterable<Coded>,
): AsyncGenerator<Uint8Array> {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const { header, order } = safetensorsHeader(
    Object.fromEntries(jobs.map((job) => [job.name, { dtype: "uint8" as const, shape: [sizeOf(job)] }])),
    { source },
  );
  yield header;
  for await (const { packed, scales } of make(order.map((name) => byName.get(name)!))) {
    const whole = new Uint8Array(scales.byteLength + packed.length + digestSize);
    whole.set(new Uint8Array(scales.buffer));
    whole.set(packed, scales.byteLength);
    const content = whole.subarray(0, -digestSize);
    whole.set(await sha256(content), content.length);
    yield whole;
  }
}

function sizeOf({ shape, coding }: Job): number {
  const { packed, scales } = codedSize(...shape, coding);
  return scales + packed + digestSize;
}

/** Undefined unless the file holds all of it, made of the same numbers, as it was written. */
async function read(path: string, jobs: readonly Job[], source: string): Promise<Map<string, Numbers> | undefined> {
  let file: ByteSource | undefined;
  try {
    file = await openFile(path);
    const { tensors, metadata } = await readHeader(file);
    if (metadata.source !== source || tensors.size !== jobs.length) return undefined;
    const found = new Map<string, Numbers>();
    for (const job of jobs) {
      const entry = tensors.get(job.name);
      if (entry?.dtype !== "uint8" || entry.length !== sizeOf(job)) return undefined;
      const { scales, packed } = codedSize(...job.shape, job.coding);
      const { location } = file;
      found.set(job.name, {
        scales: { location, offset: entry.offset, length: scales },
        packed: { location, offset: entry.offset + scales, length: packed },
      });
    }
    return (await isWhole(file, [...tensors.values()])) ? found : undefined;
  } catch (error) {
    if (error instanceof HocketError && error.code !== "internal") return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}

/** Whether every tensor ends with the digest of what is before it; several at a time, on threads of the engine. */
async function isWhole(file: ByteSource, entries: readonly TensorEntry[]): Promise<boolean> {
  const queue = [...entries];
  let good = true;
  const work = async () => {
    for (let entry = queue.pop(); entry !== undefined && good; entry = queue.pop()) {
      const whole = await file.read(entry.offset, entry.length);
      const digest = await sha256(whole.subarray(0, -digestSize));
      if (whole.subarray(-digestSize).some((byte, i) => byte !== digest[i])) good = false;
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return good;
}
