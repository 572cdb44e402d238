import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredWeights } from "../graph/compile.js";
import { lmConfig } from "../lm/config.js";
import { LanguageModel } from "../lm/lm.js";
import { createRuntime } from "../platform/node.js";
import { precisions } from "../precision.js";
import { lmSizes } from "../published.js";
import { tensor } from "../tensor.js";
import { dequantise } from "../weights/quantise.js";
import { randomBlocks, randomWeights } from "./random-weights.js";
import { cacheBytes, productsMeter, stepGraph, weightBytes } from "./step-bounds.js";

const tiny = lmConfig({ hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, ffn_dim: 128 }, true, "test");

test("what a step of MusicGen small reads is what its paper's sizes say", () => {
  const small = lmConfig(lmSizes.small, true, "test");
  // Of each layer: four matrices of attention, two of attention to the text, and two of four times the width. And the heads.
  const numbers = 24 * (6 * 1024 ** 2 + 2 * 4 * 1024 ** 2) + 4 * 2048 * 1024;
  assert.equal(weightBytes(small, "fp32"), 4 * numbers);
  assert.equal(weightBytes(small, "int8"), numbers * (1 + 4 / 32));
  const heads = 4 * 2048 * 1024;
  assert.equal(weightBytes(small, "int4"), (numbers - heads) * (0.5 + 4 / 32) + heads * (1 + 4 / 32));
  assert.equal(cacheBytes(small, 1400), 2 * 2 * 24 * 1024 * 1400);
});

test("random blocks multiply to what they multiplied, in size", () => {
  const coding = { bits: 4, size: 32, search: false } as const;
  const numbers = dequantise(randomBlocks([64, 1024], coding), 1024, coding);
  const spread = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
  assert.ok(Math.abs(spread * Math.sqrt(1024) - 1) < 0.15, `${spread}`);
});

test("a language model of random weights runs at every precision, and so do its products alone", async () => {
  const runtime = createRuntime();
  const weights = randomWeights();
  const text = tensor("float32", [1, 3, 32]);
  for (const precision of precisions) {
    const lm = new LanguageModel(tiny, { textWidth: 32 }, runtime, weights.at(precision), { threads: 1 });
    const decoding = await lm.open([{ text }], true, 4);
    const logits = await decoding.step([Int32Array.of(1, 2, 3, 4)], 1);
    assert.ok(logits.every(Number.isFinite) && new Set(logits).size > 100);
    await lm.dispose();
  }
  assert.ok((await (await productsMeter(runtime, weights, tiny, "int4", 1))()) > 0);
  await runtime.dispose();
  weights.dispose();
});

test("weights are found again where they were placed, and no two lie in one place", async () => {
  const weights = randomWeights();
  const declared = declaredWeights(stepGraph(tiny));
  const bound = await weights.at("int4")(declared);
  assert.deepEqual(await weights.at("int4")(declared), bound);
  const coded = declared.filter(({ multiplies }) => multiplies);
  assert.ok(coded.length > 0 && coded.every(({ name }) => bound.get(name)!.blocks !== undefined));
  const offsets = [...bound.values()].flatMap(({ data, blocks }) =>
    (blocks === undefined ? [data] : [blocks.packed, blocks.scales]).map((each) => (each as { offset: number }).offset),
  );
  assert.equal(new Set(offsets).size, offsets.length);
  weights.dispose();
});
