import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { uniform } from "../lm/random.js";
import { type Coding, dequantise, quantise } from "./quantise.js";

/** Like trained weights: mostly small, here and there one that is not. */
const matrix = (rows: number, columns: number, seed: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, (_, i) => {
    const sum = [0, 1, 2, 3].reduce((sum, draw) => sum + uniform(seed, i, draw) - 0.5, 0);
    return 0.05 * sum * (i % 97 === 13 ? 6 : 1);
  });

const codings: readonly Coding[] = ([4, 8] as const).flatMap((bits) =>
  [16, 32, 64, 128].flatMap((size) => [false, true].map((search) => ({ bits, size, search }))),
);
const spelled = ({ bits, size, search }: Coding) => `${bits} bits, ${size} a block${search ? ", searched" : ""}`;

for (const coding of codings)
  test(`what comes back is near what went in: ${spelled(coding)}`, () => {
    for (const [rows, columns] of [
      [3, 128],
      [5, 50],
      [2, 1],
    ] as const) {
      const weights = matrix(rows, columns, coding.bits);
      const coded = quantise(weights, columns, coding);
      const across = Math.ceil(columns / coding.size);
      assert.equal(coded.scales.length, rows * across);
      assert.equal(coded.packed.length, (rows * across * coding.size * coding.bits) / 8);
      const back = dequantise(coded, columns, coding);
      assert.equal(back.length, weights.length);
      for (const [i, w] of weights.entries()) {
        const scale = coded.scales[Math.floor(i / columns) * across + Math.floor((i % columns) / coding.size)]!;
        // Plain: half a step. Searched: the largest may lie beyond the last code, by a tenth of itself.
        const reach = coding.search ? Math.max(0.5, 0.6 + 0.1 * 2 ** (coding.bits - 1)) : 0.5;
        assert.ok(Math.abs(back[i]! - w) <= reach * Math.abs(scale) * (1 + 1e-5), `${i}: ${w} became ${back[i]}`);
      }
    }
  });

const squares = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
const error = (weights: Float32Array, columns: number, coding: Coding) =>
  squares(weights, dequantise(quantise(weights, columns, coding), columns, coding));

test("searching leaves less error, and fewer numbers a scale more", () => {
  const weights = matrix(64, 256, 7);
  for (const size of [32, 64, 128]) {
    const plain = error(weights, 256, { bits: 4, size, search: false });
    const searched = error(weights, 256, { bits: 4, size, search: true });
    assert.ok(searched < 0.75 * plain, `${size}: ${searched} of ${plain}`);
    assert.ok(error(weights, 256, { bits: 8, size, search: false }) < plain / 200);
    assert.ok(error(weights, 256, { bits: 4, size: size / 2, search: true }) < searched);
  }
});

test("what the codes can say comes back as it was", () => {
  const coding = { bits: 4, size: 16, search: false } as const;
  const back = (weights: Float32Array) => dequantise(quantise(weights, 16, coding), 16, coding);
  const exact = Float32Array.from({ length: 16 }, (_, i) => 0.25 * ((i % 15) - 7));
  assert.deepEqual(back(exact), exact);
  assert.deepEqual(back(new Float32Array(16)), new Float32Array(16));
  assert.deepEqual(quantise(new Float32Array(16), 16, { ...coding, search: true }).scales, new Float32Array(1));
});

test("no block is coded worse than by half a step, whatever is in it", () => {
  const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), {
    minLength: 32,
    maxLength: 32,
  });
  fc.assert(
    fc.property(numbers, fc.constantFrom(...codings), (block, coding) => {
      const weights = Float32Array.from(block);
      const most = Math.max(...weights.map(Math.abs));
      const half = most / (2 * (2 ** (coding.bits - 1) - 1));
      const back = dequantise(quantise(weights, 32, coding), 32, coding);
      assert.ok(back.every(Number.isFinite));
      assert.ok(Math.sqrt(squares(weights, back)) <= Math.sqrt(32) * half * 1.001 + 1e-30);
    }),
  );
});
