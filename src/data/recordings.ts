/**
 * @file The samples of a data set's recordings at one rate. A short one is decoded each time it is wanted; a long one once,
 * and kept under the data folder's `cache` as whole numbers, so that a second of it costs reading a second.
 */

import { isFile, makeFolder, openFile, writeFileAtomically } from "#platform";
import { decodeAudio } from "../audio/decode.js";
import { resample } from "../audio/resample.js";
import { sampleCount, type Waveform, withChannels } from "../audio/waveform.js";
import { HocketError } from "../errors.js";
import type { ByteSource } from "../platform/platform.js";
import { tensor } from "../tensor.js";
import { numbersIn, readHeader, safetensorsChunks, type TensorEntry } from "../weights/safetensors.js";
import { type Entry, pathOf } from "./manifest.js";

/** How sound is wanted. */
export interface SoundFormat {
  /** Hz */
  readonly sampleRate: number;
  readonly channels: number;
}

export interface Recording {
  /** Samples of a channel. */
  readonly length: number;
  /** Samples from `start` on, [C][count]; zero past the end. */
  read(start: number, count: number): Promise<Float32Array[]>;
}

/** The largest file that is read. Such a file of MP3 would be five hours long. */
export const maxFileBytes = 2 ** 29;

/** The recordings of one data folder. */
export class Recordings {
  readonly #kept = new Map<string, Promise<Recording>>();
  readonly #recent = new Map<string, Promise<Waveform>>();

  constructor(
    readonly folder: string,
    readonly format: SoundFormat,
  ) {}

  /**
   * @throws HocketError "bad-file" or "unsupported" for a recording that cannot be used, "disk" where a long one cannot be
   *   kept
   */
  async open(entry: Entry): Promise<Recording> {
    const path = pathOf(this.folder, entry);
    if (entry.duration <= longSeconds) return inMemory(await this.#decoded(path));
    const open = this.#kept.get(path) ?? this.#keep(path);
    this.#kept.set(path, open);
    open.catch(() => this.#kept.delete(path)); // it may be mended by the next time
    return open;
  }

  /** The last few short ones stay in memory: a small data set is decoded once. */
  #decoded(path: string): Promise<Waveform> {
    const found = this.#recent.get(path) ?? decoded(path, this.format);
    this.#recent.delete(path);
    this.#recent.set(path, found);
    found.catch(() => this.#recent.delete(path));
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > recentCount) this.#recent.delete(oldest!);
    return found;
  }

  async #keep(path: string): Promise<Recording> {
    const { sampleRate, channels } = this.format;
    const name = `${await fingerprint(path)}-${sampleRate}-${channels}.safetensors`;
    const kept = `${this.folder}/cache/${name}`;
    const found = await readKept(kept);
    if (found !== undefined) return found;
    const waveform = await decoded(path, this.format);
    await makeFolder(`${this.folder}/cache`);
    await writeFileAtomically(kept, pack(waveform));
    return (await readKept(kept))!;
  }
}

/**
 * The sound of a file, in a format.
 * @throws HocketError "bad-file" or "unsupported"
 */
export async function decoded(path: string, { sampleRate, channels }: SoundFormat): Promise<Waveform> {
  const waveform = await decodeAudio(await readAll(path), path);
  return resample(withChannels(waveform, channels), sampleRate);
}

/** A file's bytes, if they are not too many. */
export async function readAll(path: string): Promise<Uint8Array> {
  return using(path, async (source) => {
    if (source.size > maxFileBytes)
      throw new HocketError(
        "unsupported",
        `${path} is enormous (${(source.size / 1e6).toFixed(0)} MB; at most ${maxFileBytes / 2 ** 20} MiB are read): cut it into pieces`,
      );
    return source.read(0, source.size);
  });
}

// --- internal ---

/** Longer ones are kept decoded. */
const longSeconds = 20;
/** Short ones in memory: at most 160 MB of mono at 32 kHz. */
const recentCount = 64;

const inMemory = (waveform: Waveform): Recording => ({
  length: sampleCount(waveform),
  read: async (start, count) =>
    waveform.channels.map((channel) => filled(channel.subarray(start, start + count), count)),
});

/** Samples as 16-bit numbers, and what to multiply them by: more than 1/32768 where the sound exceeds ±1. */
function* pack({ channels }: Waveform): Generator<Uint8Array> {
  let peak = 1;
  for (const channel of channels) for (let n = 0; n < channel.length; n++) peak = Math.max(peak, Math.abs(channel[n]!));
  const step = peak / 32768;
  const data = new Int16Array(channels.length * channels[0]!.length);
  for (const [c, channel] of channels.entries())
    for (let n = 0, at = c * channel.length; n < channel.length; n++)
      data[at + n] = Math.min(32767, Math.round(channel[n]! / step));
  yield* safetensorsChunks(
    { samples: tensor("int16", [channels.length, channels[0]!.length], data) },
    { step: `${step}` },
  );
}

/** What `pack` wrote; undefined where it is not there, or damaged. */
async function readKept(path: string): Promise<Recording | undefined> {
  if (!(await isFile(path))) return undefined;
  try {
    return await using(path, async (source) => {
      const { tensors, metadata } = await readHeader(source);
      const samples = tensors.get("samples");
      const step = Number(metadata.step);
      if (samples === undefined || !(step > 0)) return undefined;
      return { length: samples.shape[1]!, read: (start, count) => readPart(path, samples, step, start, count) };
    });
  } catch (error) {
    if (error instanceof HocketError && error.code === "bad-file") return undefined;
    throw error;
  }
}

async function readPart(path: string, { shape, offset }: TensorEntry, step: number, start: number, count: number) {
  const [channels, length] = shape as [number, number];
  const there = Math.max(0, Math.min(count, length - start));
  return using(path, async (source) => {
    const parts: Float32Array[] = [];
    for (let c = 0; c < channels; c++) {
      const integers = numbersIn(
        "int16",
        await source.read(offset + 2 * (c * length + start), 2 * there),
      ) as Int16Array;
      const part = new Float32Array(count);
      for (let n = 0; n < there; n++) part[n] = integers[n]! * step;
      parts.push(part);
    }
    return parts;
  });
}

/** Tells a sound from another, wherever it lies: its size, and a hash of how the file starts and ends. */
export async function fingerprint(path: string): Promise<string> {
  return using(path, async (source) => {
    const size = Math.min(source.size, 2 ** 14);
    const ends = [await source.read(0, size), await source.read(source.size - size, size)];
    const told = new Uint8Array(
      await new Blob([`${source.size} `, ...(ends as Uint8Array<ArrayBuffer>[])]).arrayBuffer(),
    );
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
    return Array.from(hash.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}

async function using<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFile(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

function filled(samples: Float32Array, count: number): Float32Array {
  const whole = new Float32Array(count);
  whole.set(samples);
  return whole;
}
