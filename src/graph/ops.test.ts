import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { type OpCase, opCases } from "../../test/op-cases.js";
import { HocketError } from "../errors.js";
import { createRuntime } from "../platform/node.js";
import type { Tensor } from "../tensor.js";
import { compile } from "./compile.js";
import * as ops from "./ops.js";
import { type Dim, input } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

test("every builder has a row", () => {
  const builders = Object.keys(ops).filter((name) => name !== "onnxType");
  assert.deepEqual(Object.keys(opCases).sort(), builders.sort());
});

for (const [name, cases] of Object.entries(opCases))
  test(`${name}: shape and numbers are those of plain loops`, () =>
    fc.assert(fc.asyncProperty(cases, fc.boolean(), check), { numRuns: 25 }));

const x = (...shape: Dim[]) => input("x", "float32", shape);
const truth = (...shape: Dim[]) => input("x", "bool", shape);

/** What cannot be, by the shapes that its message must show. */
const impossible: readonly (readonly [string, () => unknown])[] = [
  ["float32 [2] int64 [2]", () => ops.add(x(2), input("n", "int64", [2]))],
  ["[2,3] [4]", () => ops.mul(x(2, 3), x(4))],
  ["[T,3] [4]", () => ops.sub(x("T", 3), x(4))],
  ["[2] [3]", () => ops.where(truth(2), x(3), x(1))],
  ["[2] [3]", () => ops.where(truth(1), x(2), x(3))],
  ["[2,3] [4,5]", () => ops.matmul(x(2, 3), x(4, 5))],
  ["[2,2,3] [3,3,5]", () => ops.matmul(x(2, 2, 3), x(3, 3, 5))],
  ["[2,3] [3]", () => ops.matmul(x(2, 3), x(3))],
  ["[2,3] [3,4]", () => ops.gemm(x(2, 3), x(3, 4))],
  ["[1,2,3] [4,3]", () => ops.gemm(x(1, 2, 3), x(4, 3))],
  ["[2,3] [4,3] [3]", () => ops.gemm(x(2, 3), x(4, 3), x(3))],
  ["[2,3] [0]", () => ops.transpose(x(2, 3), [0])],
  ["[2,3] [1,1]", () => ops.transpose(x(2, 3), [1, 1])],
  ["[2,3] [0,2]", () => ops.transpose(x(2, 3), [0, 2])],
  ["[2,3] [5]", () => ops.reshape(x(2, 3), [5])],
  ["[2,3] [4,-1]", () => ops.reshape(x(2, 3), [4, -1])],
  ["[2,3] [6,6]", () => ops.reshape(x(2, 3), [-1, -1])],
  ["[2] [2,0]", () => ops.reshape(x(2), [0, 0])],
  ["[2,3] [7]", () => ops.reshapeTo(x(2, 3), ops.ints([7]), [7])],
  ["[2] [2]", () => ops.unsqueeze(x(2), [2])],
  ["[2] [0,0]", () => ops.unsqueeze(x(2), [0, 0])],
  ["[2,3] [1]", () => ops.squeeze(x(2, 3), [1])],
  ["[2,3] 2", () => ops.squeeze(x(2, 3), [2])],
  ["[2,3] [2,4]", () => ops.concat([x(2, 3), x(2, 4)], 0)],
  ["[2,3] [2,3,1]", () => ops.concat([x(2, 3), x(2, 3, 1)], 0)],
  ["[2,3] -3", () => ops.concat([x(2, 3)], -3)],
  ["[2,3] 2", () => ops.slice(x(2, 3), 2, 0, 1)],
  ["[2,3] [0,1]", () => ops.reorder(x(2, 3), 1, [0, 1])],
  ["[2,3] [1,1]", () => ops.reorder(x(2, 3), 0, [1, 1])],
  ["[2,3] [1,1]", () => ops.split(x(2, 3), 1, [1, 1])],
  ["[2,3] [3,1]", () => ops.gatherElements(x(2, 3), input("i", "int64", [3, 1]))],
  ["[2,3] 3", () => ops.padLast(x(2, 3), 3, 0, "reflect")],
  ["[2,3] 2", () => ops.padAxis(x(2, 3), 2, 1, 1)],
  ["[2] 1", () => ops.sizeOf(x(2), 1)],
  ["[2,3] 2", () => ops.reduceSum(x(2, 3), [2])],
  ["[2,3] no axis", () => ops.reduceMean(x(2, 3), [])],
  ["[] -1", () => ops.softmax(x())],
  ["[] -1", () => ops.argmax(x())],
  ["[2,3] [3] [2]", () => ops.layerNormalization(x(2, 3), x(3), x(2), 1e-5)],
  ["[1,2,8] [4,3,3]", () => ops.conv(x(1, 2, 8), x(4, 3, 3), undefined)],
  ["[1,2,8] [4,2,3] [3]", () => ops.conv(x(1, 2, 8), x(4, 2, 3), x(3))],
  ["[1,2,4] [4,2,3]", () => ops.conv(x(1, 2, 4), x(4, 2, 3), undefined, 1, 2)],
  ["[1,2,8] [4,2,3,3]", () => ops.conv(x(1, 2, 8), x(4, 2, 3, 3), undefined)],
  ["[1,2,8,8] [4,2,3]", () => ops.conv(x(1, 2, 8, 8), x(4, 2, 3), undefined)],
  ["[1,2,4] [3,2,3]", () => ops.convTranspose(x(1, 2, 4), x(3, 2, 3), undefined, 2)],
  [
    "[5,1,2] [1,12,2] [1,12,3] [1,24] [1,1,3] [1,2,3]",
    () =>
      ops.lstm(
        x(5, 1, 2),
        { input: x(1, 12, 2), recurrent: x(1, 12, 3), bias: x(1, 24) },
        { hidden: x(1, 1, 3), cell: x(1, 2, 3) },
      ),
  ],
];

for (const [shapes, build] of impossible)
  test(`refused while describing: ${build.toString().slice(6)}`, () => {
    assert.throws(build, (error) => {
      assert.ok(error instanceof HocketError && error.code === "internal");
      for (const shape of shapes.split(" ")) assert.ok(error.message.includes(shape), error.message);
      return true;
    });
  });

/** With `named`, sizes have names while describing: "d3" for 3. A size of 1 has none: names are never stretched. */
async function check({ inputs, build, expected, known = [] }: OpCase, named: boolean): Promise<void> {
  const values = inputs.map(({ dtype, shape }, i) => {
    const dims = shape.map(
      (size, axis): Dim => (named && size !== 1 && known[i]?.includes(axis) !== true ? `d${size}` : size),
    );
    return input(`x${i}`, dtype, dims);
  });
  const built = [build(...values)].flat();
  const targets = [expected].flat() as Tensor[];
  const session = await compile(
    runtime,
    Object.fromEntries(built.map((value, i) => [`y${i}`, value])),
    async () => new Map(),
  );
  try {
    const results = await session.run(Object.fromEntries(inputs.map((tensor, i) => [`x${i}`, tensor])));
    assert.equal(built.length, targets.length);
    for (const [i, target] of targets.entries()) {
      const { dtype, shape, data } = results[`y${i}`]!;
      assert.deepEqual([dtype, shape], [target.dtype, target.shape]);
      assert.equal(built[i]!.dtype, dtype);
      assert.equal(built[i]!.shape.length, shape.length);
      for (const [axis, dim] of built[i]!.shape.entries())
        assert.equal(claimed(dim) ?? shape[axis], shape[axis], `${dim}`);
      for (const [n, value] of data.entries()) {
        const plain = Number(target.data[n]);
        assert.ok(Math.abs(Number(value) - plain) <= 1e-5 * Math.max(1, Math.abs(plain)), `${value} is not ${plain}`);
      }
    }
  } finally {
    await session.dispose();
  }
}

/** The size that a name stands for: "2*(d3+1)" is 8. None where the name is not arithmetic ("d3[0:2]"). */
function claimed(dim: Dim): number | undefined {
  const formula = `${dim}`.replaceAll("d", "");
  return /^[\d+*/()-]+$/.test(formula) ? Math.floor(Number(new Function(`return ${formula}`)())) : undefined;
}
