/**
 * @file How long does a step of a MusicGen take, against reading its weights once? At each precision, in turn in one
 * process; and with 28 s of music before it. Against its products alone, too, where arithmetic may be slower than memory.
 */

import { freemem, tmpdir } from "node:os";
import { constantSteps } from "../lm/cache-steps.js";
import { lmConfig } from "../lm/config.js";
import { type Decoding, LanguageModel } from "../lm/lm.js";
import { createRuntime, freeSpace } from "../platform/node.js";
import { type Precision, precisions } from "../precision.js";
import { type LmSize, lmSizes, t5Base } from "../published.js";
import { tensor } from "../tensor.js";
import { bandwidthMeter } from "./bandwidth.js";
import { hostWork } from "./host-work.js";
import type { Asked } from "./question.js";
import { randomWeights } from "./random-weights.js";
import { fastest, median, type Row, row, timed, timesRealTime } from "./row.js";
import { cacheBytes, productsMeter, weightBytes } from "./step-bounds.js";

/** Columns: a second and a quarter, and 28 seconds. */
const [near, far] = [64, 1400];
const rounds = 19;
/** Steps that are a second of sound. */
const frameRate = 50;
/** What a step may cost beside the language model. */
const hostShare = 0.02;

/** Rows of one size, of those that are asked for. */
export async function stepRows(size: LmSize, { ids, threads }: Asked): Promise<Row[]> {
  const config = lmConfig(lmSizes[size], true, `MusicGen ${size}`);
  const asked = (rest: string) => ids.includes(`${size}-${rest}`);
  const [atFar, withProducts, withHost] = [
    asked(`int4-ctx${far}`),
    asked(`int4-ctx${near}-arithmetic`),
    ids.includes("host-work"),
  ];
  const wanted = precisions.filter(
    (precision) => asked(`${precision}-ctx${near}`) || (precision === "int4" && (atFar || withProducts || withHost)),
  );
  if (
    !(await isRoomFor(
      wanted.map((precision) => weightBytes(config, precision)),
      ids,
    ))
  )
    return [];

  const weights = randomWeights();
  const runtime = createRuntime();
  const bandwidth = await bandwidthMeter(runtime, threads);
  const products = withProducts ? await productsMeter(runtime, weights, config, "int4", threads) : undefined;
  const models = wanted.map((precision): Model => {
    const lm = new LanguageModel(config, { textWidth: t5Base.d_model }, runtime, weights.at(precision), { threads });
    if (precision !== "fp32") lm.useCacheSteps(async () => constantSteps(config));
    return { precision, lm };
  });
  const rows = await measured(size, models, near, bandwidth, products);
  if (withHost) {
    const { value: step } = rows.find(({ id }) => id === `small-int4-ctx${near}`)!;
    const note = `${100 * hostShare} % of a step of MusicGen small in int4`;
    rows.push(row("host-work", await hostWork(runtime, config, { text }), "ms", hostShare * step, note));
  }
  for (const { precision, lm } of models) if (precision !== "int4") await lm.dispose(); // memory for the longer one
  const int4 = models.filter(({ precision }) => precision === "int4");
  if (atFar) rows.push(...(await measured(size, int4, far, bandwidth)));
  await runtime.dispose();
  weights.dispose();
  return rows;
}

// --- internal ---

interface Model {
  readonly precision: Precision;
  readonly lm: LanguageModel;
}

const text = tensor("float32", [1, 16, t5Base.d_model]);
text.data.fill(0.1);

const columns = (count: number) => [Int32Array.from({ length: 4 * count }, (_, i) => (i * 37) % 2048)];

/** One row each: a step around `context` columns, against reading what it must read once; and against `products`. */
async function measured(
  size: LmSize,
  models: readonly Model[],
  context: number,
  bandwidth: () => Promise<number>,
  products?: () => Promise<number>,
): Promise<Row[]> {
  const before = context - 2 * rounds;
  const begun: Decoding[] = [];
  for (const { lm } of models) begun.push(await lm.open([{ text }], true, context + 2 * rounds));
  for (const decoding of begun) await decoding.step(columns(before), before);
  const times = begun.map((): number[] => []);
  const speeds: number[] = [];
  const multiplying: number[] = [];
  for (let i = 0; i < rounds; i++) {
    speeds.push(await bandwidth());
    for (const [t, decoding] of begun.entries()) {
      // Another session's threads look for work a while longer, and would take the cores from the first step after it.
      await decoding.step(columns(1), 1);
      times[t]!.push(await timed(() => decoding.step(columns(1), 1)));
    }
    if (products === undefined) continue;
    await products();
    multiplying.push(await products());
  }
  for (const decoding of begun) await decoding.dispose();
  return models.flatMap(({ precision, lm }, t) => {
    const id = `${size}-${precision}-ctx${context}`;
    const value = median(times[t]!);
    const says = `${(1000 / value).toPrecision(3)} steps/s, ${timesRealTime(1000 / frameRate, value)}`;
    const [weights, cache] = [weightBytes(lm.config, precision), context < far ? 0 : cacheBytes(lm.config, context)];
    const read = `reading ${megabytes(weights)} of weights once${cache === 0 ? "" : `, and ${megabytes(cache)} of keys and values`}`;
    const bound = (weights + cache) / fastest(speeds);
    const rows = [row(id, value, "ms", bound, read, says)];
    if (products !== undefined && precision === "int4") rows.push(againstProducts(id, value, bound, multiplying));
    return rows;
  });
}

function againstProducts(id: string, value: number, reading: number, multiplying: readonly number[]): Row {
  const bound = Math.min(...multiplying);
  const limit = bound > 1.1 * reading ? "arithmetic, not memory, is the limit here" : "memory is the limit here";
  return row(`${id}-arithmetic`, value, "ms", bound, "its products alone", limit);
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** What else is held: what bandwidth is read from, pools of random numbers, Node. */
const beside = 1.2e9;

/** Weights lie in a file, which the system keeps in memory, and once more as the runtime packs them. */
async function isRoomFor(weights: readonly number[], ids: readonly string[]): Promise<boolean> {
  const bytes = weights.reduce((sum, each) => sum + each, 0);
  const [memory, disk] = [2.2 * bytes + beside, 1.3 * bytes];
  const short = [
    ["memory", memory, freemem()],
    ["disk", disk, await freeSpace(tmpdir())],
  ] as const;
  for (const [what, needed, free] of short) {
    if (free >= needed) continue;
    const gigabytes = (size: number) => (size / 1e9).toFixed(1);
    console.error(`${ids.join(", ")}: left out, of ${gigabytes(needed)} GB of ${what} ${gigabytes(free)} are free`);
    return false;
  }
  return true;
}
