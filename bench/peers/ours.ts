/** @file Hocket composes: its loop, from the columns to the draw. Usage: node ours.js {"precision", "threads"}; then see contestant.ts */

import { createInterface } from "node:readline";
import { randomWeights } from "../../src/bench/random-weights.js";
import { codes } from "../../src/codes.js";
import { constantSteps } from "../../src/lm/cache-steps.js";
import { compose } from "../../src/lm/compose.js";
import { lmConfig } from "../../src/lm/config.js";
import { LanguageModel } from "../../src/lm/lm.js";
import { defaultSampling } from "../../src/lm/sampling.js";
import { createRuntime } from "../../src/platform/node.js";
import type { Precision } from "../../src/precision.js";
import { lmSizes, t5Base } from "../../src/published.js";
import { tensor } from "../../src/tensor.js";

const { precision, threads } = JSON.parse(process.argv[2]!) as { precision: Precision; threads: number };
const config = lmConfig(lmSizes.small, true, "MusicGen small");
const weights = randomWeights();
const runtime = createRuntime();
const lm = new LanguageModel(config, { textWidth: t5Base.d_model }, runtime, weights.at(precision), { threads });
if (precision !== "fp32") lm.useCacheSteps(async () => constantSteps(config));
lm.prepare();

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const columns = Number((await lines.next()).value);
const row = () => Int32Array.from({ length: columns }, (_, i) => (i * 37) % 2048);
const text = tensor("float32", [1, 16, t5Base.d_model]);
text.data.fill(0.1);
const prompt = columns === 0 ? undefined : codes([row(), row(), row(), row()]);
const piece = compose(lm, [{ condition: { text }, seed: 1, prompt }], {
  frames: 2044,
  guidance: 3,
  sampling: defaultSampling,
});
const times: number[] = [];
for (;;) {
  console.log(JSON.stringify(times.splice(0)));
  let left = Number((await lines.next()).value);
  if (!(left > 0)) break;
  for (; left > 0; left--) {
    const start = performance.now();
    await piece.next();
    times.push(performance.now() - start);
  }
}
await runtime.dispose();
weights.dispose();
process.exit();
