/**
 * @file The process that listens to music for the server, to see what can be learnt from it, or to make codes of it. It is
 * one of its own: files of strangers may be of any size and shape.
 */

import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { createRuntime, openFolder } from "#platform";
import { scanFolder } from "../data/scan.js";
import { tokenize } from "../data/tokenize.js";
import { HocketError } from "../errors.js";
import { loadCodec } from "../model.js";
import { isInside } from "./train-folders.js";
import type { Heard } from "./train-heard.js";

/** Share of the recordings that are not learnt from. */
const held = 0.05;
const [what, ...args] = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop.abort());

try {
  if (what === "scan") await scan(...(args as [string, string, string, string]));
  else await encode(...(args as [string, string, string]));
} catch (error) {
  if (!stop.signal.aborted) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = error instanceof HocketError ? 2 : 1;
  }
}
process.exit();

// --- internal ---

function tell(heard: Heard): Promise<void> {
  return new Promise((told) => {
    if (process.connected) process.send!(heard, undefined, undefined, () => told());
    else told();
  });
}

/** Lists what can be learnt from in `folder`, which lies in `root`, as data in `out`. */
async function scan(folder: string, root: string, out: string, threads: string): Promise<void> {
  const refuse = async (path: string) => {
    const real = await realpath(path).catch(() => undefined);
    return real === undefined || isInside(root, real) ? undefined : "it is a link to a file elsewhere";
  };
  const scanning = scanFolder(folder, out, { valid: held, threads: Number(threads), signal: stop.signal, refuse });
  let step = await scanning.next();
  for (; !step.done; step = await scanning.next()) {
    const { path, done, files, skipped, notes } = step.value;
    const said = (message: string) => reason(message, path);
    await tell({
      type: "file",
      ...{ path, done, files, notes: notes.map(said) },
      ...(skipped === undefined ? {} : { skipped: said(skipped) }),
    });
  }
  const { entries } = step.value;
  const described = entries.flatMap(({ info }) => (info.description === null ? [] : [info.description]));
  await tell({
    type: "scanned",
    recordings: entries.length,
    seconds: entries.reduce((sum, { duration }) => sum + duration, 0),
    described: described.length,
    heldOut: entries.filter(({ split }) => split === "valid").length,
    words: [...new Set(described)].slice(0, 4).map((words) => words.slice(0, 300)),
  });
}

/** Makes codes of the data in `folder`, with the codec of the model at `model`. */
async function encode(folder: string, model: string, threads: string): Promise<void> {
  const runtime = createRuntime();
  const options = threads === "" ? {} : { threads: Number(threads) };
  const codec = await loadCodec(await openFolder(model), basename(model), runtime, options);
  for await (const { done, recordings } of tokenize(folder, codec, { threads: 1, signal: stop.signal }))
    await tell({ type: "encoded", done, recordings });
  await runtime.dispose();
  await codec.dispose();
}

/** Messages begin with the file's name, which is told already. */
function reason(message: string, path: string): string {
  const name = `${basename(path)}: `;
  return message.startsWith(name) ? message.slice(name.length) : message;
}
