/** @file A process of its own that loads the model in a folder and composes once, saying when it got where. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { peakMemory } from "./peak-memory.js";

/** How far it has come. "launched": its first line runs; "imported": Hocket is there. */
export type Stage = "launched" | "imported" | "loaded" | "first step" | "first audio" | "done";

export interface Mark {
  /** Milliseconds since the process was asked for. */
  readonly at: number;
  /** The most memory it has held so far, in bytes. */
  readonly peak: number;
}

/** Composes `seconds` with guidance, from a cold start. */
export async function generateOnce(folder: string, seconds: number): Promise<Record<Stage, Mark>> {
  const start = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder, `${seconds}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const marks: Partial<Record<Stage, Mark>> = {};
  for await (const line of createInterface(child.stdout)) {
    const { stage, peak } = JSON.parse(line) as { stage: Stage; peak: number };
    marks[stage] = { at: performance.now() - start, peak };
  }
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`composing ${seconds} s with ${folder} ended with ${code}`);
  return marks as Record<Stage, Mark>;
}

// --- internal ---

async function main(path: string, seconds: number): Promise<void> {
  const seen = new Set<Stage>();
  const mark = (stage: Stage) => {
    if (!seen.has(stage)) console.log(JSON.stringify({ stage, peak: peakMemory() }));
    seen.add(stage);
  };
  mark("launched");
  const { generate, loadModel } = await import("../src/index.js");
  const { createRuntime, openFolder } = await import("../src/platform/node.js");
  mark("imported");
  const runtime = createRuntime();
  const model = await loadModel(await openFolder(path), "the model", runtime);
  mark("loaded");
  for await (const event of generate(model, { prompt: "warm lo-fi piano with soft drums", duration: seconds, seed: 1 }))
    if (event.type === "progress") mark("first step");
    else if (event.type === "audio") mark("first audio");
  mark("done");
  await runtime.dispose();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]!, Number(process.argv[3]));
