/** @file How much memory does MusicGen small hold once it composes, against the size of its weights? How long until then? */

import { generateOnce } from "../src/bench/generate-once.js";
import type { Asked } from "../src/bench/question.js";
import { randomModel } from "../src/bench/random-model.js";
import { type Row, row } from "../src/bench/row.js";

const spare = 300e6;
const readingSpeed = 1e9; // bytes per second, of a plain disk

/** For weights stored as float32 and as float16; both compute in float32. */
export async function loadMemory({ threads }: Asked): Promise<Row[]> {
  const rows: Row[] = [];
  for (const dtype of ["float32", "float16"] as const) {
    const model = await randomModel("small", dtype);
    try {
      const marks = await generateOnce({ folder: model.folder, seconds: 0.4, threads });
      const [id, aim] = [`load-small-${dtype === "float32" ? "fp32" : "fp16"}`, (model.inUse + spare) / 1e6];
      rows.push(row(`${id}-memory`, marks.done.peak / 1e6, "MB", aim, "its weights in float32 and 300 MB"));
      const [time, bound] = [marks["first step"].at / 1000, model.inUse / readingSpeed];
      rows.push(row(`${id}-time`, time, "s", bound, "reading 1 GB/s, until the first step is done"));
    } finally {
      await model.dispose();
    }
  }
  return rows;
}

/** Half a minute, the longest that one window composes. */
export async function longMemory({ threads }: Asked): Promise<Row[]> {
  const model = await randomModel("small", "float32");
  try {
    const { done } = await generateOnce({ folder: model.folder, seconds: 30, threads });
    const aim = (model.inUse + spare + cache) / 1e6;
    return [row("memory-small-fp32-30s", done.peak / 1e6, "MB", aim, "weights, 300 MB, and the keys and values")];
  } finally {
    await model.dispose();
  }
}

// --- internal ---

/** Keys and values of 1500 frames: 24 layers, width 1024, two streams, float32. */
const cache = 2 * 24 * 1024 * 1500 * 2 * 4;
