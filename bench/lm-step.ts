/** @file How long does a step of MusicGen small take, against reading its weights once? And how does it grow? */

import { lmConfig } from "../src/lm/config.js";
import { LanguageModel } from "../src/lm/lm.js";
import { createRuntime } from "../src/platform/node.js";
import { tensor } from "../src/tensor.js";
import { bandwidthMeter } from "./bandwidth.js";
import { randomWeights } from "./random-weights.js";

export interface Row {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** The best that the hardware allows, in the same unit. */
  readonly bound?: number;
  readonly ratio?: number;
}

export async function lmStep(): Promise<Row[]> {
  const config = lmConfig({}, true, "MusicGen small");
  const weights = randomWeights();
  const runtime = createRuntime();
  const lm = new LanguageModel(config, { textWidth: 768 }, runtime, weights.bind);
  const text = tensor("float32", [1, 16, 768]);
  text.data.fill(0.1);
  const decoding = await lm.open([{ text }], true);
  const column = (count: number) => [Int32Array.from({ length: 4 * count }, (_, i) => (i * 37) % 2048)];
  const measure = await bandwidthMeter(runtime);
  const rows: Row[] = [];
  let past = 0;
  const advance = async (to: number) => {
    await decoding.step(column(to - past), to - past);
    past = to;
  };
  for (const context of [64, 512, 1408]) {
    await advance(context - 8);
    const bandwidth = await measure();
    const times: number[] = [];
    for (let i = 0; i < 16; i++) {
      const start = performance.now();
      await decoding.step(column(1), 1);
      times.push(performance.now() - start);
      past++;
    }
    times.sort((a, b) => a - b);
    const value = times[times.length >> 1]!;
    // The text's keys and values are made once, before; half of a step's streams read the text.
    const read = stepBytes(config);
    const bound = (1000 * read) / bandwidth;
    rows.push({ id: `small-fp32-ctx${context}`, value, unit: "ms/step", bound, ratio: value / bound });
  }
  await decoding.dispose();
  await runtime.dispose();
  weights.dispose();
  return rows;
}

/** Weights that a step reads: all but the tables (a few rows) and the text's projections (made before). */
function stepBytes(c: ReturnType<typeof lmConfig>): number {
  const layer = 4 * c.hidden_size ** 2 + 2 * c.hidden_size ** 2 + 2 * c.hidden_size * c.ffn_dim;
  return 4 * (c.num_hidden_layers * layer + c.num_codebooks * c.vocab_size * c.hidden_size);
}
