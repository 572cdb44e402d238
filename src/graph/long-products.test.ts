import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { compile } from "./compile.js";
import { inPieces } from "./long-products.js";
import { graphOf } from "./onnx.js";
import * as ops from "./ops.js";
import { input, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const [rows, inner, width] = [1300, 7, 5]; // four pieces
const a = input("a", "float32", [rows, inner]);
const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 50 - 1);
const fed = { a: tensor("float32", [rows, inner], numbers(rows * inner)) };
const isCut = (y: Value) => graphOf({ y }).nodes.some((node) => inPieces(node) !== undefined);

test("every row of a product in pieces is that of the row alone", async () => {
  const b = tensor("float32", [inner, width], numbers(inner * width));
  const matrix = input("b", "float32", [inner, width]);
  const turned = input("turned", "float32", [width, inner]);
  const whole = { straight: ops.matmul(a, matrix), across: ops.gemm(a, turned) };
  for (const y of Object.values(whole)) assert.ok(isCut(y));
  const session = await compile(runtime, { ...whole, on: ops.neg(whole.straight) }, async () => new Map());
  const columns = Float32Array.from(
    { length: width * inner },
    (_, i) => b.data[(i % inner) * width + ((i / inner) | 0)]!,
  );
  const made = await session.run({ ...fed, b, turned: tensor("float32", [width, inner], columns) });
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += fed.a.data[row * inner + k]! * b.data[k * width + column]!;
      for (const y of [made.straight!, made.across!])
        assert.ok(Math.abs((y.data as Float32Array)[row * width + column]! - sum) < 1e-5);
    }
  assert.deepEqual(
    made.on!.data,
    (made.straight!.data as Float32Array).map((x) => -x),
  );
});

test("short products, turned ones, those of a size not known and those that no pieces fit stay as they are", () => {
  const of = (count: number | string, make: (x: Value) => Value) => isCut(make(input("x", "float32", [count, inner])));
  const matrix = input("b", "float32", [inner, width]);
  assert.ok(of(1300, (x) => ops.matmul(x, matrix)));
  assert.ok(!of(1000, (x) => ops.matmul(x, matrix)));
  assert.ok(!of("N", (x) => ops.matmul(x, matrix)));
  assert.ok(!of(1301, (x) => ops.matmul(x, matrix)), "1301 is prime");
  assert.ok(!of(1300, (x) => ops.gemm(x, ops.transpose(matrix, [1, 0]))));
});
