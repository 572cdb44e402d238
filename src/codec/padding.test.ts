import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codecConfig } from "./config.js";
import { convPadding, padRow, transposeTrim, zerosBeforeReflect } from "./padding.js";

const count = (max: number) => fc.integer({ min: 1, max });

test("a convolution of stride s makes ceil(L / s) of L samples", () => {
  fc.assert(
    fc.property(
      count(16),
      count(10),
      count(9),
      count(500),
      fc.boolean(),
      (kernel, stride, dilation, length, causal) => {
        const { left, right } = convPadding(kernel, stride, dilation, length, causal);
        const span = dilation * (kernel - 1) + 1;
        assert.equal(Math.floor((left + length + right - span) / stride) + 1, Math.ceil(length / stride));
        const extra = Math.ceil(length / stride) * stride - length; // fills the last frame
        const shared = left + right - extra;
        if (shared >= 0) assert.ok(left >= 0 && right >= 0);
        // Causal: nothing later than the last sample is seen. Else an odd sample goes to the left.
        assert.equal(right - extra, causal ? 0 : Math.floor(shared / 2));
      },
    ),
  );
});

test("a transposed convolution of stride s is trimmed to s T samples", () => {
  fc.assert(
    fc.property(count(10), count(100), fc.boolean(), fc.constantFrom(0, 0.5, 1), (stride, frames, causal, ratio) => {
      const config = codecConfig({ use_causal_conv: causal, trim_right_ratio: ratio }, "test");
      const { left, right } = transposeTrim(2 * stride, stride, config);
      assert.equal((frames - 1) * stride + 2 * stride - left - right, stride * frames);
      assert.ok(left >= 0 && right >= 0);
    }),
  );
});

/** The definition: zeros where the row is too short to be mirrored, one step at a time, and the zeros cut off again. */
function slowly(row: readonly number[], left: number, right: number, reflect: boolean): number[] {
  const zeros = reflect ? Math.max(0, Math.max(left, right) - row.length + 1) : 0;
  let padded = [...row, ...new Array<number>(zeros).fill(0)];
  const whole = [...padded];
  for (let i = 1; i <= left; i++) padded = [reflect ? whole[i]! : 0, ...padded];
  for (let i = 1; i <= right; i++) padded = [...padded, reflect ? whole.at(-1 - i)! : 0];
  return padded.slice(0, padded.length - zeros);
}

test("rows are padded as by definition, however short", () => {
  const row = fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 12 });
  fc.assert(
    fc.property(row, fc.nat(20), fc.nat(20), fc.boolean(), (samples, left, right, reflect) => {
      const padded = padRow(Float32Array.from(samples), { left, right }, reflect ? "reflect" : "constant");
      assert.deepEqual([...padded], slowly(samples, left, right, reflect));
    }),
    { numRuns: 1000 },
  );
});

test("zeros are added only to rows that are too short", () => {
  assert.equal(zerosBeforeReflect({ left: 3, right: 2 }, 4), 0);
  assert.equal(zerosBeforeReflect({ left: 3, right: 2 }, 3), 1);
  assert.equal(zerosBeforeReflect({ left: 0, right: 5 }, 1), 5);
});
