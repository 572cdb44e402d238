import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "../platform/node.js";
import { elementCount, int64, type Tensor, tensor } from "../tensor.js";
import { expandLike } from "./backward.js";
import { attendInPieces } from "./causal-attention.js";
import { compile } from "./compile.js";
import { differentiate } from "./differentiate.js";
import { gradients } from "./gradients.js";
import * as ops from "./ops.js";
import { block } from "./recompute.js";
import { constant, input, node, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

/** What to differentiate: the shapes of what is learnt, and a value made of it. Numbers are kept in [low, high]. */
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly make: (...x: Value[]) => Value;
  readonly low?: number;
  readonly high?: number;
}

const size = fc.integer({ min: 1, max: 4 });
const shape = fc.array(size, { minLength: 1, maxLength: 3 });
const unary = (make: (x: Value) => Value, low = -2, high = 2) =>
  shape.map((s): Case => ({ shapes: [s], make: (x) => make(x!), low, high }));
/** Two shapes of which one is stretched over the other. */
const binary = (make: (a: Value, b: Value) => Value, low = -2, high = 2) =>
  fc.tuple(shape, fc.nat(7), fc.nat(2), fc.boolean()).map(([s, ones, drop, swap]): Case => {
    const other = s.map((dim, i) => ((ones >> i) & 1 ? 1 : dim)).slice(Math.min(drop, s.length - 1));
    return { shapes: swap ? [other, s] : [s, other], make: (a, b) => make(a!, b!), low, high };
  });
const fixed = (shapes: Case["shapes"], make: Case["make"]) => fc.constant<Case>({ shapes, make });
const axisCase = (make: (x: Value, axis: number, dim: number) => Value) =>
  fc.tuple(shape, fc.nat(2)).map(([s, n]): Case => {
    const axis = n % s.length;
    return { shapes: [s], make: (x) => make(x!, axis, s[axis]!) };
  });

const moved = fc
  .record({
    kernel: size,
    stride: size,
    dilation: size,
    frames: size,
    rest: fc.nat(3),
    before: fc.nat(4),
    after: fc.nat(4),
  })
  .map(({ rest, before, after, ...c }) => {
    const span = c.dilation * (c.kernel - 1);
    const length = (c.frames - 1) * c.stride + span + 1 + Math.min(rest, c.stride - 1);
    const margin: [number, number] = [Math.min(before, span), Math.min(after, span)];
    // As long with its margins, if anything is left between them.
    return length > margin[0] + margin[1]
      ? { ...c, length: length - margin[0] - margin[1], margin }
      : { ...c, length, margin: [0, 0] as [number, number] };
  });
const small = fc.integer({ min: 1, max: 2 });
/** On one axis, or (with smaller sizes: every element is measured) on two. */
const conv = fc.oneof(
  fc.record({ batch: size, channels: size, out: size, axes: fc.tuple(moved) }),
  fc.record({
    batch: small,
    channels: small,
    out: small,
    axes: fc.tuple(
      moved,
      fc.constant({ kernel: 2, stride: 2, dilation: 1, frames: 2, length: 4, margin: [0, 1] as [number, number] }),
    ),
  }),
);
const along = <Axis, K extends keyof Axis>(axes: readonly Axis[], name: K): Axis[K][] => axes.map((axis) => axis[name]);

/** 1, 2, .. 0 */
const orderOf = (dim: number) => Array.from({ length: dim }, (_, i) => (i + 1) % dim);

/** One row an operator of the table. */
const cases: Record<keyof typeof gradients & string, fc.Arbitrary<Case>> = {
  Add: binary(ops.add),
  Sub: binary(ops.sub),
  Mul: binary(ops.mul),
  Div: binary(ops.div, 0.5, 2),
  Neg: unary(ops.neg),
  Exp: unary(ops.exp),
  Log: unary(ops.log, 0.5, 3),
  Sqrt: unary(ops.sqrt, 0.5, 3),
  Erf: unary(ops.erf),
  Tanh: unary(ops.tanh),
  Sigmoid: unary(ops.sigmoid),
  Abs: fc.oneof(unary(ops.abs, 0.1, 2), unary(ops.abs, -2, -0.1)),
  LeakyRelu: fc.oneof(
    unary((x) => ops.leakyRelu(x, 0.3), 0.1, 2),
    unary((x) => ops.leakyRelu(x, 0.3), -2, -0.1),
  ),
  Relu: fc.oneof(unary(ops.relu, 0.1, 2), unary(ops.relu, -2, -0.1)),
  Elu: fc.oneof(unary(ops.elu, 0.1, 2), unary(ops.elu, -2, -0.1)),
  Gelu: fc.oneof(
    unary((x) => ops.gelu(x)),
    unary((x) => ops.gelu(x, "tanh")),
  ),
  Identity: unary((x) => node("Identity", [x], [x])[0]!),
  Block: unary((x) => block((y) => ops.tanh(ops.mul(y, y)), x)),
  Attended: fixed([[1, 2, 5, 3]], (x) => {
    const hidden = Array.from({ length: 25 }, (_, i) => (i % 5 > Math.floor(i / 5) ? -1e9 : (i % 3) / 4));
    const bias = constant(tensor("float32", [1, 1, 5, 5], Float32Array.from(hidden)));
    return attendInPieces(x!, ops.tanh(x!), ops.mul(x!, x!), bias, 2).mixed;
  }),
  Cast: unary((x) => ops.cast(ops.cast(x, "float64"), "float32")),
  Where: binary((a, b) =>
    ops.where(ops.less(constant(tensor("float32", [1])), ops.mul(constant(tensor("float32", [])), a)), a, b),
  ),
  MatMul: fc.tuple(size, size, size, size, fc.boolean()).map(
    ([b, m, n, p, shared]): Case => ({
      shapes: [[b, m, n], shared ? [n, p] : [b, n, p]],
      make: (x, y) => ops.matmul(x!, y!),
    }),
  ),
  Gemm: fc.tuple(size, size, size).map(
    ([m, n, p]): Case => ({
      shapes: [[m, n], [p, n], [p]],
      make: (a, b, c) => ops.gemm(a!, b!, c!),
    }),
  ),
  Transpose: shape.map(
    (s): Case => ({
      shapes: [s],
      make: (x) => ops.transpose(x!, orderOf(s.length)),
    }),
  ),
  Reshape: unary((x) => ops.reshape(x, [-1])),
  Unsqueeze: unary((x) => ops.unsqueeze(x, [0])),
  Squeeze: unary((x) => ops.squeeze(ops.unsqueeze(x, [0]), [0])),
  Expand: fixed([[2, 1, 3]], (x) => expandLike(x!, constant(tensor("float32", [2, 4, 3])))),
  Concat: axisCase((x, axis) => ops.concat([x, ops.mul(x, x), x], axis)),
  Split: axisCase((x, axis, dim) => {
    const [a, b] = ops.split(
      x,
      axis,
      [1, dim - 1].filter((n) => n > 0),
    );
    return b === undefined ? ops.mul(a!, a!) : ops.concat([ops.mul(b, b), a!], axis);
  }),
  Slice: axisCase((x, axis, dim) => ops.slice(x, axis, dim > 1 ? 1 - dim : 0, dim)),
  Reorder: axisCase((x, axis, dim) => ops.reorder(x, axis, orderOf(dim))),
  Gather: fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }).map(
    (ids): Case => ({
      shapes: [[4, 3]],
      make: (table) => ops.gather(table!, constant(int64([1, ids.length], ids))),
    }),
  ),
  GatherElements: fc.tuple(fc.nat(3), fc.nat(3)).map(
    ([a, b]): Case => ({
      shapes: [[2, 4]],
      make: (x) => ops.gatherElements(x!, constant(int64([2, 1], [a, b]))),
    }),
  ),
  Pad: fc
    .tuple(
      fc.nat(3),
      fc.nat(3),
      fc.integer({ min: 4, max: 6 }),
      fc.constantFrom("constant" as const, "reflect" as const),
    )
    .map(
      ([left, right, n, mode]): Case => ({
        shapes: [[2, n]],
        make: (x) => ops.padAxis(ops.padLast(x!, left, right, mode), 0, right, left),
      }),
    ),
  ReduceSum: axisCase((x, axis) => ops.reduceSum(x, [axis])),
  ReduceMean: axisCase((x, axis) => ops.reduceMean(x, [axis])),
  ReduceL2: axisCase((x, axis) =>
    ops.reduceL2(ops.add(x, constant(tensor("float32", [], Float32Array.of(3)))), [axis]),
  ),
  Softmax: unary(ops.softmax),
  LogSoftmax: unary(ops.logSoftmax),
  LayerNormalization: fc.tuple(size, fc.integer({ min: 3, max: 5 })).map(
    ([n, d]): Case => ({
      shapes: [[n, d], [d], [d]],
      make: (x, w, b) => ops.layerNormalization(x!, w!, b!, 1e-2),
    }),
  ),
  Conv: conv.map(
    ({ batch, channels, out, axes }): Case => ({
      shapes: [[batch, channels, ...along(axes, "length")], [out, channels, ...along(axes, "kernel")], [out]],
      make: (x, w, b) => ops.conv(x!, w!, b!, along(axes, "stride"), along(axes, "dilation"), along(axes, "margin")),
    }),
  ),
  ConvTranspose: conv.map(
    ({ batch, channels, out, axes }): Case => ({
      shapes: [[batch, channels, ...along(axes, "frames")], [channels, out, ...along(axes, "kernel")], [out]],
      make: (x, w, b) => ops.convTranspose(x!, w!, b!, along(axes, "stride"), along(axes, "dilation")),
    }),
  ),
  LSTM: fc.tuple(size, small, small, small).map(
    ([frames, batch, depth, width]): Case => ({
      shapes: [
        [frames, batch, depth],
        [1, 4 * width, depth],
        [1, 4 * width, width],
        [1, 8 * width],
        [1, batch, width],
        [1, batch, width],
      ],
      make: (...x) => {
        const [input, w, r, bias, hidden, cell] = x as [Value, Value, Value, Value, Value, Value];
        const { all, state } = ops.lstm(input, { input: w, recurrent: r, bias }, { hidden, cell });
        return ops.concat([ops.squeeze(all, [1]), state.hidden, state.cell], 0);
      },
    }),
  ),
};

for (const op of Object.keys(gradients))
  test(`${op}: the rule is the slope that finite differences measure`, async () => {
    assert.ok(cases[op] !== undefined, `${op} has a rule and no test: add a row`);
    await fc.assert(
      fc.asyncProperty(cases[op], fc.integer(), (c, seed) => checkSlopes(c, seed)),
      { numRuns: 12, seed: 5 },
    );
  });

test("what reaches a value by several ways is added, what does not reach the loss is zero", async () => {
  const [x, unused] = [input("x", "float32", [2]), input("unused", "float32", [3])];
  const y = ops.mul(ops.add(x, x), x); // 2 x^2
  const [dx, none] = differentiate(total(y), [x, unused]);
  const session = await compile(runtime, { dx: dx!, none: none! }, async () => new Map());
  const result = await session.run({ x: tensor("float32", [2], Float32Array.of(1, -3)) });
  assert.deepEqual([...(result.dx!.data as Float32Array)], [4, -12]);
  assert.deepEqual([...(result.none!.data as Float32Array)], [0, 0, 0]);
});

test("nothing is learnt through what is detached", async () => {
  const x = input("x", "float32", [2]);
  const [dx] = differentiate(total(ops.mul(x, ops.detach(ops.mul(x, x)))), [x]); // x^3, of which only the first x learns
  const session = await compile(runtime, { dx: dx! }, async () => new Map());
  const result = await session.run({ x: tensor("float32", [2], Float32Array.of(2, -3)) });
  assert.deepEqual([...(result.dx!.data as Float32Array)], [4, 9]);
});

test("an operator without a rule is an error that names it", () => {
  const x = input("x", "float32", [2]);
  const [odd] = node("Oddity", [x], [x]);
  assert.throws(() => differentiate(total(odd!), [x]), /no gradient rule for Oddity/);
  differentiate(total(ops.mul(x, ops.detach(odd!))), [x]); // not needed behind what teaches nothing
});

test("a graph of ten thousand operators is differentiated without running out of stack", () => {
  const x = input("x", "float32", []);
  let y = x;
  for (let i = 0; i < 10_000; i++) y = ops.tanh(y);
  assert.equal(differentiate(y, [x]).length, 1);
});

/** The sum of everything in x. */
const total = (x: Value): Value => ops.squeeze(ops.reduceSum(ops.reshape(x, [-1]), [0]), [0]);

/** Compares dL/dx with (L(x + h) - L(x - h)) / 2h, L a weighted sum, for every element of everything learnt. */
async function checkSlopes({ shapes, make, low = -2, high = 2 }: Case, seed: number): Promise<void> {
  const random = lcg(seed);
  const parameters = shapes.map((s, i) => input(`x${i}`, "float32", s));
  const y = make(...parameters);
  const weights = tensor("float32", y.shape as number[]);
  for (let i = 0; i < weights.data.length; i++) weights.data[i] = random() * 2 - 1;
  const weighted = ops.mul(y, constant(weights)); // outputs are summed in double precision, here
  const slopes = differentiate(total(weighted), parameters);
  const outputs = { weighted, ...Object.fromEntries(slopes.map((dx, i) => [`dx${i}`, dx])) };
  const session = await compile(runtime, outputs, async () => new Map());
  const numbers = shapes.map((s) =>
    tensor(
      "float32",
      s,
      Float32Array.from({ length: elementCount(s) }, () => low + (high - low) * random()),
    ),
  );
  const run = (values: readonly Tensor[]) =>
    session.run(Object.fromEntries(values.map((value, i) => [`x${i}`, value])));
  const loss = async (values: readonly Tensor[]) =>
    ((await run(values)).weighted!.data as Float32Array).reduce((sum, value) => sum + value, 0);
  const result = await run(numbers);
  const h = 2 ** -7;
  for (const [i, x] of numbers.entries()) {
    const slope = result[`dx${i}`]!;
    assert.deepEqual([...slope.shape], [...x.shape]);
    for (let e = 0; e < x.data.length; e++) {
      const shifted = (by: number) =>
        numbers.map((other) =>
          other === x
            ? tensor(
                "float32",
                x.shape,
                (x.data as Float32Array<ArrayBuffer>).map((v, n) => (n === e ? v + by : v)),
              )
            : other,
        );
      const measured = ((await loss(shifted(h))) - (await loss(shifted(-h)))) / (2 * h);
      const ours = (slope.data as Float32Array)[e]!;
      assert.ok(
        Math.abs(ours - measured) < 2e-3 * (1 + Math.abs(measured)),
        `x${i}[${e}]: rule ${ours}, measured ${measured}`,
      );
    }
  }
  await session.dispose();
}

function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
