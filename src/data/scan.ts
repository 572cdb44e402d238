/**
 * @file A folder of sound files becomes a data set: each is decoded once, checked and described, and those that can be learnt
 * from are listed, where they lie.
 */

import { filesBelow, inThreads, openFolder } from "#platform";
import { HocketError } from "../errors.js";
import { philox } from "../lm/random.js";
import type { Examined } from "./examine.js";
import { type Entry, writeManifest } from "./manifest.js";

export interface ScanOptions {
  /** Share of the recordings that is kept for validation. */
  readonly valid: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  /** Why a file, or one that may say words of it, shall not be read; undefined where it may. */
  readonly refuse?: (path: string) => Promise<string | undefined>;
}

/** Told of each file: done of how many, and what was wrong, with the file or with words beside it. */
export interface ScanEvent {
  readonly path: string;
  readonly done: number;
  readonly files: number;
  /** Why it was left out. */
  readonly skipped?: string;
  readonly notes: readonly string[];
}

export interface ScanResult {
  readonly entries: readonly Entry[];
  readonly skipped: number;
}

/**
 * Lists the recordings in `folder` in `out`/data.jsonl. A recording belongs to the split that its path in the folder says,
 * so it stays there when others come and go.
 * @param folder, out absolute
 * @throws HocketError "bad-file" when there is nothing that can be learnt from
 */
export async function* scanFolder(
  folder: string,
  out: string,
  { valid, threads, signal, refuse }: ScanOptions,
): AsyncGenerator<ScanEvent, ScanResult> {
  await openFolder(folder); // says what is wrong with it
  const names = (await filesBelow(folder)).filter((name) => sounds.test(name));
  if (names.length === 0)
    throw new HocketError("bad-file", `${folder} holds no sound files (wav, mp3, flac, ogg, opus)`);
  const entries: Entry[] = [];
  const places: number[] = [];
  let done = 0;
  const paths = names.map((name) => `${folder}/${name}`);
  const refused = refuse && (await refusals(paths, refuse));
  const tasks = paths.filter((path) => !refused?.has(path));
  for (const [path, skipped] of refused ?? [])
    yield { path: path.slice(folder.length + 1), done: ++done, files: names.length, skipped, notes: [] };
  for await (const { item, result } of inThreads<string, Examined>(module, "examine", tasks, threads)) {
    signal?.throwIfAborted();
    const name = item.slice(folder.length + 1);
    const event = { path: name, done: ++done, files: names.length };
    if (result instanceof HocketError) {
      if (result.code !== "bad-file" && result.code !== "unsupported" && result.code !== "internal") throw result;
      yield { ...event, skipped: result.message, notes: [] };
      continue;
    }
    const { duration, sampleRate, channels, notes, ...about } = result;
    const path = item.startsWith(`${out}/`) ? item.slice(out.length + 1) : item;
    const at = placeOf(name);
    places.push(at);
    entries.push({
      path,
      duration,
      sample_rate: sampleRate,
      channels,
      split: at < valid ? "valid" : "train",
      ...about,
    });
    yield { ...event, notes };
  }
  const skipped = names.length - entries.length;
  if (entries.length === 0)
    throw new HocketError("bad-file", `none of the ${skipped} sound files in ${folder} can be learnt from`);
  if (valid > 0) ensureValid(entries, places);
  await writeManifest(out, entries);
  return { entries, skipped };
}

// --- internal ---

const module = new URL("./examine.js", import.meta.url);

/** What can be read, and what people would miss if it were not named. */
const sounds = /\.(wav|wave|mp3|flac|ogg|oga|opus|m4a|aac|wma|aiff?|au|caf|mka|xm|mod|it|s3m)$/i;

/** Of each path that must not be read, or beside which lies what must not, the reason. */
async function refusals(
  paths: readonly string[],
  refuse: NonNullable<ScanOptions["refuse"]>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const stem = path.replace(/\.[^./\\]*$/, "");
    for (const each of [path, `${stem}.txt`, `${stem}.json`]) {
      const reason = await refuse(each);
      if (reason !== undefined) found.set(path, each === path ? reason : `the words beside it: ${reason}`);
    }
  }
  return found;
}

/** In [0, 1), by the path alone: FNV-1a over its UTF-8, mixed once more. Below the share of validation, it is for that. */
function placeOf(path: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(path.normalize("NFC"))) hash = Math.imul(hash ^ byte, 0x01000193);
  return philox([hash, 0, 0, 0], [0, 0])[0] / 2 ** 32;
}

/** Few recordings may all be for training: then the one that came nearest to validation is for that. */
function ensureValid(entries: Entry[], places: readonly number[]): void {
  if (entries.length < 2 || entries.some(({ split }) => split === "valid")) return;
  const nearest = places.indexOf(Math.min(...places));
  entries[nearest] = { ...entries[nearest]!, split: "valid" };
}
