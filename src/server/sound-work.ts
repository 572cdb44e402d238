/** @file Work on sound files that takes long, or that strangers sent: done in a thread, with limits on time and memory. */

import { inThreads } from "#platform";
import { decodeAudio } from "../audio/decode.js";
import { type Encoding, encodeAudio } from "../audio/encode.js";
import { normalise, type Strategy } from "../audio/loudness.js";
import type { Provenance } from "../audio/provenance.js";
import { duration, sampleCount, sliceSamples } from "../audio/waveform.js";
import { HocketError } from "../errors.js";
import { Problem } from "./problems.js";
import { readSound, writeSound } from "./shelf.js";

/** A file that was sent, to be written as a sound of ours. */
export interface Taking {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly name: string;
  readonly to: string;
  readonly maxSeconds: number;
}

/** A part of a sound of ours, in seconds. */
export interface Cutting {
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number | undefined;
}

/** A sound of ours as a file for people. */
export interface Making {
  readonly from: string;
  readonly format: Encoding;
  readonly bits: 16 | 24 | 32 | undefined;
  readonly loudness: Strategy;
  readonly provenance: Provenance | undefined;
}

/** @returns seconds */
export const takeSound = (taking: Taking): Promise<number> => inThread("taken", taking);
export const cutSound = (cutting: Cutting): Promise<number> => inThread("cut", cutting);
export const makeFile = (making: Making): Promise<Uint8Array> => inThread("made", making);

// --- what the thread does ---

export async function taken({ bytes, name, to, maxSeconds }: Taking): Promise<number> {
  const sound = await decodeAudio(bytes, name, maxSamples);
  const seconds = duration(sound);
  if (seconds > maxSeconds)
    throw new HocketError(
      "bad-request",
      `${name} lasts ${seconds.toFixed(1)} s, and at most ${maxSeconds} s are taken`,
    );
  await writeSound(to, sound);
  return seconds;
}

export async function cut({ from, to, start, end }: Cutting): Promise<number> {
  const sound = await readSound(from);
  const [first, last] = [start, end ?? duration(sound)].map((at) => Math.round(at * sound.sampleRate)) as [
    number,
    number,
  ];
  const part = sliceSamples(sound, first, last);
  if (sampleCount(part) === 0)
    throw new HocketError(
      "bad-request",
      `from ${start} to ${end ?? "its end"} s, a sound of ${duration(sound)} s has none`,
    );
  await writeSound(to, part);
  return duration(part);
}

export async function made({ from, format, bits, loudness, provenance }: Making): Promise<Uint8Array> {
  const sound = normalise(await readSound(from), loudness);
  const depth = bits === undefined ? {} : { bits };
  return encodeAudio(sound, { format, ...depth, ...(provenance === undefined ? {} : { provenance }) });
}

// --- internal ---

/** Over all channels: a quarter of a gigabyte. Silence can be a million times smaller in its file. */
const maxSamples = 2 ** 26;

const milliseconds = 60_000;
const limits = { maxOldGenerationSizeMb: 512 };

/** At most two at a time: the rest of the machine is for composing. */
const places: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

async function inThread<T, R>(name: string, item: T): Promise<R> {
  const before = places.shift()!;
  const work = before.then(() => run<T, R>(name, item));
  places.push(work.catch(() => {}));
  return work;
}

async function run<T, R>(name: string, item: T): Promise<R> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    for await (const { result } of inThreads<T, R>(new URL(import.meta.url), name, [item], 1, signal, limits)) {
      if (!(result instanceof HocketError)) return result;
      if (/memory limit/.test(result.message))
        throw new Problem("unusable", "the sound takes more memory than there is");
      throw result;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Problem("unusable", `working on the sound took more than ${milliseconds / 1000} s: send a shorter one`);
  }
  throw new HocketError("internal", "a thread returned nothing");
}
