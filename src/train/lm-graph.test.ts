import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference } from "../../test/golden.js";
import { bindTensors } from "../../test/models.js";
import { codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import type { Condition } from "../lm/condition.js";
import { type LmConfig, lmConfig, patternFor, specialToken } from "../lm/config.js";
import { LanguageModel, logitsAt } from "../lm/lm.js";
import { build } from "../lm/patterns.js";
import { uniform } from "../lm/random.js";
import { createRuntime } from "../platform/node.js";
import type { Tensor } from "../tensor.js";
import { TextEncoder as TextStates } from "../text/encoder.js";
import { t5Config } from "../text/t5.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { initialWeights } from "./initial.js";
import { conditionBatch, dropConditions, fitTokens, type ItemCondition } from "./lm-conditions.js";
import { type LmShape, lmGraph } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const decoder = { vocab_size: 16, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 64 };
const t5 = t5Config({ vocab_size: 24, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 2, num_heads: 2 }, "tiny");
const melody = { bins: 12, length: 5 };
const frames = 7;

/** Layouts, each with items whose texts differ in length: one is silent, one has lost everything, one has no text. */
const tune = (b: number) => Int32Array.from({ length: melody.length }, (_, t) => (3 * b + t) % 12);
const texts = [[5, 6, 7, 8, 1], [9, 1], [10, 11, 12, 1], []];
const layouts: { name: string; lm: LmConfig; shape: LmShape; items: readonly ItemCondition[] }[] = [
  {
    name: "musicgen, stereo",
    lm: lmConfig({ ...decoder, num_codebooks: 4, audio_channels: 2 }, true, "tiny"),
    shape: { batch: 4, frames, tokens: 6 },
    items: texts.map((text, b) => ({ text, dropped: b === 2 })),
  },
  {
    name: "musicgen_melody",
    lm: lmConfig({ ...decoder, num_codebooks: 2 }, false, "tiny"),
    shape: { batch: 5, frames, tokens: 6, melody },
    items: [...texts, [13, 1]].map((text, b) => ({ text, melody: b === 1 ? undefined : tune(b), dropped: b === 2 })),
  },
];

for (const { name, lm, shape, items } of layouts) {
  const graph = lmGraph(lm, t5, shape, true);
  const weights = initialWeights(graph.scope.weights, 11);
  // Projections' biases start at zero, and would hide what is done with them.
  for (const [weight, { data }] of weights)
    if (weight.endsWith("proj.bias")) for (const i of data.keys()) data[i] = uniform(3, i, 0) - 0.5;
  const grids = items.map((_, b) =>
    codes(
      Array.from({ length: lm.num_codebooks }, (_, k) =>
        Int32Array.from({ length: frames }, (_, t) => Math.floor(16 * uniform(b, t, k))),
      ),
    ),
  );

  test(`${name}: the logits that are trained are those of inference, for each item alone`, async () => {
    const ours = await trainingLogits(weights, items);
    const text = new TextStates(idsAsText, t5, runtime, bindTensors(weights, "text_encoder."));
    const around = { textWidth: 16, ...(lm.crossAttention ? {} : { melody }) };
    const inference = new LanguageModel(lm, around, runtime, bindTensors(weights));
    const steps = ours.length / items.length / lm.num_codebooks / lm.vocab_size;
    for (const [b, { text: ids, melody: heard, dropped }] of items.entries()) {
      const whole: Condition = {
        text: ids.length === 0 ? undefined : await text.encode(ids.join(" ")),
        melody: heard,
      };
      // The null stream is what guidance would compare this item with.
      const decoding = await inference.open([whole], dropped === true, steps);
      const row = dropped === true ? decoding.plan.items[0]!.unconditional! : decoding.plan.items[0]!.conditional;
      const columns = build(patternFor(lm, frames), grids[b]!, specialToken(lm));
      for (let step = 0; step < steps; step++) {
        const logits = await decoding.step([Int32Array.from(columns, (codebook) => codebook[step]!)], 1);
        for (let k = 0; k < lm.num_codebooks; k++) {
          const at = ((b * lm.num_codebooks + k) * steps + step) * lm.vocab_size;
          const trained = ours.subarray(at, at + lm.vocab_size);
          assert.ok(largestDifference(trained, logitsAt(logits, lm, row, k)) < 1e-5, `item ${b}, step ${step}, ${k}`);
        }
      }
      await decoding.dispose();
    }
    await Promise.all([text.dispose(), inference.dispose()]);
  });

  test(`${name}: text and melody change what is expected, and nothing does where they are dropped`, async () => {
    const item = items[0]!;
    const others: ItemCondition[] = [
      item,
      { ...item, text: [7, 6, 5, 8, 1] },
      { ...item, melody: tune(1) },
      { ...item, dropped: true },
      { text: [7, 6, 5, 8, 1], melody: tune(1), dropped: true },
    ];
    const batch = Array.from({ length: shape.batch }, (_, b) => others[b] ?? item);
    if (lm.crossAttention) batch[2] = { text: [7, 6, 5, 8, 1], dropped: true };
    const logits = await trainingLogits(
      weights,
      batch,
      batch.map(() => grids[0]!),
    );
    const size = logits.length / shape.batch;
    const far = (a: number, b: number) =>
      largestDifference(logits.subarray(a * size, (a + 1) * size), logits.subarray(b * size, (b + 1) * size));
    assert.ok(far(0, 1) > 1e-3);
    assert.ok(far(0, 3) > 1e-3);
    if (lm.crossAttention) assert.ok(far(2, 3) < 1e-6);
    else {
      assert.ok(far(0, 2) > 1e-3);
      assert.ok(far(3, 4) < 1e-6);
    }
  });

  async function trainingLogits(
    weights: ReadonlyMap<string, Tensor>,
    conditions: readonly ItemCondition[],
    codes = grids,
  ): Promise<Float32Array> {
    const session = await compile(runtime, { logits: graph.logits }, bindTensors(weights));
    const { columns } = lmBatch(codes, lm);
    const { logits } = await session.run({ columns, ...conditionBatch(conditions, shape, lm, t5) });
    await session.dispose();
    return logits!.data as Float32Array;
  }
}

test("what is left out depends on seed, step and item alone, as often as asked", () => {
  const items = Array.from({ length: 500 }, () => ({ text: [3, 1], melody: tune(0) }));
  const dropout = { guidance: 0.2, melody: 0.5 };
  const choices = (seed: number, step: number, count = 500) =>
    dropConditions(items.slice(0, count), dropout, seed, step).map(({ melody, dropped }) =>
      dropped === true ? "none" : melody === undefined ? "text" : "both",
    );
  assert.deepEqual(choices(1, 7, 20), choices(1, 7).slice(0, 20));
  assert.notDeepEqual(choices(1, 7), choices(1, 8));
  assert.notDeepEqual(choices(1, 7), choices(2, 7));
  const share = (which: string) => choices(1, 7).filter((choice) => choice === which).length / 500;
  assert.ok(Math.abs(share("none") - 0.2) < 0.06);
  assert.ok(Math.abs(share("text") - 0.4) < 0.07);
  assert.ok(Math.abs(share("both") - 0.4) < 0.07);
});

test("a text that is too long is cut before its end token", () => {
  assert.deepEqual(fitTokens([4, 5, 6, 7, 1], 3), [4, 5, 1]);
  assert.deepEqual(fitTokens([4, 5, 1], 3), [4, 5, 1]);
});

/** Reads "4 5 1" as those ids. */
const idsAsText = { encode: (text: string) => text.split(" ").map(Number) } as Tokenizer;
