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
  const begun: Begun[] = [];
  for (const precision of precisions) {
    const bind = quantised(weights.bind, { coding: codings[precision], folder });
    const lm = new LanguageModel(config, { textWidth: t5Base.d_model }, runtime, bind);
    const text = tensor("float32", [1, 16, t5Base.d_model]);
    text.data.fill(0.1);
    begun.push({ precision, lm, decoding: await lm.open([{ text }], true), past: 0 });
  }
  const rows = await measured(begun, near, bandwidth);
  for (const { precision, lm, decoding } of begun)
    if (precision !== "int4") await decoding.dispose().then(() => lm.dispose()); // memory for the longer one
  rows.push(
    ...(await measured(
      begun.filter(({ precision }) => precision === "int4"),
      far,
      bandwidth,
    )),
  );
  await runtime.dispose();
  weights.dispose();
  await rm(folder, { recursive: true });
  return rows;
}

// --- internal ---

/** A piece on its way. */
interface Begun {
  readonly precision: Precision;
  readonly lm: LanguageModel;
  readonly decoding: Decoding;
  past: number;
}

async function advance(piece: Begun, count: number): Promise<void> {
  await piece.decoding.step([Int32Array.from({ length: 4 * count }, (_, i) => (i * 37) % 2048)], count);
  piece.past += count;
}

/** One row each: a step around `context` columns, against reading what it must read once. */
async function measured(begun: readonly Begun[], context: number, bandwidth: () => Promise<number>): Promise<Row[]> {
  const times = begun.map((): number[] => []);
  const speeds: number[] = [];
  for (const piece of begun) await advance(piece, context - 2 * rounds - piece.past);
  for (let i = 0; i < rounds; i++) {
    speeds.push(await bandwidth());
    for (const [t, piece] of begun.entries()) {
      // Another session's threads look for work a while longer, and would take the cores from the first step after it.
      await advance(piece, 1);
      times[t]!.push(await timed(() => advance(piece, 1)));
    }
  }
  return begun.map(({ precision, lm }, t) => {
    const [weights, cache] = [weightBytes(lm.config, precision), context < far ? 0 : cacheBytes(lm.config, context)];
    const note = `reading ${megabytes(weights)} of weights once${cache === 0 ? "" : `, and ${megabytes(cache)} of keys and values`}`;
    const bound = (weights + cache) / fastest(speeds);
    return row(`small-${precision}-ctx${context}`, median(times[t]!), "ms", bound, note);
  });
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** What a step reads: all weights but the tables (a few rows of them) and the text's projections (made before). */
function weightBytes(c: LmConfig, precision: Precision): number {
  const step = graphOf(transformer(new Scope().at("decoder"), lmInputs(c), c));
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
