import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference } from "../../test/golden.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { attendInPieces } from "./causal-attention.js";
import { compile } from "./compile.js";
import { differentiate } from "./differentiate.js";
import { attend } from "./layers.js";
import * as ops from "./ops.js";
import { input, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const [batch, heads, steps, size] = [2, 2, 7, 3];
const shape = [batch, heads, steps, size];
const numbers = (from: number, count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(from + i * i));
const count = batch * heads * steps * size;
const fed: Record<string, Tensor> = Object.fromEntries(
  ["q", "k", "v", "slope"].map((name, i) => [name, tensor("float32", shape, numbers(i, count))]),
);
/** Hides what is after a row; and of the second item, the third column from every row. */
fed.bias = tensor(
  "float32",
  [batch, 1, steps, steps],
  Float32Array.from({ length: batch * steps * steps }, (_, i) => {
    const [item, row, column] = [Math.floor(i / steps ** 2), Math.floor(i / steps) % steps, i % steps];
    return column > row || (item === 1 && column === 2) ? -1e9 : 0;
  }),
);

test("attention in pieces, whatever their size, is attention, and its slopes are those of its operators", async () => {
  const [q, k, v, slope] = ["q", "k", "v", "slope"].map((name) => input(name, "float32", shape)) as [
    Value,
    ...Value[],
  ] as [Value, Value, Value, Value];
  const bias = input("bias", "float32", [batch, 1, steps, steps]);
  const outputs = ({ mixed, weights }: { mixed: Value; weights: Value }, name: string) => {
    const loss = ops.squeeze(ops.reduceSum(ops.reshape(ops.mul(mixed, slope), [-1]), [0]), [0]);
    const [dq, dk, dv] = differentiate(loss, [q, k, v]) as [Value, Value, Value];
    return {
      [`${name} mixed`]: mixed,
      [`${name} weights`]: weights,
      [`${name} q`]: dq,
      [`${name} k`]: dk,
      [`${name} v`]: dv,
    };
  };
  const ways = [1, 2, 3, 7, 9]; // 9: more than there are
  const session = await compile(
    runtime,
    {
      ...outputs(attend(q, k, v, bias), "whole"),
      ...Object.assign({}, ...ways.map((rows) => outputs(attendInPieces(q, k, v, bias, rows), `${rows}`))),
    },
    async () => new Map(),
  );
  const made = await session.run(fed);
  for (const what of ["mixed", "weights", "q", "k", "v"])
    for (const rows of ways)
      assert.ok(
        largestDifference(made[`${rows} ${what}`]!.data as Float32Array, made[`whole ${what}`]!.data as Float32Array) <
          2e-6,
        `${what}, ${rows} rows at a time`,
      );
});
