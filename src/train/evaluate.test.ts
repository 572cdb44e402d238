import assert from "node:assert/strict";
import { test } from "node:test";
import { expected, inputs } from "../../test/codec-training.js";
import { floats, named } from "../../test/golden.js";
import { rows } from "../../test/models.js";
import { codes } from "../codes.js";
import { codebookUse, siSnr } from "./evaluate.js";

const [fake, real] = ["fake", "real"].map((name) => rows(named(inputs, name))) as [Float32Array[][], Float32Array[][]];

test("SI-SNR is the reference's, which is its negative", () => {
  for (const [seconds, overlap] of [
    ["0.05", "0.5"],
    ["0.1", "0.0"],
    ["0.1", "0.5"],
    ["5.0", "0.5"],
  ] as const) {
    const ours = siSnr(fake, real, { sampleRate: 16_000, seconds: Number(seconds), overlap: Number(overlap) });
    const theirs = -floats(expected, `sisnr.segment${seconds}.overlap${overlap}`)[0]!;
    assert.ok(Math.abs(ours / theirs - 1) < 1e-5, `${seconds} s: ${ours}, reference ${theirs}`);
  }
  const [made, x] = [rows(named(expected, "train.y_pred")), rows(named(inputs, "x"))];
  const ours = siSnr(made, x, { sampleRate: 16_000, seconds: 0.1 });
  assert.ok(Math.abs(ours / -floats(expected, "loss.sisnr")[0]! - 1) < 1e-5);
});

test("SI-SNR does not hear the level, hears noise, and has a number for silence", () => {
  const measure = (made: Float32Array[][], of = real) => siSnr(made, of, { sampleRate: 16_000, seconds: 0.1 });
  const louder = fake.map((item) => item.map((row) => row.map((value) => 3 * value)));
  assert.ok(Math.abs(measure(louder) - measure(fake)) < 0.01);
  const hiss = fake.map((item) => item.map((row) => row.map((value, i) => value + Math.sin(i ** 1.5) / 2)));
  assert.ok(measure(hiss) < measure(fake));
  const silence = real.map((item) => item.map((row) => new Float32Array(row.length)));
  assert.ok(Number.isFinite(measure(silence)) && Number.isFinite(measure(real, silence)));
});

test("a codebook used evenly is worth all its entries, one used once is worth one", () => {
  const even = Int32Array.from({ length: 16 }, (_, i) => i % 8);
  const grid = codes([even, new Int32Array(16), even.map((code) => code % 2)]);
  const use = codebookUse([grid, grid], 8);
  for (const [k, { usage, perplexity }] of [
    { usage: 1, perplexity: 8 },
    { usage: 1 / 8, perplexity: 1 },
    { usage: 1 / 4, perplexity: 2 },
  ].entries()) {
    assert.equal(use[k]!.usage, usage);
    assert.ok(Math.abs(use[k]!.perplexity - perplexity) < 1e-9);
  }
});
