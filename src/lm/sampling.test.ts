import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { floats, largestDifference, readGolden, rowsOf } from "../../test/golden.js";
import { HocketError } from "../errors.js";
import { defaultSampling, probabilities, type Sampling, sample } from "./sampling.js";

const inputs = readGolden("sampling", "inputs.safetensors");
const expected = readGolden("sampling");

for (const name of expected.keys()) {
  const [, family, temperature, topK, topP, sorted] =
    /^(a|ties)\.temp([\d.]+)\.k(\d+)\.p([\de.-]+?)\.(sorted_)?probs$/.exec(name) ?? [];
  if (family === undefined) continue;
  test(`${name}: as audiocraft`, () => {
    const sampling = { temperature: Number(temperature), topK: Number(topK), topP: Number(topP) };
    const logits = floats(inputs, family === "a" ? "logits" : "logits_ties") as Float32Array;
    const targets = rowsOf(floats(expected, name) as Float32Array, 12);
    for (const [i, row] of rowsOf(logits, 12).entries()) {
      const chances = probabilities(row, sampling);
      if (sorted) chances.sort().reverse();
      assert.ok(largestDifference(chances, targets[i]!) < 1e-6);
      assert.deepEqual([...chances].map(Boolean), [...targets[i]!].map(Boolean));
    }
  });
}

/** The rules again, by sorting everything: codes in drawing order with their probabilities. */
function slowly(logits: readonly number[], { temperature, topK, topP }: Sampling): [code: number, chance: number][] {
  const ranked = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
  const weights = logits.map((logit) => Math.exp((logit - logits[ranked[0]!]!) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let kept = [...logits.keys()];
  if (topP > 0) {
    let before = 0;
    kept = ranked.filter((code) => {
      const stays = before <= topP;
      before += weights[code]! / total;
      return stays;
    });
  } else if (topK > 0)
    kept = kept.filter((code) => logits[code]! >= logits[ranked[Math.min(topK, logits.length) - 1]!]!);
  const mass = kept.reduce((sum, code) => sum + weights[code]!, 0);
  return kept.map((code) => [code, weights[code]! / mass]);
}

// Few distinct values, so that ties are common; halves, so that float32 holds them.
const rowOfLogits = fc.array(
  fc.integer({ min: -12, max: 12 }).map((n) => n / 2),
  { minLength: 1, maxLength: 300 },
);
const anySampling = fc.record({
  temperature: fc.constantFrom(0.3, 1, 1.7),
  topK: fc.oneof(fc.nat(20), fc.constant(1000)),
  topP: fc.oneof(fc.constant(0), fc.constantFrom(1e-6, 0.31, 0.87, 0.999)),
});

test("the draw is the inverse distribution function over the codes that stay", () => {
  fc.assert(
    fc.property(
      rowOfLogits,
      anySampling,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (row, sampling, u) => {
        const logits = Float32Array.from(row);
        const kept = slowly(row, sampling);
        const chances = probabilities(logits, sampling);
        assert.deepEqual(
          [...chances.keys()].filter((code) => chances[code]! > 0),
          kept.map(([code]) => code).sort((a, b) => a - b),
        );
        for (const [code, chance] of kept) assert.ok(Math.abs(chances[code]! - chance) < 1e-12);
        const drawn = sample(logits, sampling, u);
        const place = kept.findIndex(([code]) => code === drawn);
        const start = kept.slice(0, place).reduce((sum, [, chance]) => sum + chance, 0);
        assert.ok(place >= 0 && u >= start - 1e-12 && u < start + kept[place]![1] + 1e-12);
      },
    ),
    { numRuns: 1000 },
  );
});

test("top-k above the vocabulary, and none, keep every code; the ends of [0, 1) are the first and the last code", () => {
  const logits = Float32Array.from({ length: 2048 }, (_, i) => Math.sin(i));
  const all = probabilities(logits, { temperature: 1, topK: 0, topP: 0 });
  assert.ok(all.every((chance) => chance > 0));
  assert.deepEqual(probabilities(logits, { temperature: 1, topK: 5000, topP: 0 }), all);
  assert.equal(sample(logits, { temperature: 1, topK: 0, topP: 0 }, 0), 0);
  assert.equal(sample(logits, { temperature: 1, topK: 0, topP: 0 }, 1 - 2 ** -53), 2047);
});

test("a code that the model rules out is never drawn", () => {
  const logits = Float32Array.of(Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY);
  for (const sampling of [defaultSampling, { ...defaultSampling, topP: 1 }, { ...defaultSampling, temperature: 0 }])
    for (const u of [0, 0.5, 1 - 2 ** -53]) assert.equal(sample(logits, sampling, u), 1);
});

test("logits without a largest are an error, not code 0", () => {
  const broken = [
    [1, Number.NaN, 2],
    [Number.NaN, 1],
    [1, 2, Number.NaN],
    [Number.POSITIVE_INFINITY, 1],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ];
  for (const row of broken)
    for (const temperature of [0, 1])
      assert.throws(() => sample(Float32Array.from(row), { ...defaultSampling, temperature }, 0.5), HocketError);
  assert.throws(() => sample(Float32Array.of(1, 2), defaultSampling, 1), HocketError);
});
