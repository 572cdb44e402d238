/** @file A process of its own that loads the model in a folder and composes once, saying when it got where. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Precision } from "../precision.js";
import { mappedFiles, peakMemory } from "./peak-memory.js";

/** How far it has come. "launched": its first line runs; "imported": Hocket is there. */
export type Stage = "launched" | "imported" | "loaded" | "first step" | "first audio" | "done";

export interface Mark {
  /** Milliseconds since the process was asked for. */
  readonly at: number;
  /** The most memory it has held so far, in bytes. */
  readonly peak: number;
  /** How much of what it holds are pages of files, in bytes. */
  readonly mapped: number;
}

export interface Piece {
  /** Of the model. */
  readonly folder: string;
  readonly seconds: number;
  readonly threads: number;
  readonly precision?: Precision | "auto";
  /** Where its quantised weights are. */
  readonly cache?: string;
}

/** Composes with guidance, from a cold start. */
export async function generateOnce(piece: Piece): Promise<Record<Stage, Mark>> {
  const start = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(piece)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const exit = once(child, "exit");
  const marks: Partial<Record<Stage, Mark>> = {};
  for await (const line of createInterface(child.stdout!)) {
    const { stage, ...held } = JSON.parse(line) as { stage: Stage; peak: number; mapped: number };
    marks[stage] = { at: performance.now() - start, ...held };
  }
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`composing ${piece.seconds} s with ${piece.folder} ended with ${code}`);
  return marks as Record<Stage, Mark>;
}

// --- internal ---

async function main({ folder, seconds, threads, precision, cache }: Piece): Promise<void> {
  process.once("disconnect", () => process.exit(1)); // nobody is waiting any more
  process.channel?.unref();
  const seen = new Set<Stage>();
  const mark = (stage: Stage) => {
    if (!seen.has(stage)) console.log(JSON.stringify({ stage, peak: peakMemory(), mapped: mappedFiles() }));
    seen.add(stage);
  };
  mark("launched");
  const hocket = "hocket"; // as programs import it that use it
  const { generate, loadModel } = (await import(hocket)) as typeof import("../musicgen.js") &
    typeof import("../model.js");
  const { createRuntime, openFolder } = await import("../platform/node.js");
  mark("imported");
  const runtime = createRuntime();
  const onQuantising = () => {
    throw new Error("the quantised weights that should be there are not: memory would be that of making them");
  };
  const model = await loadModel(await openFolder(folder), "the model", runtime, {
    threads,
    precision,
    cache,
    onQuantising,
  });
  mark("loaded");
  for await (const event of generate(model, { prompt: "warm lo-fi piano with soft drums", duration: seconds, seed: 1 }))
    if (event.type === "progress") mark("first step");
    else if (event.type === "audio") mark("first audio");
  mark("done");
  await runtime.dispose();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2]!) as Piece);
