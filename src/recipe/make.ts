/**
 * @file `hocket data make`: clips by the recipe "synth" as a data folder: audio/NNNNNN.flac, data.jsonl with a line a clip
 * in that order, recipe.json with what was asked for, DATA-LICENCES with what it was made of.
 */

import { appendToFile, freeSpace, inThreads, isFile, makeFolder, openFile, writeFileAtomically } from "#platform";
import { formatManifest, parseManifest, type Split, splits } from "../data/manifest.js";
import { HocketError } from "../errors.js";
import type { Clip, ClipJob } from "./clip.js";
import { recipeVersion } from "./compose.js";
import { type FontSource, loadFonts, readFont } from "./fonts.js";
import { licences } from "./licences.js";
import { renderRate } from "./render.js";

export interface MakeOptions {
  readonly folder: string;
  readonly clips: number;
  /** Of each clip. */
  readonly seconds: number;
  /** Every clip's own seed follows from it; 0 to 2^20 - 1. */
  readonly seed: number;
  /** Of the clips, in the order train, valid, test; they add up to 1. */
  readonly shares: readonly [number, number, number];
  readonly fonts: readonly FontSource[];
  readonly channels: 1 | 2;
  readonly threads: number;
  /** Go on with what is in the folder. */
  readonly resume: boolean;
}

export type MakeEvent =
  | {
      readonly type: "plan";
      readonly done: number;
      readonly clips: number;
      readonly bytes: number;
      readonly free: number;
    }
  | {
      readonly type: "clip";
      readonly done: number;
      readonly clips: number;
      readonly path: string;
      readonly bytes: number;
    }
  | { readonly type: "done"; readonly clips: number; readonly counts: Readonly<Record<Split, number>> };

/**
 * Makes the data set. What was made when it stops, however it stops, is kept and can be gone on with. The same options
 * give the same bytes, whatever the number of threads.
 * @throws HocketError "bad-request" for a folder that holds another data set; "disk"
 */
export async function* make(options: MakeOptions, signal?: AbortSignal): AsyncGenerator<MakeEvent> {
  const { folder, clips, seconds, channels, threads } = options;
  await loadFonts(options.fonts); // threads load them for themselves: what is wrong with one is said before anything is written
  const settings = await settingsOf(options);
  await makeFolder(`${folder}/audio`);
  const done = await doneAlready(options, settings);
  const bytes = (clips - done) * seconds * renderRate * channels * bytesPerSample;
  const free = await freeSpace(folder);
  yield { type: "plan", done, clips, bytes, free };
  if (bytes > free)
    throw new HocketError(
      "disk",
      `${folder} needs about ${gigabytes(bytes)}, and its disk has ${gigabytes(free)} free: make fewer clips, or write elsewhere`,
    );
  await writeText(`${folder}/recipe.json`, settings);
  await writeText(`${folder}/DATA-LICENCES`, licences(options.fonts));

  const rest = jobsOf(options).slice(done);
  const made = inThreads<ClipJob, Clip>(new URL("./clip.js", import.meta.url), "makeClip", rest, threads, signal);
  let count = done;
  for await (const { result } of made) {
    if (result instanceof HocketError) throw result;
    const { audio, entry } = result;
    await writeFileAtomically(`${folder}/${entry.path}`, audio);
    await appendToFile(`${folder}/data.jsonl`, new TextEncoder().encode(formatManifest([entry])));
    yield { type: "clip", done: ++count, clips, path: entry.path, bytes: audio.length };
    signal?.throwIfAborted();
  }
  yield { type: "done", clips, counts: countsOf(options) };
}

/** The seed, file and use of every clip. Those for validation and tests come first, so that a part of a set has some. */
export function jobsOf(options: Omit<MakeOptions, "folder" | "threads" | "resume">): ClipJob[] {
  const { seconds, channels, fonts } = options;
  const counts = countsOf(options);
  const width = Math.max(6, `${options.clips - 1}`.length);
  const jobs: ClipJob[] = [];
  // Each use has a range of seeds to itself: a longer set for training never holds a clip of a shorter one's tests.
  for (const split of ["valid", "test", "train"] as const)
    for (let k = 0; k < counts[split]; k++)
      jobs.push({
        seed: options.seed * 2 ** 32 + splits.indexOf(split) * 2 ** 30 + k,
        split,
        path: `audio/${`${jobs.length}`.padStart(width, "0")}.flac`,
        seconds,
        channels,
        fonts,
      });
  return jobs;
}

// --- internal ---

/** What a sample takes in a FLAC file of such music, about. */
const bytesPerSample = 1.4;

/** A small set has something of each use. */
function countsOf({ clips, shares }: Pick<MakeOptions, "clips" | "shares">): Record<Split, number> {
  const count = (share: number) => Math.min(Math.ceil(clips * share - 1e-9), Math.floor(clips / 3)); // one at least
  const [valid, test] = [count(shares[1]), count(shares[2])];
  return { train: clips - valid - test, valid, test };
}

/** Everything that the bytes depend on, as the file that says so. */
async function settingsOf(options: MakeOptions): Promise<string> {
  const { clips, seconds, seed, shares, channels } = options;
  const fonts = [];
  for (const { name, path, weight } of options.fonts)
    fonts.push({ name, weight, sha256: await sha256(await readFont(path)) });
  const settings = { recipe: "synth", version: recipeVersion, clips, seconds, seed, shares, channels, fonts };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** How many clips the folder holds, of those that would be made; what follows a damaged one is made again. */
async function doneAlready({ folder, resume, ...options }: MakeOptions, settings: string): Promise<number> {
  const [found, manifest] = [await readText(`${folder}/recipe.json`), await readText(`${folder}/data.jsonl`)];
  if (found === undefined && manifest === undefined) return 0;
  if (!resume)
    throw new HocketError(
      "bad-request",
      `${folder} holds a data set: add --resume to go on with it, or write elsewhere`,
    );
  if (found !== settings)
    throw new HocketError(
      "bad-request",
      `${folder} was made with other settings (${difference(found, settings)}): give the same ones, or write elsewhere`,
    );
  const jobs = jobsOf(options);
  const lines = (manifest ?? "").split("\n").slice(0, -1); // what follows the last end of a line is not a whole one
  let done = 0;
  while (done < Math.min(lines.length, jobs.length) && isEntryOf(lines[done]!, jobs[done]!)) {
    if (!(await isFile(`${folder}/${jobs[done]!.path}`))) break;
    done++;
  }
  const kept = lines
    .slice(0, done)
    .map((line) => `${line}\n`)
    .join("");
  if (kept !== manifest) await writeText(`${folder}/data.jsonl`, kept);
  return done;
}

function isEntryOf(line: string, { path, split }: ClipJob): boolean {
  try {
    const [entry] = parseManifest(line, "data.jsonl");
    return entry?.path === path && entry.split === split;
  } catch {
    return false; // cut off, or overwritten with something else
  }
}

/** Names what is not the same in two files of settings. */
function difference(found: string | undefined, wanted: string): string {
  if (found === undefined) return "it has no recipe.json";
  try {
    const [theirs, ours] = [JSON.parse(found), JSON.parse(wanted)] as [
      Record<string, unknown>,
      Record<string, unknown>,
    ];
    const shown = (value: unknown) => JSON.stringify(value) ?? "nothing";
    const different = Object.keys({ ...theirs, ...ours }).filter((key) => shown(theirs[key]) !== shown(ours[key]));
    return (
      different.map((key) => `${key} ${shown(theirs[key])}, now ${shown(ours[key])}`).join("; ") || "its recipe.json"
    );
  } catch {
    return "its recipe.json is damaged";
  }
}

async function readText(path: string): Promise<string | undefined> {
  if (!(await isFile(path))) return undefined;
  const file = await openFile(path);
  try {
    return new TextDecoder().decode(await file.read(0, file.size));
  } finally {
    await file.close();
  }
}

const writeText = (path: string, text: string): Promise<void> =>
  writeFileAtomically(path, new TextEncoder().encode(text));

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
