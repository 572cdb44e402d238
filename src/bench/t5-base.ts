/** @file How long does T5-base take to read a prompt of sixteen tokens? */

import { compile } from "../graph/compile.js";
import { Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { t5Base } from "../published.js";
import { elementCount, int64, tensor } from "../tensor.js";
import { relativeBuckets, t5Config, t5Encoder, t5Inputs } from "../text/t5.js";
import { arithmeticMeter } from "./arithmetic.js";
import { bandwidthMeter } from "./bandwidth.js";
import type { Asked } from "./question.js";
import { randomWeights } from "./random-weights.js";
import { fastest, median, type Row, row, timed } from "./row.js";

const tokens = 16;

export async function t5Rows({ threads }: Asked): Promise<Row[]> {
  const config = t5Config(t5Base, "T5-base");
  const weights = randomWeights();
  const runtime = createRuntime();
  const p = new Scope();
  const session = await compile(runtime, { states: t5Encoder(p, t5Inputs(), config) }, weights.bind, { threads });
  const inputs = {
    ids: int64([1, tokens], [...Array(tokens).keys()]),
    mask: tensor("float32", [1, 1, 1, tokens]),
    buckets: relativeBuckets(tokens, config),
  };
  const arithmetic = await arithmeticMeter(runtime, threads);
  const bandwidth = await bandwidthMeter(runtime, threads);
  const [times, speeds, readings]: [number[], number[], number[]] = [[], [], []];
  await session.run(inputs);
  for (let i = 0; i < 19; i++) {
    speeds.push(await arithmetic());
    readings.push(await bandwidth());
    times.push(await timed(() => session.run(inputs)));
  }
  await runtime.dispose();
  weights.dispose();
  // Every matrix once; of the table of tokens, sixteen rows.
  const matrices = [...p.weights].filter(([name]) => name !== "shared.weight");
  const count = matrices.reduce((sum, [, { shape }]) => sum + elementCount(shape as readonly number[]), 0);
  const bound = Math.max((4 * count) / fastest(readings), (2 * count * tokens) / fastest(speeds));
  return [row("t5-base", median(times), "ms", bound, "the slower of reading its weights and multiplying by them")];
}
