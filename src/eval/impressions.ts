/**
 * @file What the judges heard in a data set's clips: heard once, by several threads, and kept in DATA/eval, a file for
 * each hundred or so, so that a run that was stopped goes on.
 */

import { inThreads, isFile, makeFolder, openFile, writeFileAtomically } from "#platform";
import { pathOf } from "../data/manifest.js";
import { HocketError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { readHeader, readTensor, writeSafetensors } from "../weights/safetensors.js";
import type { Clip } from "./clips.js";
import { featureCount, tonalCount } from "./features.js";
import { rowOf, stacked } from "./fit.js";
import type { HearJob, Impression } from "./hear-clip.js";

/** Something slow, a piece further. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly of: number;
}

export interface Hearing {
  /** At most so much of each clip. */
  readonly seconds: number;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/** The impressions of clips of the data folder `folder`, in their order. */
export async function* impressionsOf(
  folder: string,
  clips: readonly Clip[],
  { seconds, threads, signal }: Hearing,
): AsyncGenerator<Progress, Impression[]> {
  const all: Impression[] = [];
  await makeFolder(`${folder}/eval`);
  for (let start = 0; start < clips.length; start += perFile) {
    const some = clips.slice(start, start + perFile);
    const key = await sha256(JSON.stringify([version, seconds, some.map(({ entry }) => entry)]));
    const path = `${folder}/eval/heard-${key.slice(0, 16)}.safetensors`;
    const kept = await readKept(path);
    if (kept?.length === some.length) all.push(...kept);
    else {
      const heard: Impression[] = [];
      const jobs = some.map(({ entry }): HearJob => ({ sound: pathOf(folder, entry), seconds }));
      for await (const each of hearAll(jobs, threads, signal)) {
        heard.push(each);
        yield { what: "hearing clips", done: all.length + heard.length, of: clips.length };
      }
      await writeFileAtomically(path, pack(heard));
      all.push(...heard);
    }
  }
  return all;
}

/** The impressions of sounds, in their order. @throws what hearing one of them throws */
export async function* hearAll(
  jobs: readonly HearJob[],
  threads: number,
  signal?: AbortSignal,
): AsyncGenerator<Impression> {
  const module = new URL("./hear-clip.js", import.meta.url);
  for await (const { result } of inThreads<HearJob, Impression>(module, "hearClip", jobs, threads)) {
    signal?.throwIfAborted();
    if (result instanceof HocketError) throw result;
    yield result;
  }
}

export async function sha256(text: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- internal ---

/** Changes when the judges hear something else in the same clip. */
const version = 4;
const perFile = 128;

const pack = (heard: readonly Impression[]): Uint8Array =>
  writeSafetensors({
    features: stacked(heard.map(({ features }) => features)),
    tonal: stacked(heard.map(({ tonal }) => tonal)),
    rules: stacked(heard.map(({ bpm, key }) => Float32Array.of(bpm, key.tonic, +(key.mode === "minor")))),
  });

/** What `pack` wrote; undefined where there is none, or one of other judges, or a damaged one: then it is made again. */
async function readKept(path: string): Promise<Impression[] | undefined> {
  if (!(await isFile(path))) return undefined;
  const source = await openFile(path);
  try {
    const { tensors } = await readHeader(source);
    const read = async (name: string, width: number): Promise<Tensor> => {
      const entry = tensors.get(name);
      return entry?.shape[1] === width ? readTensor(source, entry) : tensor("float32", [0, width]);
    };
    const [features, tonal, rules] = [
      await read("features", featureCount),
      await read("tonal", tonalCount),
      await read("rules", 3),
    ];
    return Array.from({ length: features.shape[0]! }, (_, i) => {
      const [bpm, tonic, minor] = rowOf(rules, i) as unknown as [number, number, number];
      const key = { tonic, mode: minor === 1 ? ("minor" as const) : ("major" as const) };
      return { features: rowOf(features, i), tonal: rowOf(tonal, i), bpm, key };
    });
  } catch {
    return undefined;
  } finally {
    await source.close();
  }
}
