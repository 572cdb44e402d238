/** @file Where results go: names nobody else has, folders that can be written to, checked before any work starts. */

import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { HocketError } from "../errors.js";
import type { Option } from "./command.js";

export const outputOption = (help: string): Option => ({ kind: "text", short: "o", value: "FILE", help });
export const overwriteOption: Option = { kind: "flag", help: "replace files that exist" };

/**
 * Makes sure that `paths` can be written: nothing is overwritten unasked, every folder is there and takes files.
 * @throws HocketError "bad-request"
 */
export async function checkOutputs(paths: readonly string[], overwrite: boolean): Promise<void> {
  for (const [i, path] of paths.entries()) {
    if (paths.indexOf(path) !== i)
      throw new HocketError("bad-request", `${path} is named for two outputs: give each its own name`);
    if (existsSync(path) && !overwrite)
      throw new HocketError("bad-request", `${path} exists: give another name, or --overwrite to replace it`);
  }
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    if (!existsSync(folder))
      throw new HocketError("bad-request", `there is no folder ${folder}: create it, or write elsewhere`);
    const probe = join(folder, `.hocket-${process.pid}.probe`);
    try {
      await (await open(probe, "wx")).close();
      await rm(probe, { force: true });
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      const why =
        code === "ENOSPC"
          ? "its disk is full"
          : code === "ENOTDIR"
            ? "it is not a folder"
            : `it does not take files (${code})`;
      throw new HocketError("bad-request", `cannot write to ${folder}: ${why}. Write elsewhere with -o`, { cause });
    }
  }
}

/** `path` for one result; `path` with -1, -2 ... before its ending for several. */
export const numbered = (path: string, count: number): string[] =>
  count === 1
    ? [path]
    : Array.from({ length: count }, (_, i) => join(dirname(path), `${stem(path)}-${i + 1}${extname(path)}`));

/** A name made of `words` that no file has, in this folder: the first of NAME, NAME-2, NAME-3 ... */
export function freeName(words: string, ending: string): string {
  const slug = words
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
  for (let i = 1; ; i++) {
    const name = `${slug}${i === 1 ? "" : `-${i}`}${ending}`;
    if (!existsSync(name)) return name;
  }
}

// --- internal ---

const stem = (path: string): string => basename(path, extname(path));
