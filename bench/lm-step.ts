/**
 * @file How long does a step of MusicGen small take, against reading its weights once? At each precision, in turn in one
 * process; and with 28 s of music before it.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declaredWeights } from "../src/graph/compile.js";
import { graphOf } from "../src/graph/onnx.js";
import { Scope } from "../src/graph/value.js";
import { measureCacheSteps } from "../src/lm/cache-steps.js";
import { type LmConfig, lmConfig } from "../src/lm/config.js";
import { type Decoding, LanguageModel } from "../src/lm/lm.js";
import { lmInputs, transformer } from "../src/lm/transformer.js";
import { createRuntime } from "../src/platform/node.js";
import { codings, type Precision, precisions } from "../src/precision.js";
import { tensor } from "../src/tensor.js";
import { codedSize } from "../src/weights/quantise.js";
import { quantised } from "../src/weights/quantised.js";
import { bandwidthMeter } from "./bandwidth.js";
import { randomWeights } from "./random-weights.js";
import { fastest, median, type Row, row, timed } from "./row.js";
import { lmSizes, t5Base } from "./sizes.js";

/** Columns: a second and a quarter, and 28 seconds. */
const [near, far] = [64, 1400];
const rounds = 19;
const streams = 2; // with guidance

export async function lmStep(): Promise<Row[]> {
  const config = lmConfig(lmSizes.small, true, "MusicGen small");
  const weights = randomWeights();
  const folder = await mkdtemp(join(tmpdir(), "hocket-bench-"));
  const runtime = createRuntime();
  const bandwidth = await bandwidthMeter(runtime);
  const models: Model[] = [];
  for (const precision of precisions) {
    const bind = quantised(weights.bind, { coding: codings[precision], folder });
    const lm = new LanguageModel(config, { textWidth: t5Base.d_model }, runtime, bind);
    if (precision !== "fp32") lm.useCacheSteps(() => measureCacheSteps(lm, [{ text }]));
    models.push({ precision, lm });
  }
  const rows = await measured(models, near, bandwidth);
  for (const { precision, lm } of models) if (precision !== "int4") await lm.dispose(); // memory for the longer one
  const int4 = models.filter(({ precision }) => precision === "int4");
  rows.push(...(await measured(int4, far, bandwidth)));
  await runtime.dispose();
  weights.dispose();
  await rm(folder, { recursive: true });
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

/** One row each: a step around `context` columns, against reading what it must read once. */
async function measured(models: readonly Model[], context: number, bandwidth: () => Promise<number>): Promise<Row[]> {
  const before = context - 2 * rounds;
  const begun: Decoding[] = [];
  for (const { lm } of models) begun.push(await lm.open([{ text }], true, context + 2 * rounds));
  for (const decoding of begun) await decoding.step(columns(before), before);
  const times = begun.map((): number[] => []);
  const speeds: number[] = [];
  for (let i = 0; i < rounds; i++) {
    speeds.push(await bandwidth());
    for (const [t, decoding] of begun.entries()) {
      // Another session's threads look for work a while longer, and would take the cores from the first step after it.
      await decoding.step(columns(1), 1);
      times[t]!.push(await timed(() => decoding.step(columns(1), 1)));
    }
  }
  for (const decoding of begun) await decoding.dispose();
  return models.map(({ precision, lm }, t) => {
    const [weights, cache] = [weightBytes(lm.config, precision), context < far ? 0 : cacheBytes(lm.config, context)];
    const note = `reading ${megabytes(weights)} of weights once${cache === 0 ? "" : `, and ${megabytes(cache)} of keys and values`}`;
    const bound = (weights + cache) / fastest(speeds);
    return row(`small-${precision}-ctx${context}`, median(times[t]!), "ms", bound, note);
  });
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** What a step reads: all weights but the tables (a few rows of them) and the text's projections (made before). */
function weightBytes(c: LmConfig, precision: Precision): number {
  const { logits } = transformer(new Scope().at("decoder"), lmInputs(c), c);
  const step = graphOf({ logits });
  return declaredWeights(step).reduce((sum, weight) => {
    if (weight.multiplies !== true) return sum;
    const [rows, columns] = weight.shape as [number, number];
    const coding = codings[precision](weight);
    if (coding === undefined) return sum + 4 * rows * columns;
    const { packed, scales } = codedSize(rows, columns, coding);
    return sum + packed + scales;
  }, 0);
}

/** Keys and values of 8 bits, whatever the cache holds them in. */
const cacheBytes = (c: LmConfig, context: number): number =>
  2 * streams * c.num_hidden_layers * c.hidden_size * context;
