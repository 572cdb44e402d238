/** @file A file that someone named: opened, if it is one. */

import { stat } from "node:fs/promises";
import { type ByteSource, openFile } from "#platform";
import { HocketError } from "../errors.js";

/** @throws HocketError "bad-file", also for a pipe or a device: opening one may wait for ever, and it has no size */
export async function openInput(path: string): Promise<ByteSource> {
  const found = await stat(path).catch(() => undefined); // openFile says what is wrong
  if (found !== undefined && !found.isFile() && !found.isDirectory())
    throw new HocketError("bad-file", `${path} is a pipe or a device: write what it holds to a file, and name that`);
  return openFile(path);
}
