/** @file What a run has written so far, read while it goes on: its numbers, line by line, and the pieces that it composed. */

import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunNumbers, RunSamples } from "./train-wire.js";

export const logFile = (run: string): string => join(run, "log.jsonl");

/** Lines from number `at` on: what one has from there on is not true any more. */
export interface MoreLines {
  readonly at: number;
  readonly lines: readonly RunNumbers[];
}

/** A reader of a log that grows. A run that goes on after a crash writes it anew: then it is read from its beginning. */
export class LogReader {
  #file = 0n; // which file it was
  #offset = 0;
  #lines = 0;

  /** @param place where another reader was */
  constructor(
    readonly run: string,
    place = "",
  ) {
    const [, file, offset, lines] = /^(\d{1,20})-(\d{1,15})-(\d{1,9})$/.exec(place) ?? [];
    if (file === undefined) return;
    this.#file = BigInt(file);
    [this.#offset, this.#lines] = [Number(offset), Number(lines)];
  }

  /** Where it is, for one that goes on. */
  get place(): string {
    return `${this.#file}-${this.#offset}-${this.#lines}`;
  }

  /** What was written since; a part of it, where that is much. Undefined where there is nothing new. */
  async more(): Promise<MoreLines | undefined> {
    const file = await open(logFile(this.run)).catch(() => undefined);
    if (file === undefined) return undefined;
    try {
      const { ino, size } = await file.stat({ bigint: true });
      const anew = ino !== this.#file || Number(size) < this.#offset;
      if (anew) [this.#file, this.#offset, this.#lines] = [ino, 0, 0];
      const { bytesRead, buffer } = await file.read(new Uint8Array(mostBytes), 0, mostBytes, this.#offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(newline) + 1; // half a line is read when it is whole
      if (end === 0) return anew ? { at: 0, lines: [] } : undefined;
      const rows = new TextDecoder().decode(buffer.subarray(0, end)).split("\n").slice(0, -1);
      const at = this.#lines;
      this.#offset += end;
      this.#lines += rows.length;
      return { at, lines: rows.map(parsed) };
    } finally {
      await file.close();
    }
  }
}

/** The sets of pieces that are whole, in the order of their steps. */
export async function samplesOf(run: string): Promise<RunSamples[]> {
  const names = (await readdir(join(run, "samples")).catch(() => [] as string[])).filter((name) =>
    /^\d{7,9}$/.test(name),
  );
  const found = await Promise.all(
    names
      .sort((a, b) => Number(a) - Number(b))
      .map(async (name) => {
        const text = await readFile(join(run, "samples", name, "prompts.txt"), "utf8").catch(() => "");
        return { step: Number(name), samples: promptsIn(text) };
      }),
  );
  return found.filter(({ samples }) => samples.length > 0);
}

/** Where a piece lies; undefined where there is none. */
export async function sampleFile(run: string, step: number, index: number): Promise<string | undefined> {
  const path = join(run, "samples", String(step).padStart(7, "0"), `${index}.flac`);
  return (await stat(path).catch(() => undefined))?.isFile() ? path : undefined;
}

// --- internal ---

/** At once. */
const mostBytes = 2 ** 18;
const newline = "\n".charCodeAt(0);

/** A line that is damaged says nothing. */
function parsed(row: string): RunNumbers {
  try {
    return JSON.parse(row) as RunNumbers;
  } catch {
    return { step: 0 };
  }
}

/** "1 words", "2 words": words may have line ends of their own. */
function promptsIn(text: string): RunSamples["samples"] {
  const samples: { index: number; prompt: string }[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const next = `${samples.length + 1} `;
    if (line.startsWith(next)) samples.push({ index: samples.length + 1, prompt: line.slice(next.length) });
    else if (samples.length > 0) samples.at(-1)!.prompt += ` ${line}`;
  }
  return samples;
}
