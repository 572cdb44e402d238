/** @file What do four variations of a prompt cost, against one? From words to sound, of a model that is loaded. */

import { loadModel } from "../model.js";
import { generate } from "../musicgen.js";
import { createRuntime, openFolder } from "../platform/node.js";
import type { Precision } from "../precision.js";
import { miniReference } from "./mini-reference.js";
import type { Asked } from "./question.js";
import { randomModel } from "./random-model.js";
import { median, type Row, row, timed } from "./row.js";

const rounds = 3;

/** The shipped model as `auto` computes it, and MusicGen small in the precision that `auto` picks for trained ones of its size. */
export async function variationRows({ ids, threads }: Asked): Promise<Row[]> {
  const rows: Row[] = [];
  if (ids.includes("variations-4")) {
    const { folder, cache, dispose } = await randomModel("small", "float32", "int8");
    rows.push(
      await against("variations-4", { folder, cache, precision: "int8", seconds: 1.5, threads }).finally(dispose),
    );
  }
  if (ids.includes("variations-4-mini"))
    rows.push(await against("variations-4-mini", { folder: miniReference, precision: "auto", seconds: 4, threads }));
  return rows;
}

// --- internal ---

interface Setting {
  readonly folder: string;
  readonly cache?: string;
  readonly precision: Precision | "auto";
  readonly seconds: number;
  readonly threads: number;
}

async function against(id: string, { folder, seconds, ...options }: Setting): Promise<Row> {
  const runtime = createRuntime();
  const model = await loadModel(await openFolder(folder), id, runtime, options);
  let asked = 0;
  const piece = (variations: number, duration = seconds) =>
    timed(async () => {
      for await (const _ of generate(model, {
        prompt: `warm lo-fi piano ${asked++}`, // a new one each time, or its words would not be read again
        duration,
        variations,
        seed: 1,
        guidance: 3,
      }));
    });
  await piece(1, 0.4);
  const [one, four]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    one.push(await piece(1));
    four.push(await piece(4));
  }
  await runtime.dispose();
  await model.dispose();
  const note = `one, ${seconds} s of it in ${model.precision}; the aim is 1.8`;
  return row(id, median(four) / 1000, "s", median(one) / 1000, note);
}
