/** @file `hocket data scan`: any folder of sound files becomes a data set that training reads. */

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Entry } from "../data/manifest.js";
import { scanFolder } from "../data/scan.js";
import { HocketError } from "../errors.js";
import type { Command, Given } from "./command.js";
import { clear, progress, say } from "./report.js";

export const dataScanCommand: Command = {
  name: "data scan",
  summary: "list a folder of sound files as data to learn from",
  operand: { name: "FOLDER", help: "a folder of wav, mp3, flac, ogg or opus files, and folders of them" },
  options: {
    out: {
      kind: "text",
      short: "o",
      value: "DIR",
      help: "the data folder to make; its data.jsonl points to the files",
    },
    valid: { kind: "number", value: "SHARE", help: "share of the recordings kept for validation; default 0.05" },
    threads: { kind: "number", value: "N", help: "files looked at at once; default: as many as there are cores" },
    json: { kind: "flag", help: "print one line of JSON with what was found" },
  },
  examples: ["hocket data scan ./my-songs --out data/mine"],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const folder = resolve(given.operand);
  const out = resolve(needed(given.text("out")));
  const valid = given.number("valid") ?? 0.05;
  if (!(valid >= 0 && valid <= 1)) throw bad(`--valid: ${valid} is no share: give 0 to 1`);
  const threads = given.number("threads") ?? availableParallelism();
  if (!(Number.isInteger(threads) && threads >= 1)) throw bad(`--threads: ${threads} is not a whole number above 0`);

  const scanning = scanFolder(folder, out, { valid, threads, signal });
  let step = await scanning.next();
  for (; !step.done; step = await scanning.next()) {
    const { path, done, files, skipped, notes } = step.value;
    if (skipped !== undefined) say(`left out ${path}: ${reason(skipped, path)}`);
    for (const note of notes) say(`words ignored: ${note}`);
    progress(`${done} of ${files}: ${path}`);
  }
  clear();
  const { entries, skipped } = step.value;
  for (const line of summary(entries, skipped)) say(line);
  const hours = entries.reduce((sum, { duration }) => sum + duration, 0) / 3600;
  if (given.flag("json"))
    process.stdout.write(`${JSON.stringify({ folder: out, recordings: entries.length, hours, skipped })}\n`);
  else process.stdout.write(`${given.text("out")}\n`);
}

// --- internal ---

const bad = (message: string) => new HocketError("bad-request", `${message}; see 'hocket data scan --help'`);

function needed(out: string | undefined): string {
  if (out === undefined) throw bad("--out is missing: name the data folder to make");
  return out;
}

/** Messages begin with the file's name, which stands there already. */
const reason = (message: string, path: string): string => {
  const name = `${path.replace(/^.*\//, "")}: `;
  return message.startsWith(name) ? message.slice(name.length) : message;
};

/** How much of what kind, as lines of a table. */
function summary(entries: readonly Entry[], skipped: number): string[] {
  const row = (name: string, some: readonly Entry[]) =>
    `${name.padEnd(28)}${`${some.length}`.padStart(8)}${minutes(some).padStart(12)}`;
  const groups = (nameOf: (entry: Entry) => string) =>
    [...new Set(entries.map(nameOf))].sort().map((name) =>
      row(
        name,
        entries.filter((entry) => nameOf(entry) === name),
      ),
    );
  const described = entries.filter(({ info: { description } }) => description !== null);
  const some = described.length < entries.length && described.length > 0;
  return [
    `${"".padEnd(28)}${"files".padStart(8)}${"minutes".padStart(12)}`,
    row("all", entries),
    ...groups(({ split }) => `for ${split === "train" ? "training" : split === "valid" ? "validation" : "test"}`),
    ...groups(({ sample_rate, channels }) => `${sample_rate} Hz, ${channels === 1 ? "mono" : "stereo"}`),
    described.length === 0 ? "no recording is described in words" : row("described in words", described),
    ...(some
      ? [
          row(
            "not described",
            entries.filter((entry) => !described.includes(entry)),
          ),
        ]
      : []),
    ...(skipped > 0 ? [`${"left out".padEnd(28)}${`${skipped}`.padStart(8)}`] : []),
  ];
}

const minutes = (entries: readonly Entry[]): string =>
  (entries.reduce((sum, { duration }) => sum + duration, 0) / 60).toFixed(1);
