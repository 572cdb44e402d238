/** @file How long does a step of MusicGen small take, against reading its weights once? And how does it grow? */

import { type LmConfig, lmConfig } from "../src/lm/config.js";
import { LanguageModel } from "../src/lm/lm.js";
import { createRuntime } from "../src/platform/node.js";
import { tensor } from "../src/tensor.js";
import { bandwidthMeter } from "./bandwidth.js";
import { randomWeights } from "./random-weights.js";
import { fastest, median, type Row, row, timed } from "./row.js";
import { lmSizes, t5Base } from "./sizes.js";

const contexts = [64, 512, 1408];
const streams = 2; // with guidance

export async function lmStep(): Promise<Row[]> {
  const config = lmConfig(lmSizes.small, true, "MusicGen small");
  const weights = randomWeights();
  const runtime = createRuntime();
  const lm = new LanguageModel(config, { textWidth: t5Base.d_model }, runtime, weights.bind);
  const text = tensor("float32", [1, 16, t5Base.d_model]);
  text.data.fill(0.1);
  const decoding = await lm.open([{ text }], true, contexts.at(-1)! + 20);
  const column = (count: number) => [Int32Array.from({ length: 4 * count }, (_, i) => (i * 37) % 2048)];
  const bandwidth = await bandwidthMeter(runtime);
  const rows: Row[] = [];
  let past = 0;
  const advance = async (count: number) => {
    await decoding.step(column(count), count);
    past += count;
  };
  for (const context of contexts) {
    await advance(context - 20 - past);
    await advance(1);
    const steps: number[] = [];
    const speeds: number[] = [];
    for (let i = 0; i < 19; i++) {
      speeds.push(await bandwidth());
      // The meter's threads look for work a while longer, and would take the cores from the first step after it.
      await advance(1);
      steps.push(await timed(() => advance(1)));
    }
    const value = median(steps);
    const id = `step-small-fp32-ctx${context}`;
    const reading = (bytes: number) => bytes / fastest(speeds);
    const [read, cached] = [weightBytes(config), cacheBytes(config, context)];
    rows.push(row(id, value, "ms", reading(read), `reading ${megabytes(read)} of weights once`));
    rows.push(row(`${id}-cache`, value, "ms", reading(read + cached), `and ${megabytes(cached)} of keys and values`));
  }
  await decoding.dispose();
  await runtime.dispose();
  weights.dispose();
  return rows;
}

// --- internal ---

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** Weights that a step reads: all but the tables (a few rows) and the text's projections (made before). */
function weightBytes(c: LmConfig): number {
  const layer = 4 * c.hidden_size ** 2 + 2 * c.hidden_size ** 2 + 2 * c.hidden_size * c.ffn_dim;
  return 4 * (c.num_hidden_layers * layer + c.num_codebooks * c.vocab_size * c.hidden_size);
}

const cacheBytes = (c: LmConfig, context: number): number =>
  4 * 2 * streams * c.num_hidden_layers * c.hidden_size * context;
