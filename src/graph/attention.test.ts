import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { largestDifference } from "../../test/golden.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { groupQueryAttention } from "./attention.js";
import { compile } from "./compile.js";
import { attend } from "./layers.js";
import * as ops from "./ops.js";
import { input } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const size = 8;
const scale = 0.3;

/** Numbers from -1 to 1 that look like chance, but are the same every time. */
const noise = (shape: readonly number[], seed: number): Tensor<"float32"> => {
  const made = tensor("float32", shape);
  for (const i of made.data.keys()) made.data[i] = Math.sin((i + 1) * 12.9898 + seed * 78.233) ** 3;
  return made;
};

/** Attention over all columns at once, [R, S, H d], where `bias` [R, 1, S, S] hides what comes later. */
async function plain(qkv: Tensor, heads: number, bias: Tensor): Promise<Float32Array> {
  const [rows, steps] = qkv.shape as [number, number];
  const x = input("qkv", "float32", qkv.shape);
  const [q, k, v] = ops
    .split(
      x,
      2,
      [1, 1, 1].map(() => heads * size),
    )
    .map((part) => ops.transpose(ops.reshape(part, [rows, steps, heads, size]), [0, 2, 1, 3]));
  const { mixed } = attend(ops.mul(q!, ops.scalar(scale)), k!, v!, input("bias", "float32", bias.shape));
  const y = ops.reshape(ops.transpose(mixed, [0, 2, 1, 3]), [rows, steps, heads * size]);
  const session = await compile(runtime, { y }, async () => new Map());
  const result = await session.run({ qkv, bias });
  await session.dispose();
  return result.y!.data as Float32Array;
}

interface Case {
  readonly rows: number;
  readonly heads: number;
  /** Columns of the first pass, and after it. */
  readonly first: number;
  readonly more: number;
  /** Of each row, how many columns at the front are hidden. */
  readonly hidden?: readonly number[];
}

/** The same, over a cache: what comes of the last column of the first pass, and of each after it, [R, 1 + more, H d]. */
async function cached(qkv: Tensor, { rows, heads, first, more, hidden }: Case, int8: boolean): Promise<Float32Array> {
  const width = heads * size;
  const dtype = int8 ? "int8" : "float32";
  const each = (name: string) => input(name, dtype, ["R", heads, "C", size]);
  const scale1 = (name: string) => input(name, "float32", [1, heads, 1, size]);
  const scales = { keys: scale1("k"), values: scale1("v") };
  const cache = { keys: each("keys"), values: each("values"), ...(int8 ? { scales } : {}) };
  const at = { last: input("last", "int32", ["R"]), count: input("count", "int32", [1]) };
  const bias = hidden === undefined ? undefined : input("bias", "float32", ["R", 1, "S", "T"]);
  const made = groupQueryAttention(input("qkv", "float32", ["R", "S", 3 * width]), cache, at, scale, bias);
  const outputs = { ...made, mixed: ops.slice(made.mixed, 1, -1, Number.MAX_SAFE_INTEGER, 1) };
  const session = await compile(runtime, outputs, async () => new Map());
  const step = tensor("float32", [1, heads, 1, size], new Float32Array(width).fill(1 / 127));
  const shape = [rows, heads, first + more + 3, size]; // room to spare
  const state = await session.open(int8 ? { k: step, v: step } : {}, [
    { output: "mixed", dtype: "float32", shape: [rows, 1, width] },
    { output: "keys", input: "keys", dtype, shape },
    { output: "values", input: "values", dtype, shape },
  ]);
  const out = new Float32Array(rows * (1 + more) * width);
  for (let i = 0; i <= more; i++) {
    const [from, to] = i === 0 ? [0, first] : [first + i - 1, first + i];
    const columns = columnsOf(qkv, from, to);
    const shown = hidden && { bias: biasOf(hidden, from, to) };
    const { mixed } = await session.run(
      {
        qkv: columns,
        last: tensor("int32", [rows], new Int32Array(rows).fill(to - 1)),
        count: tensor("int32", [1], Int32Array.of(to)),
        ...shown,
      },
      state,
    );
    for (let r = 0; r < rows; r++)
      out.set((mixed!.data as Float32Array).subarray(r * width, (r + 1) * width), (r * (1 + more) + i) * width);
  }
  await session.dispose();
  return out;
}

function columnsOf(x: Tensor, from: number, to: number): Tensor {
  const [rows, steps, width] = x.shape as [number, number, number];
  const cut = Array.from({ length: rows }, (_, r) =>
    Array.from((x.data as Float32Array).subarray((r * steps + from) * width, (r * steps + to) * width)),
  );
  return tensor("float32", [rows, to - from, width], Float32Array.from(cut.flat()));
}

/** [R, 1, S, columns so far]: hides the first columns of each row, and what comes later. */
function biasOf(hidden: readonly number[], from: number, to: number): Tensor<"float32"> {
  const bias = tensor("float32", [hidden.length, 1, to - from, to]);
  for (const i of bias.data.keys()) {
    const column = i % to;
    const step = from + (Math.floor(i / to) % (to - from));
    const row = Math.floor(i / to / (to - from));
    if (column > step || (column < hidden[row]! && column !== step)) bias.data[i] = -1e9;
  }
  return bias;
}

const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    first: fc.integer({ min: 1, max: 70 }),
    more: fc.integer({ min: 0, max: 5 }),
    padded: fc.boolean(),
    seed: fc.nat(1000),
  })
  .map(({ padded, ...rest }) => ({
    ...rest,
    ...(padded ? { hidden: Array.from({ length: rest.rows }, (_, r) => Math.min(r, rest.first - 1)) } : {}),
  }));

for (const [type, tolerance] of [
  ["float32", 2e-6],
  ["int8", 0.02],
] as const)
  test(`attention over a cache of ${type} is attention over all columns`, () =>
    fc.assert(
      fc.asyncProperty(cases, async ({ seed, ...given }) => {
        const { rows, heads, first, more } = given;
        const all = first + more;
        const width = heads * size;
        const qkv = noise([rows, all, 3 * width], seed);
        const whole = await plain(qkv, heads, biasOf(given.hidden ?? new Array(rows).fill(0), 0, all));
        const wanted = columnsOf(
          tensor("float32", [rows, all, width], whole as Float32Array<ArrayBuffer>),
          first - 1,
          all,
        );
        const ours = await cached(qkv, given, type === "int8");
        assert.ok(largestDifference(ours, wanted.data as Float32Array) < tolerance);
      }),
      { numRuns: 20 },
    ));
