import assert from "node:assert/strict";
import { test } from "node:test";
import { lmConfig } from "../lm/config.js";
import { uniform } from "../lm/random.js";
import { type Tensor, tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { firstWeights } from "./first-weights.js";
import { lmGraph } from "./lm-graph.js";

const lm = lmConfig(
  { vocab_size: 64, hidden_size: 96, num_hidden_layers: 1, num_attention_heads: 4, ffn_dim: 96, num_codebooks: 4 },
  true,
  "test",
);
/** Codes lie along a curve, each near the next; the last two are one. */
const book = (k: number): Tensor =>
  tensor(
    "float32",
    [64, 8],
    Float32Array.from({ length: 64 * 8 }, (_, i) => {
      const [code, d] = [Math.min(62, Math.floor(i / 8)), i % 8];
      return 3 * Math.sin(0.05 * code * (d + 1) + 6 * uniform(1, d, k)) + 10;
    }),
  );
const frozen = Object.fromEntries(
  Array.from({ length: 4 }, (_, k) => [`audio_encoder.quantizer.layers.${k}.codebook.embed`, book(k)]),
);
const all = firstWeights({ lm, frozen }, 7);
const weights = new Map([...all].filter(([name]) => !name.includes(".layers.")));

function distance({ data }: Tensor, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < 96; i++) sum += (Number(data[96 * a + i]) - Number(data[96 * b + i])) ** 2;
  return Math.sqrt(sum);
}

test("codes that sound alike begin alike, in every table and head, and no two the same", () => {
  assert.equal(weights.size, 8);
  for (const [name, rows] of weights) {
    const [near, far] = [0, 1].map((what) => {
      const pairs = Array.from({ length: 60 }, (_, i) => [i, what === 0 ? i + 1 : (i + 31) % 62] as const);
      return pairs.reduce((sum, [a, b]) => sum + distance(rows, a, b), 0) / pairs.length;
    }) as [number, number];
    assert.ok(near < 0.7 * far, `${name}: ${near} between neighbours, ${far} between others`);
    assert.ok(distance(rows, 62, 63) > 0.2 * far, `${name}: equal vectors differ by ${distance(rows, 62, 63)}`);
  }
});

test("their sizes are those that learning wants, whatever the codec's; the same seed, the same weights", () => {
  for (const [name, { data, shape }] of weights) {
    const size = Math.sqrt(Array.from(data, Number).reduce((sum, x) => sum + x ** 2, 0) / data.length);
    const wanted = name.includes("heads") ? 96 ** -0.5 : 0.5;
    assert.ok(Math.abs(size / wanted - 1) < 0.15, `${name}: ${size}, not ${wanted}`);
    assert.deepEqual([...shape], [name.includes("heads") ? 64 : 65, 96]);
  }
  assert.deepEqual(firstWeights({ lm, frozen }, 7), all);
  assert.notDeepEqual(firstWeights({ lm, frozen }, 8), all);
});

test("layers add nothing yet, and all that is given has the name and shape of a weight", () => {
  const t5 = t5Config({ vocab_size: 20, d_model: 16, d_kv: 8, d_ff: 16, num_layers: 1, num_heads: 2 }, "test");
  const { learnt } = lmGraph(lm, t5, { batch: 1, frames: 8, tokens: 3 }, true);
  for (const [name, { shape, data }] of all) {
    assert.deepEqual([...shape], learnt.get(name)?.shape, name);
    if (name.includes(".layers."))
      assert.ok(
        data.every((value) => Number(value) === 0),
        name,
      );
  }
  const silent = [...learnt.keys()].filter((name) => /\.(out_proj|fc2)\.weight$/.test(name));
  assert.ok(silent.length === 3 && silent.every((name) => all.has(name)));
});
