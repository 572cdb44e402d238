import assert from "node:assert/strict";
import { after, test } from "node:test";
import { uniform } from "../lm/random.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { type Coding, dequantise, quantise } from "../weights/quantise.js";
import { type Binder, compile, type Declared, declaredWeights } from "./compile.js";
import { linear, linears } from "./layers.js";
import { graphOf, type StoredWeight } from "./onnx.js";
import * as ops from "./ops.js";
import { input, Scope, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const noise = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => uniform(seed, i, 0) + uniform(seed, i, 1) - 1);
const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
const depth = 96;
const x = (width = depth) => input("x", "float32", ["N", width]);

/** Every weight that may be, in blocks; `plain` gives the numbers that these stand for instead. */
function binder(coding: Coding & { exact?: boolean }, plain: boolean, asked: Declared[] = []): Binder {
  return async (declared) => {
    asked.push(...declared);
    return new Map(
      declared.map(({ name, shape, multiplies }, i): [string, StoredWeight] => {
        const numbers = noise(
          shape.reduce((a, b) => a * b, 1),
          i + 1,
        );
        const stored = { dtype: "float32" as const, data: bytesOf(numbers) };
        if (multiplies !== true) return [name, stored];
        const columns = shape[1]!;
        const { packed, scales } = quantise(numbers, columns, coding);
        if (plain) return [name, { dtype: "float32", data: bytesOf(dequantise({ packed, scales }, columns, coding)) }];
        // The numbers themselves are of no use here, so that whoever used them would be found out.
        const blocks = { ...coding, packed, scales: bytesOf(scales) };
        return [name, { dtype: "float32", data: new Uint8Array(stored.data.length), blocks }];
      }),
    );
  };
}

const descriptions: Record<string, (p: Scope) => Value> = {
  "one product": (p) => linear(p, x(), 40),
  "with a bias": (p) => linear(p, x(), 40, { bias: true }),
  "several as one": (p) => linears(p, ["q", "k", "v"], x(), 24),
  "one after the other": (p) => linear(p.at("b"), ops.relu(linear(p.at("a"), x(), 64)), 8, { bias: true }),
  "rows that end in the middle of a block": (p) => linear(p, x(50), 40),
};

async function run(make: (p: Scope) => Value, bind: Binder, rows: number, width: number): Promise<Float32Array> {
  const session = await compile(runtime, { y: make(new Scope()) }, bind, { threads: 1 });
  const { y } = await session.run({ x: tensor("float32", [rows, width], noise(rows * width, 99)) });
  await session.dispose();
  return y!.data as Float32Array;
}

/** Of the root mean square. */
function difference(a: Float32Array, b: Float32Array): number {
  let [apart, whole] = [0, 0];
  for (const [i, value] of a.entries()) {
    apart += (value - b[i]!) ** 2;
    whole += value ** 2;
  }
  return Math.sqrt(apart / whole);
}

for (const [what, make] of Object.entries(descriptions))
  test(`in blocks it computes what the numbers in them compute: ${what}`, async () => {
    const width = what.startsWith("rows") ? 50 : depth;
    for (const bits of [4, 8] as const)
      for (const size of [16, 32, 64]) {
        const coding = { bits, size, search: false };
        for (const rows of [1, 2, 7]) {
          const plain = await run(make, binder(coding, true), rows, width);
          const exact = await run(make, binder({ ...coding, exact: true }, false), rows, width);
          assert.ok(difference(plain, exact) < 2e-6, `${bits} bits, ${size} a block, ${rows} rows, exact`);
          // Inputs rounded to 127 steps: each is off by up to half of one, and so is, by a few hundredths, what comes out.
          const rounded = await run(make, binder(coding, false), rows, width);
          const off = difference(plain, rounded);
          assert.ok(off < 0.015, `${bits} bits, ${size} a block, ${rows} rows: ${off}`);
        }
      }
  });

test("only what is multiplied by may be in blocks", () => {
  const p = new Scope();
  const across = x();
  const both = p.weight("both", [depth, depth]);
  const alsoJoined = p.weight("joined", [depth, depth]);
  const shown = p.weight("shown", [8, depth]);
  const outputs = {
    a: linear(p.at("only"), across, 8, { bias: true }),
    b: ops.gemm(ops.gather(both, input("ids", "int64", ["I"])), both),
    c: linears(p.at("heads"), [0, 1], across, 8),
    d: ops.matmul(across, ops.transpose(p.weight("turned", [8, depth]), [1, 0])),
    e: ops.gemm(across, shown),
    shown,
    f: ops.gemm(across, ops.concat([p.weight("part", [4, depth]), alsoJoined], 0)),
    g: ops.neg(alsoJoined),
  };
  const blocked = declaredWeights(graphOf(Object.fromEntries(Object.entries(outputs).filter(([n]) => n !== "d"))));
  const names = (declared: readonly Declared[]) =>
    declared.flatMap(({ name, multiplies }) => (multiplies ? [name] : [])).sort();
  assert.deepEqual(names(blocked), ["heads.0.weight", "heads.1.weight", "only.weight"]);
  assert.deepEqual(names(declaredWeights(graphOf({ d: outputs.d }))), []);
});

test("a weight in blocks that is used otherwise too, or beside one that is not, stays right", async () => {
  const coding = { bits: 8, size: 32, search: false } as const;
  const numbers = noise(8 * depth, 3);
  const { packed, scales } = quantise(numbers, depth, coding);
  const back = bytesOf(dequantise({ packed, scales }, depth, coding));
  const first: StoredWeight = { dtype: "float32", data: back };
  const blocks = { ...coding, exact: true, packed, scales: bytesOf(scales) };
  const make = (p: Scope) => {
    const across = x();
    const [a, b] = [p.weight("a", [8, depth]), p.weight("b", [8, depth])];
    const both = ops.gemm(across, ops.concat([a, b], 0));
    return ops.concat([both, ops.gemm(across, a), ops.gemm(ops.add(across, ops.slice(a, 0, 0, 1)), b)], 1);
  };
  const plain = await run(
    make,
    async () =>
      new Map([
        ["a", first],
        ["b", first],
      ]),
    3,
    depth,
  );
  for (const [a, b] of [
    [{ ...first, blocks }, first],
    [first, { ...first, blocks }],
    [
      { ...first, blocks },
      { ...first, blocks },
    ],
    [
      { ...first, blocks },
      { ...first, blocks: { ...blocks, exact: false } },
    ],
  ] as StoredWeight[][])
    assert.ok(
      difference(
        plain,
        await run(
          make,
          async () =>
            new Map([
              ["a", a!],
              ["b", b!],
            ]),
          3,
          depth,
        ),
      ) < 0.01,
    );
});
