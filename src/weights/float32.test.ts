import assert from "node:assert/strict";
import { test } from "node:test";
import { tensor } from "../tensor.js";
import { toFloat32 } from "./float32.js";

const every = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** IEEE 754: (-1)^sign 2^(exponent - bias) 1.fraction, and 0.fraction for the smallest exponent. */
function numberOf(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** (1 - bias) * fraction : sign * 2 ** (exponent - bias) * (1 + fraction);
}

test("all 65536 halves become the number that they stand for", () => {
  const half = toFloat32(tensor("float16", [65536], every)).data;
  const brain = toFloat32(tensor("bfloat16", [65536], every)).data;
  for (const bits of every) {
    assert(Object.is(half[bits], numberOf(bits, 5, 10)), `float16 ${bits}: ${half[bits]}`);
    assert(Object.is(brain[bits], numberOf(bits, 8, 7)), `bfloat16 ${bits}: ${brain[bits]}`);
  }
});

test("other numbers become the nearest float32", () => {
  const wide = [0, -0, 1.1, 1e-46, 1e39, -Infinity, NaN];
  assert.deepEqual([...toFloat32(tensor("float64", [7], new Float64Array(wide))).data], wide.map(Math.fround));
  assert.deepEqual([...toFloat32(tensor("int64", [2], new BigInt64Array([-3n, 2n ** 40n]))).data], [-3, 2 ** 40]);
  assert.deepEqual([...toFloat32(tensor("bool", [2], new Uint8Array([0, 1]))).data], [0, 1]);
  const same = tensor("float32", [1]);
  assert.equal(toFloat32(same), same);
});
