import assert from "node:assert/strict";
import { test } from "node:test";
import { executionOrder, peakBytes, residentBytes } from "./memory.js";
import { graphOf } from "./onnx.js";
import * as ops from "./ops.js";
import { input, Scope, type Value } from "./value.js";

const kilobyte = 1024;
const x = input("x", "float32", [256]);

test("a chain is computed in place, whatever its length", () => {
  let y = ops.sigmoid(x); // beside x, which belongs to the caller
  for (let i = 0; i < 9; i++) y = ops.tanh(y);
  assert.equal(peakBytes({ y }), 2 * kilobyte);
});

test("what is read later is kept, and given back after it was", () => {
  const values = [x];
  for (let i = 0; i < 4; i++) values.push(ops.tanh(values.at(-1)!)); // x and four
  let y: Value = values.at(-1)!;
  for (const value of values.slice(1, -1).reverse()) y = ops.add(y, value);
  assert.equal(peakBytes({ y }), 5 * kilobyte);
  assert.equal(peakBytes({ y: ops.tanh(ops.tanh(y)) }), 5 * kilobyte);
  const summed = ops.reduceSum(y, [0]);
  assert.equal(peakBytes({ summed }), 5 * kilobyte + constants(summed), "the sum fits into what was given back");
});

test("other shapes of the same numbers cost nothing, and hold them", () => {
  const y = ops.tanh(x);
  const shaped = ops.unsqueeze(ops.reshape(y, [16, 16]), [0]);
  assert.equal(peakBytes({ shaped }), 2 * kilobyte + constants(shaped));
  const both = { shaped, z: ops.add(ops.reshape(ops.exp(y), [16, 16]), ops.scalar(1)) };
  assert.equal(peakBytes(both), 3 * kilobyte + constants(...Object.values(both)));
});

test("weights, constants and what follows from them alone count", () => {
  const p = new Scope();
  const w = p.weight("w", [16, 16]);
  const y = ops.matmul(ops.reshape(x, [16, 16]), w);
  assert.equal(peakBytes({ y }), 3 * kilobyte + constants(y));
  const table = ops.mul(ops.range(ops.ints([512]), 512), ops.scalar(3, "int64")); // 4 kB, made once
  const z = ops.add(x, ops.reduceSum(ops.cast(table, "float32"), [0]));
  assert.ok(peakBytes({ z }) < 2 * kilobyte + 100, "of what is folded, only the result is kept");
});

test("the order is the runtime's: what stands last in the file comes first", () => {
  const [first, second] = [ops.tanh(x), ops.exp(x)];
  const graph = graphOf({ y: ops.add(first, second), z: ops.neg(first) });
  assert.deepEqual(
    executionOrder(graph).map(({ op }) => op),
    ["Tanh", "Neg", "Exp", "Add"],
  );
});

test("a whole process holds more, the more so the more it is fed", () => {
  const small = residentBytes([{ y: ops.tanh(x) }]);
  assert.ok(small > 100e6 && small < 130e6);
  assert.ok(residentBytes([{ y: ops.tanh(input("x", "float32", [25_000_000])) }]) > small + 5 * 100e6);
});

/** Bytes of the constants that the values are made with, such as shapes. */
function constants(...values: readonly Value[]): number {
  const { nodes } = graphOf(Object.fromEntries(values.map((value, i) => [`${i}`, value])));
  const all = new Set(nodes.flatMap(({ inputs }) => inputs).filter((each) => each?.origin.kind === "constant"));
  return [...all].reduce((sum, each) => sum + (each!.shape as number[]).reduce((a, b) => a * b, 1) * size(each!), 0);
}
const size = ({ dtype }: Value) => (dtype === "int64" ? 8 : 4);
