import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference } from "../../test/golden.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { compile } from "./compile.js";
import { fused } from "./fuse.js";
import { graphOf } from "./onnx.js";
import * as ops from "./ops.js";
import { input, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const [rows, width] = [3, 8];
const row = input("row", "float32", [width]);
const x = input("x", "float32", ["N", width]);
const y = input("y", "float32", ["N", width]);
const numbers = (count: number, from: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + from));
const norm = (of: Value) => ops.layerNormalization(of, row, row, 1e-5);
const opsOf = (outputs: Record<string, Value>) => fused(graphOf(outputs).nodes).map(({ op }) => op);

test("a sum and its norm are computed as one, and are what they are apart", async () => {
  const sum = ops.add(x, y);
  const both = { sum, normed: norm(sum), later: ops.mul(norm(ops.add(sum, norm(sum))), sum) };
  assert.deepEqual(opsOf({ normed: both.normed }), ["SkipLayerNormalization"]);
  const inputs = {
    x: tensor("float32", [rows, width], numbers(rows * width, 1)),
    y: tensor("float32", [rows, width], numbers(rows * width, 2)),
    row: tensor("float32", [width], numbers(width, 3)),
  };
  // Stretched over an axis of 1, the sum is one that is left alone.
  const apart = ops.squeeze(ops.add(ops.unsqueeze(x, [0]), ops.unsqueeze(y, [0])), [0]);
  const plain = {
    sum: apart,
    normed: norm(apart),
    later: ops.mul(norm(ops.squeeze(ops.add(ops.unsqueeze(apart, [0]), norm(apart)), [0])), apart),
  };
  assert.ok(!opsOf(plain).includes("SkipLayerNormalization"));
  const [one, two] = await Promise.all(
    [both, plain].map(async (outputs) => (await compile(runtime, outputs, async () => new Map())).run(inputs)),
  );
  for (const name of Object.keys(both))
    assert.ok(largestDifference(one![name]!.data as Float32Array, two![name]!.data as Float32Array) < 1e-6, name);
});

test("a sum of other shapes, and a norm of something else, stay as they are", () => {
  assert.deepEqual(opsOf({ y: norm(ops.add(x, row)) }), ["Add", "LayerNormalization"]);
  assert.deepEqual(opsOf({ y: norm(ops.mul(x, y)) }), ["Mul", "LayerNormalization"]);
  assert.deepEqual(opsOf({ y: norm(x) }), ["LayerNormalization"]);
});
