/** @file How soon is the shipped model heard, from nothing running at all? And how fast does it go on? */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "../model.js";
import { generate } from "../musicgen.js";
import { createRuntime, openFolder } from "../platform/node.js";
import { generateOnce, type Mark, type Stage } from "./generate-once.js";
import { miniReference } from "./mini-reference.js";
import type { Asked } from "./question.js";
import { median, type Row, row, timesRealTime } from "./row.js";

const seconds = 8;
const rounds = 5;

export async function miniRows({ threads }: Asked): Promise<Row[]> {
  const piece = { folder: miniReference, threads, precision: "auto", cache: await quantisedOnce(threads) } as const;
  const runs: Record<Stage, Mark>[] = [];
  for (let i = 0; i < rounds; i++) runs.push(await generateOnce({ ...piece, seconds }));
  const at = (stage: Stage) => median(runs.map((marks) => marks[stage].at / 1000));
  const first = at("first audio");
  const part = (id: string, from: number, to: number) =>
    row(`mini-first-audio-${id}`, to - from, "s", first, "all of the way to the first sound");
  return [
    row("mini-first-audio", first, "s", 1, "the aim, the start of the process included"),
    part("node", 0, at("launched")),
    part("import", at("launched"), at("imported")),
    part("load", at("imported"), at("loaded")),
    part("sessions", at("loaded"), at("first step")),
    part("steps", at("first step"), first),
    row(
      "mini-realtime",
      at("done"),
      "s",
      seconds,
      "real time, 8 s, start included",
      timesRealTime(seconds, at("done")),
    ),
  ];
}

// --- internal ---

/** A folder with what the model's first piece leaves behind, if it is computed in few bits; it goes with the question's own. */
async function quantisedOnce(threads: number): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), "hocket-mini-"));
  const runtime = createRuntime();
  const options = { threads, precision: "auto", cache } as const;
  const model = await loadModel(await openFolder(miniReference), "the model", runtime, options);
  for await (const _ of generate(model, { prompt: "piano", duration: 0.2 }));
  await runtime.dispose();
  await model.dispose();
  return cache;
}
