/** @file Where results go: names nobody else has, folders that can be written to, checked before any work starts. */

import { existsSync } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import type { Option } from "./command.js";

export const outputOption = (help: string): Option => ({ kind: "text", short: "o", value: "FILE", help });
export const overwriteOption: Option = { kind: "flag", help: "replace files that exist" };

/**
 * Makes sure that `paths` can be written: nothing is overwritten unasked, every folder is there and takes files.
 * @throws HocketError "bad-request"
 */
export async function checkOutputs(paths: readonly string[], overwrite: boolean): Promise<void> {
  const places = paths.map((path) => resolve(path));
  for (const [i, path] of paths.entries()) {
    if (places.indexOf(places[i]!) !== i) throw bad(`${path} is named for two outputs: give each its own name`);
    if (path === "-") throw bad("writing to stdout is not there: give the name of a file");
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() || /[\\/]$/.test(path)) throw bad(`${path} is a folder: name the file to write in it`);
    if (found !== undefined && !found.isFile()) throw bad(`${path} is not a file that can be replaced: name another`);
    if (found !== undefined && !overwrite) throw bad(`${path} exists: give another name, or --overwrite to replace it`);
    await probe(path);
  }
}

/** `path` for one result; `path` with -1, -2 ... before its ending for several. */
export const numbered = (path: string, count: number): string[] =>
  count === 1
    ? [path]
    : Array.from({ length: count }, (_, i) => join(dirname(path), `${stem(path)}-${i + 1}${extname(path)}`));

/** `words` as a part of a file's name, in any script; empty where nothing of them is a letter or a digit. */
export function slug(words: string): string {
  const joined = words
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .replace(/^-/, "");
  return [...joined].slice(0, longestSlug).join("").replace(/-$/, "");
}

/** A name in this folder that is free for `count` results: the first of NAME, NAME-2, NAME-3 ... */
export function freeName(name: string, ending: string, count = 1): string {
  for (let i = 1; ; i++) {
    const path = `${name}${i === 1 ? "" : `-${i}`}${ending}`;
    if (numbered(path, count).every((each) => !existsSync(each))) return path;
  }
}

/** Writes files that are ready, one after the other; what comes after a Ctrl-C is not begun. */
export async function save(
  files: readonly { readonly path: string; readonly bytes: Uint8Array }[],
  signal: AbortSignal,
): Promise<void> {
  await turn(); // a Ctrl-C that came while the bytes were made is heard now
  signal.throwIfAborted();
  saving = true;
  try {
    for (const { path, bytes } of files) await writeFileAtomically(path, bytes);
  } finally {
    saving = false;
  }
}

/** Whether the process would leave a file behind that is not whole. */
export const isSaving = (): boolean => saving;

// --- internal ---

/** In characters, of up to four bytes: file systems take 255 bytes. */
const longestSlug = 40;

let saving = false;

const bad = (message: string, cause?: unknown) => new HocketError("bad-request", message, { cause });
const stem = (path: string): string => basename(path, extname(path));

/** Makes and removes a file of about the name that `path` will have while it is written. */
async function probe(path: string): Promise<void> {
  const folder = dirname(path);
  const trial = join(folder, `.${basename(path)}.${process.pid}-00.partial`);
  try {
    await (await open(trial, "wx")).close();
    await rm(trial, { force: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code === "ENAMETOOLONG") throw bad(`${path}: the name is too long; give a shorter one`, cause);
    if (code === "ENOENT") throw bad(`there is no folder ${folder}: create it, or write elsewhere`, cause);
    throw bad(`cannot write to ${folder}: ${reasons[code] ?? `it takes no files (${code})`}. Write elsewhere`, cause);
  }
}

const reasons: Record<string, string> = {
  ENOSPC: "its disk is full",
  EDQUOT: "your quota on its disk is used up",
  ENOTDIR: "it is not a folder",
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  EROFS: "its disk is read-only",
};
