import assert from "node:assert/strict";
import { test } from "node:test";
import { tensor } from "../tensor.js";
import { toFloat16 } from "./float16.js";
import { toFloat32 } from "./float32.js";

const halves = (...bits: number[]) => tensor("float16", [bits.length], Uint16Array.from(bits));
const singles = (...values: number[]) => tensor("float32", [values.length], Float32Array.from(values));

test("every half is itself, there and back", () => {
  const all = halves(
    ...Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter((bits) => (bits & 0x7c00) !== 0x7c00),
  );
  assert.deepEqual(toFloat16(toFloat32(all), "all"), all);
});

test("between two halves the nearer is taken, and of two as near the even one", () => {
  const widened = Array.from(toFloat32(halves(...Array.from({ length: 0x7c00 }, (_, bits) => bits))).data);
  for (let bits = 0; bits + 1 < widened.length; bits += 7) {
    const [low, high] = [widened[bits]!, widened[bits + 1]!];
    const middle = (low + high) / 2; // exact: a half has 11 bits, a single 24
    const near = singles(middle, middle - (high - low) / 8, middle + (high - low) / 8);
    assert.deepEqual(Array.from(toFloat16(near, "near").data), [bits + (bits % 2), bits, bits + 1], `${low}`);
  }
});

test("what is beyond the largest half is refused by name", () => {
  assert.deepEqual(Array.from(toFloat16(singles(65504, -65504), "w").data), [0x7bff, 0xfbff]);
  for (const value of [65520, -1e30, Number.POSITIVE_INFINITY, Number.NaN])
    assert.throws(() => toFloat16(singles(1, value), "w"), /^HocketError: w has .* and half precision ends at 65504/);
});
