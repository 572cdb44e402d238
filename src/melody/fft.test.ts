import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { largestDifference } from "../../test/golden.js";
import { HocketError } from "../errors.js";
import { realFft } from "./fft.js";

function directly(input: Float64Array): { re: number[]; im: number[] } {
  const sum = (wave: (phase: number) => number) =>
    Array.from({ length: input.length / 2 + 1 }, (_, k) =>
      input.reduce((total, x, n) => total + x * wave((-2 * Math.PI * ((k * n) % input.length)) / input.length), 0),
    );
  return { re: sum(Math.cos), im: sum(Math.sin) };
}

test("the fast transform is the transform", () => {
  const inputs = fc
    .integer({ min: 2, max: 9 })
    .chain((log) => fc.float64Array({ minLength: 2 ** log, maxLength: 2 ** log, min: -1, max: 1, noNaN: true }));
  fc.assert(
    fc.property(inputs, (input) => {
      const fft = realFft(input.length);
      const [re, im] = [new Float64Array(input.length / 2 + 1), new Float64Array(input.length / 2 + 1)];
      for (let again = 0; again < 2; again++) {
        fft(input, re, im);
        const expected = directly(input);
        assert.ok(largestDifference(re, expected.re) < 1e-11);
        assert.ok(largestDifference(im, expected.im) < 1e-11);
      }
    }),
  );
});

test("other lengths than powers of two are refused", () => {
  for (const size of [0, 2, 12, 16000, 2.5]) assert.throws(() => realFft(size), HocketError);
});
