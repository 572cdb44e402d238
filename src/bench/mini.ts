/** @file How soon is the shipped model heard, from nothing running at all? And how fast does it go on? */

import { generateOnce, type Mark, type Stage } from "./generate-once.js";
import { miniReference } from "./mini-reference.js";
import type { Asked } from "./question.js";
import { median, type Row, row, timesRealTime } from "./row.js";

const seconds = 8;
const rounds = 5;

export async function miniRows({ threads }: Asked): Promise<Row[]> {
  const runs: Record<Stage, Mark>[] = [];
  for (let i = 0; i < rounds; i++) runs.push(await generateOnce({ folder: miniReference, seconds, threads }));
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
