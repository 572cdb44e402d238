/**
 * @file What a model makes of prompts, a batch at a time, kept as codes beside the model: an evaluation that was stopped
 * goes on, and one that is asked for again is quick.
 */

import { isFile, makeFolder, openFile, writeFileAtomically } from "#platform";
import type { Waveform } from "../audio/waveform.js";
import { type Codes, codes } from "../codes.js";
import type { MusicModel } from "../model.js";
import { generate } from "../musicgen.js";
import { decodeCodes } from "../sound.js";
import { type Tensor, tensor } from "../tensor.js";
import { readHeader, readTensor, writeSafetensors } from "../weights/safetensors.js";
import type { Impression } from "./hear-clip.js";
import { hearAll, type Progress, sha256 } from "./impressions.js";

export interface Wish {
  readonly prompt: string;
  readonly seed: number;
}

export interface Composing {
  /** The model, told apart from every other: see `modelKey`. */
  readonly key: string;
  /** Where codes are kept; nowhere without one. */
  readonly folder: string | undefined;
  /** Of each piece. */
  readonly seconds: number;
  /** Pieces at a time. */
  readonly batch: number;
  /** A tune for all of them. */
  readonly melody?: Waveform;
  readonly signal?: AbortSignal | undefined;
}

/** [wishes] of [K][T], in their order. @param what it is for, for whoever waits */
export async function* composeAll(
  model: MusicModel,
  what: string,
  wishes: readonly Wish[],
  { key, folder, seconds, batch, melody, signal }: Composing,
): AsyncGenerator<Progress, Codes[]> {
  const made: Codes[] = [];
  const tune = melody && (await sha256(new Uint8Array(melody.channels[0]!.slice().buffer)));
  for (let start = 0; start < wishes.length; start += batch) {
    yield { what, done: start, of: wishes.length };
    const some = wishes.slice(start, start + batch);
    const name = await sha256(JSON.stringify([version, key, seconds, tune ?? null, some]));
    const path = folder && `${folder}/eval/composed-${name.slice(0, 16)}.safetensors`;
    const kept = path === undefined ? undefined : await readKept(path, some.length);
    const grids = kept ?? (await compose(model, some, seconds, melody, signal));
    made.push(...grids);
    if (path === undefined || kept !== undefined) continue;
    await makeFolder(`${folder}/eval`);
    await writeFileAtomically(path, writeSafetensors(Object.fromEntries(grids.map((grid, i) => [`${i}`, pack(grid)]))));
  }
  return made;
}

/** Pieces as the judges hear them. */
export async function hearCodes(
  model: MusicModel,
  grids: readonly Codes[],
  threads: number,
  signal?: AbortSignal,
): Promise<Impression[]> {
  const heard: Impression[] = [];
  for (let start = 0; start < grids.length; start += 8) {
    const jobs = [];
    for (const grid of grids.slice(start, start + 8)) {
      const sound = await soundOf(model, grid, signal);
      jobs.push({ sound, seconds: Number.POSITIVE_INFINITY });
    }
    for await (const each of hearAll(jobs, threads, signal)) heard.push(each);
  }
  return heard;
}

export async function soundOf(model: MusicModel, grid: Codes, signal?: AbortSignal): Promise<Waveform> {
  const [sound] = await decodeCodes(model, [{ codes: [grid] }], signal);
  return sound!;
}

/** The same for the same weights, configuration and name, and for no others. */
export async function modelKey({ name, checkpoint, lm, text }: MusicModel): Promise<string> {
  const told = [JSON.stringify([name, lm.config, text.config])];
  for (const tensorName of [...checkpoint.tensors.keys()].sort()) {
    const { data } = await checkpoint.read(tensorName);
    told.push(tensorName, await sha256(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)));
  }
  return sha256(told.join("\n"));
}

// --- internal ---

const version = 1;

async function compose(
  model: MusicModel,
  wishes: readonly Wish[],
  seconds: number,
  melody: Waveform | undefined,
  signal: AbortSignal | undefined,
): Promise<Codes[]> {
  const request = {
    prompt: wishes.map(({ prompt }) => prompt),
    seed: wishes.map(({ seed }) => seed),
    duration: seconds,
    ...(melody && { melody }),
  };
  for await (const event of generate(model, request, signal === undefined ? {} : { signal }))
    if (event.type === "done") return event.pieces.map((piece) => piece.codes);
  return [];
}

function pack(grid: Codes): Tensor {
  const frames = grid[0]!.length;
  const data = new Int16Array(grid.length * frames);
  for (const [k, row] of grid.entries()) data.set(row, k * frames);
  return tensor("int16", [grid.length, frames], data);
}

async function readKept(path: string, count: number): Promise<Codes[] | undefined> {
  if (!(await isFile(path))) return undefined;
  const source = await openFile(path);
  try {
    const { tensors } = await readHeader(source);
    const grids: Codes[] = [];
    for (let i = 0; i < count; i++) {
      const { shape, data } = await readTensor(source, tensors.get(`${i}`)!);
      const [rows, frames] = shape as [number, number];
      grids.push(
        codes(
          Array.from({ length: rows }, (_, k) =>
            Int32Array.from((data as Int16Array).subarray(k * frames, (k + 1) * frames)),
          ),
        ),
      );
    }
    return grids;
  } catch {
    return undefined; // damaged: it is composed again
  } finally {
    await source.close();
  }
}
