import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { compile } from "./compile.js";
import { graphOf, toOnnx } from "./onnx.js";
import * as ops from "./ops.js";
import { respelled } from "./respell.js";
import { input } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

test("elu is its formula, for every size of number, as an output and inside", async () => {
  const x = input("x", "float32", ["N"]);
  const y = ops.elu(x);
  const outputs = { y, twice: ops.elu(y) };
  assert.ok(!respelled(graphOf(outputs), "cpu").nodes.some(({ op }) => op === "Elu"));
  const session = await compile(runtime, outputs, async () => new Map());
  const sizes = Array.from({ length: 80 }, (_, i) => 1.6 ** (i - 40));
  const given = Float32Array.of(0, ...sizes, ...sizes.map((size) => -size));
  const made = await session.run({ x: tensor("float32", [given.length], given) });
  const elu = (v: number) => (v > 0 ? v : Math.expm1(v));
  for (const [i, v] of given.entries())
    for (const [name, wanted] of [["y", elu(v)] as const, ["twice", elu(elu(v))] as const]) {
      const found = (made[name]!.data as Float32Array)[i]!;
      assert.ok(
        Math.abs(found - wanted) <= 1e-7 * Math.max(1, Math.abs(wanted)) + 1e-7,
        `${name} of ${v}: ${found}, not ${wanted}`,
      );
    }
});

test("signs, and the logarithm of a softmax, as WebGPU computes them are the processor's, for large numbers too", async () => {
  const x = input("x", "float32", ["N", 5]);
  const graph = graphOf({ y: ops.logSoftmax(x), sign: ops.sign(x) });
  const given = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * i) * 10 ** ((i >> 3) - 1));
  const [whole, made] = await Promise.all(
    (["cpu", "webgpu"] as const).map(async (device) => {
      const session = await runtime.createSession(toOnnx(graph, new Map(), String, device));
      const { y, sign } = await session.run({ x: tensor("float32", [8, 5], given) });
      return { y: y!.data as Float32Array, sign };
    }),
  );
  assert.ok(!respelled(graph, "webgpu").nodes.some(({ op }) => op === "LogSoftmax" || op === "Sign"));
  for (const [i, value] of whole!.y.entries())
    assert.ok(Math.abs(made!.y[i]! - value) <= 1e-6 * Math.max(1, Math.abs(value)), `${made!.y[i]}, not ${value}`);
  assert.deepEqual(made!.sign, whole!.sign);
});

test("many pieces that WebGPU cuts one by one are the pieces", async () => {
  const x = input("x", "float32", [2, 20]);
  const sizes = [1, 2, 3, 1, 2, 3, 1, 2, 5];
  const graph = graphOf(Object.fromEntries(ops.split(x, 1, sizes).map((piece, i) => [`${i}`, piece])));
  const given = tensor(
    "float32",
    [2, 20],
    Float32Array.from({ length: 40 }, (_, i) => i),
  );
  const [whole, made] = await Promise.all(
    (["cpu", "webgpu"] as const).map(async (device) =>
      (await runtime.createSession(toOnnx(graph, new Map(), String, device))).run({ x: given }),
    ),
  );
  assert.deepEqual(made, whole);
  assert.ok(!respelled(graph, "webgpu").nodes.some(({ op }) => op === "Split"));
  const few = graphOf({ y: ops.split(x, 1, [10, 10])[0]! });
  assert.deepEqual(respelled(few, "webgpu").nodes, few.nodes);
});
