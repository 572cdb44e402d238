import assert from "node:assert/strict";
import { test } from "node:test";
import { floats, integers, largestDifference, readGolden, rowsOf } from "../../test/golden.js";
import { guide, guideTwice } from "./guidance.js";
import { defaultSampling, probabilities, sample } from "./sampling.js";

const inputs = readGolden("sampling", "inputs.safetensors");
const expected = readGolden("sampling");
const rows = (name: string) => rowsOf(floats(inputs, name) as Float32Array, 2 * 4 * 12); // per condition [2, 4, 12]
const [conditional, unconditional] = rows("cfg2") as [Float32Array, Float32Array];
const [both, style, nothing] = rows("cfg3") as [Float32Array, Float32Array, Float32Array];
const result = () => new Float32Array(2 * 4 * 12);
/** The reference computes in float32 throughout: a few of its last places. */
const tolerance = (values: ArrayLike<number>) =>
  Math.max(1e-6, 4 * 2 ** -24 * Math.max(...Array.from(values, Math.abs)));

for (const name of expected.keys()) {
  const [, scale, textScale] = /^(?:double_)?cfg\.coef([-\d.]+?)(?:\.beta([\d.]+))?\.logits$/.exec(name) ?? [];
  if (scale === undefined) continue;
  test(`${name}: as audiocraft`, () => {
    const guided =
      textScale === undefined
        ? guide(conditional, unconditional, Number(scale), result())
        : guideTwice(both, style, nothing, Number(scale), Number(textScale), result());
    const target = floats(expected, name);
    assert.ok(largestDifference(guided, target) <= tolerance(target));
  });
}

test("guidance, then temperature and top-k: as audiocraft", () => {
  const guided = guide(conditional, unconditional, 3, result());
  const chances = rowsOf(guided, 12).flatMap((row) => [...probabilities(row, { temperature: 0.9, topK: 6, topP: 0 })]);
  assert.ok(largestDifference(chances, floats(expected, "cfg.coef3.temp0.9.k6.probs")) < 1e-6);
});

test("greedy: the first of the largest, as audiocraft", () => {
  const greedy = { ...defaultSampling, temperature: 0 };
  for (const [logits, argmax] of [
    ["logits", "greedy.temp0.argmax"],
    ["logits_ties", "greedy.ties.argmax"],
  ] as const)
    assert.deepEqual(
      rowsOf(floats(inputs, logits) as Float32Array, 12).map((row) => sample(row, greedy, 0.99)),
      [...integers(expected, argmax)],
    );
});

test("scale 1 leaves the condition, 0 leaves nothing of it, in place too", () => {
  assert.deepEqual(guide(conditional, unconditional, 0, result()), unconditional);
  assert.ok(largestDifference(guide(conditional, unconditional, 1, result()), conditional) < 1e-6);
  const inPlace = conditional.slice();
  assert.deepEqual(guide(inPlace, unconditional, 3, inPlace), guide(conditional, unconditional, 3, result()));
});
