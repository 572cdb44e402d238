/** @file How much memory does MusicGen small hold in four bits while it composes half a minute, and how long does that take? */

import { generateOnce } from "./generate-once.js";
import type { Asked } from "./question.js";
import { randomModel } from "./random-model.js";
import { type Row, row, timesRealTime } from "./row.js";

const seconds = 30;

export async function halfMinuteRows({ threads }: Asked): Promise<Row[]> {
  const { folder, cache, dispose } = await randomModel("small", "float32", "int4");
  try {
    const { done } = await generateOnce({ folder, cache, seconds, threads, precision: "int4" });
    const took = done.at / 1000;
    return [
      row(
        "small-int4-30s-peak-mb",
        done.peak / 1e6,
        "MB",
        1200,
        "the aim",
        `of them ${Math.round(done.mapped / 1e6)} MB pages of files`,
      ),
      row(
        "small-int4-30s-realtime",
        took,
        "s",
        seconds,
        "real time, 30 s, start included",
        timesRealTime(seconds, took),
      ),
    ];
  } finally {
    await dispose();
  }
}
