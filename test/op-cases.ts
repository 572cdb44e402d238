/** @file For tests: every builder of src/graph/ops.ts with arbitrary small inputs, and what it must give by plain loops. */

import fc from "fast-check";
import * as ops from "../src/graph/ops.js";
import { constant, type Value } from "../src/graph/value.js";
import { type DType, elementCount, int64, type Tensor } from "../src/tensor.js";
import { fill, get, type Index, indices, map, mean, numbers, sum } from "./plain.js";

/** One use of a builder. */
export interface OpCase {
  readonly inputs: readonly Tensor[];
  readonly build: (...values: readonly Value[]) => Value | readonly Value[];
  readonly expected: Tensor | readonly Tensor[];
  /** By input, the axes whose size must be known while describing; the others are also tried with names for sizes. */
  readonly known?: readonly (readonly number[])[];
}

export type Builder = Exclude<keyof typeof ops, "onnxType">;

// --- arbitrary shapes ---

const size = fc.constantFrom(1, 2, 3, 2, 3, 4, 0);
const some = fc.constantFrom(1, 2, 3, 4); // not empty
const seed = fc.nat(1000);
const flag = fc.boolean();
const shapes = (minLength = 0, maxLength = 4) => fc.array(size, { minLength, maxLength });
const filled = fc.array(some, { minLength: 1, maxLength: 4 });
const axesOf = (shape: readonly number[]) => [...shape.keys()];
/** `shape` with another size on one axis. */
const resized = (shape: readonly number[], axis: number, size: number) =>
  shape.map((old, i) => (i === axis ? size : old));
/** `axes` as they may be passed too: counted from the back. */
const passed = (axes: readonly number[], back: boolean, rank: number) => axes.map((axis) => axis - (back ? rank : 0));

const shapeAndAxis = fc.tuple(shapes(1), fc.nat(11), flag).map(([shape, pick, back]) => {
  const axis = pick % shape.length;
  return { shape, axis, passed: axis - (back ? shape.length : 0) };
});

/** `count` shapes that broadcast to one, and that one. */
const broadcastable = (count: number, sizes = size, maxRank = 4) => {
  const way = fc.tuple(fc.nat(maxRank), fc.array(flag, { minLength: maxRank, maxLength: maxRank }));
  return fc
    .tuple(fc.array(sizes, { maxLength: maxRank }), fc.array(way, { minLength: count, maxLength: count }))
    .map(([whole, ways]) => {
      const operands = ways.map(([drop, ones]) => whole.map((size, i) => (ones[i] ? 1 : size)).slice(drop));
      const rank = Math.max(...operands.map((shape) => shape.length));
      const stretched = (axis: number) => operands.map((shape) => shape[axis - rank + shape.length] ?? 1);
      return { operands, result: Array.from({ length: rank }, (_, i) => stretched(i).find((size) => size !== 1) ?? 1) };
    });
};

// --- kinds of rows ---

interface UnaryOptions {
  readonly type?: DType;
  readonly to?: DType;
  readonly from?: (x: number) => number;
}
const unary = (
  build: (x: Value) => Value,
  f: (x: number) => number,
  { type = "float32", to = type, from = (x) => x }: UnaryOptions = {},
): fc.Arbitrary<OpCase> =>
  fc.tuple(shapes(), seed).map(([shape, s]) => {
    const x = map(numbers(type, shape, s), from);
    return { inputs: [x], build: (v) => build(v!), expected: fill(to, shape, (i) => f(get(x, i))) };
  });

const binary = (
  build: (a: Value, b: Value) => Value,
  f: (a: number, b: number) => number,
  types: readonly DType[] = ["float32", "int64"],
  { to, from = (b) => b }: UnaryOptions = {},
): fc.Arbitrary<OpCase> =>
  fc.tuple(broadcastable(2), fc.constantFrom(...types), seed).map(([{ operands, result }, type, s]) => {
    const a = numbers(type, operands[0]!, s);
    const b = map(numbers(type, operands[1]!, s + 99), from);
    return {
      inputs: [a, b],
      build: (...v) => build(v[0]!, v[1]!),
      expected: fill(to ?? type, result, (i) => f(get(a, i), get(b, i))),
    };
  });
const nonzero = (b: number) => (b === 0 ? 3 : b);

const reduction = (
  build: (x: Value, axes: readonly number[]) => Value,
  f: (values: number[]) => number,
): fc.Arbitrary<OpCase> =>
  filled.chain((shape) =>
    fc.tuple(fc.subarray(axesOf(shape), { minLength: 1 }), flag, seed).map(([axes, back, s]) => {
      const x = numbers("float32", shape, s);
      const line = (at: Index) => indices(shape).filter((i) => i.every((n, a) => axes.includes(a) || n === at[a]));
      return {
        inputs: [x],
        build: (v) => build(v!, passed(axes, back, shape.length)),
        expected: fill(
          "float32",
          shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
          (i) => f(line(i).map((j) => get(x, j))),
        ),
      };
    }),
  );

/** A row of the last axis at a time. */
const byRow = (build: (x: Value) => Value, f: (row: number[]) => number[]): fc.Arbitrary<OpCase> =>
  fc.tuple(shapes(0, 3), some, seed).map(([front, width, s]) => {
    const x = numbers("float32", [...front, width], s);
    return {
      inputs: [x],
      build: (v) => build(v!),
      expected: fill("float32", x.shape, (i) => f(rowAt(x, i.slice(0, -1)))[i.at(-1)!]!),
      known: [[front.length]],
    };
  });

const rowAt = (x: Tensor, front: Index) => Array.from({ length: x.shape.at(-1)! }, (_, n) => get(x, [...front, n]));
const several = (shapes: readonly (readonly number[])[], s: number) =>
  shapes.map((shape, i) => numbers("float32", shape, s + 31 * i));
const reshaped = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape });

const factorial = (n: number): number => (n === 0 ? 1 : n * factorial(n - 1));
const erf = (x: number) =>
  (2 / Math.sqrt(Math.PI)) * sum(40, (n) => ((-1) ** n * x ** (2 * n + 1)) / factorial(n) / (2 * n + 1));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Batch sizes of two matrices, and the size n that they share. */
const matrices = fc.oneof(
  fc.tuple(broadcastable(2, some, 2), some).map(([batch, n]) => ({ ...batch, n })),
  fc.tuple(shapes(0, 2), size).map(([batch, n]) => ({ operands: [batch, batch], result: batch, n })),
);

/** How a kernel lies on one axis or two: its taps, what it makes, how it moves. */
const moves = fc.array(
  fc.record({
    taps: some,
    frames: some,
    stride: some,
    dilation: fc.integer({ min: 1, max: 2 }),
    margin: fc.tuple(fc.nat(3), fc.nat(3)),
  }),
  { minLength: 1, maxLength: 2 },
);
const steps = (axes: readonly { taps: number; stride: number; dilation: number }[]) => ({
  kernel: axes.map((axis) => axis.taps),
  strides: axes.map((axis) => axis.stride),
  dilations: axes.map((axis) => axis.dilation),
});

// --- the table ---

export const opCases: Readonly<Record<Builder, fc.Arbitrary<OpCase>>> = {
  add: binary(ops.add, (a, b) => a + b),
  sub: binary(ops.sub, (a, b) => a - b),
  mul: binary(ops.mul, (a, b) => a * b),
  div: binary(ops.div, (a, b) => a / b, ["float32"], { from: nonzero }),
  less: binary(ops.less, (a, b) => Number(a < b), ["float32", "int64"], { to: "bool" }),
  lessOrEqual: binary(ops.lessOrEqual, (a, b) => Number(a <= b), ["float32", "int64"], { to: "bool" }),
  and: binary(ops.and, (a, b) => a & b, ["bool"]),
  neg: unary(ops.neg, (x) => -x),
  abs: unary(ops.abs, Math.abs),
  sign: unary(ops.sign, Math.sign),
  sqrt: unary(ops.sqrt, Math.sqrt, { from: Math.abs }),
  relu: unary(ops.relu, (x) => Math.max(0, x)),
  exp: unary(ops.exp, Math.exp),
  log: unary(ops.log, Math.log, { from: (x) => Math.abs(x) + 0.25 }),
  erf: unary(ops.erf, erf),
  tanh: unary(ops.tanh, Math.tanh),
  sigmoid: unary(ops.sigmoid, sigmoid),
  leakyRelu: unary(
    (x) => ops.leakyRelu(x, 0.3),
    (x) => (x > 0 ? x : 0.3 * x),
  ),
  clip: unary(
    (x) => ops.clip(x, -0.5, 0.25),
    (x) => Math.min(0.25, Math.max(-0.5, x)),
  ),
  detach: unary(ops.detach, (x) => x),
  elu: unary(ops.elu, (x) => (x > 0 ? x : Math.exp(x) - 1)),
  gelu: fc.oneof(
    unary(ops.gelu, (x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
    unary(
      (x) => ops.gelu(x, "tanh"),
      (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ),
  ),
  cast: fc.oneof(
    unary((x) => ops.cast(x, "int64"), Math.trunc, { to: "int64" }),
    unary(
      (x) => ops.cast(x, "float32"),
      (x) => x,
      { type: "int64", to: "float32" },
    ),
    unary(
      (x) => ops.cast(x, "bool"),
      (x) => Number(x !== 0),
      { to: "bool" },
    ),
    unary(
      (x) => ops.cast(x, "bool"),
      (x) => x,
      { type: "bool" },
    ),
  ),
  where: fc.tuple(broadcastable(3), seed).map(([{ operands, result }, s]) => {
    const condition = numbers("bool", operands[0]!, s);
    const [a, b] = several(operands.slice(1), s) as [Tensor, Tensor];
    return {
      inputs: [condition, a, b],
      build: (...v) => ops.where(v[0]!, v[1]!, v[2]!),
      expected: fill("float32", result, (i) => (get(condition, i) ? get(a, i) : get(b, i))),
    };
  }),

  // Where something is empty the runtime does not stretch the batch.
  matmul: fc.tuple(matrices, size, size, seed).map(([{ operands, result, n }, m, p, s]) => {
    const [a, b] = several(
      [
        [...operands[0]!, m, n],
        [...operands[1]!, n, p],
      ],
      s,
    ) as [Tensor, Tensor];
    return {
      inputs: [a, b],
      build: (...v) => ops.matmul(v[0]!, v[1]!),
      expected: fill("float32", [...result, m, p], (i) => {
        const [front, row, column] = [i.slice(0, -2), i.at(-2)!, i.at(-1)!];
        return sum(n, (j) => get(a, [...front, row, j]) * get(b, [...front, j, column]));
      }),
    };
  }),
  gemm: fc.tuple(size, some, some, flag, seed).map(([m, n, p, biased, s]) => {
    const [a, b, bias] = several([[m, n], [p, n], [p]], s) as [Tensor, Tensor, Tensor];
    return {
      inputs: biased ? [a, b, bias] : [a, b],
      build: (...v) => ops.gemm(v[0]!, v[1]!, v[2]),
      expected: fill(
        "float32",
        [m, p],
        ([row, column]) =>
          sum(n, (j) => get(a, [row!, j]) * get(b, [column!, j])) + (biased ? get(bias, [column!]) : 0),
      ),
    };
  }),

  transpose: shapes()
    .chain((shape) =>
      fc.tuple(fc.constant(shape), fc.shuffledSubarray(axesOf(shape), { minLength: shape.length }), seed),
    )
    .map(([shape, perm, s]) => {
      const x = numbers("float32", shape, s);
      return {
        inputs: [x],
        build: (v) => ops.transpose(v!, perm),
        expected: fill(
          "float32",
          perm.map((axis) => shape[axis]!),
          (i) =>
            get(
              x,
              axesOf(shape).map((axis) => i[perm.indexOf(axis)]!),
            ),
        ),
      };
    }),
  // An axis that both shapes share (which may be 0, "keep"), then any two with as many elements (one may be -1).
  reshape: fc.tuple(size, filled, filled, flag, flag, seed).map(([first, shape, other, left, keep, s]) => {
    const x = numbers("float32", [first, ...shape, elementCount(other)], s);
    const to = [first, elementCount(other), ...shape];
    const asked = left && first !== 0 ? resized(to, 1, -1) : to;
    return {
      inputs: [x],
      build: (v) => ops.reshape(v!, resized(asked, 0, keep ? 0 : first)),
      expected: reshaped(x, to),
    };
  }),
  reshapeTo: fc.tuple(filled, seed).map(([shape, s]) => {
    const x = numbers("float32", shape, s);
    const to = [elementCount(shape), 1];
    return {
      inputs: [x, int64([2], to)],
      build: (...v) => ops.reshapeTo(v[0]!, v[1]!, to),
      expected: reshaped(x, to),
      known: [[], [0]],
    };
  }),
  unsqueeze: fc.tuple(shapes(), fc.nat(2), flag, seed).map(([shape, first, back, s]) => {
    const axes = [Math.min(first, shape.length), shape.length + 1];
    const to = [...shape.slice(0, axes[0]), 1, ...shape.slice(axes[0]), 1];
    const x = numbers("float32", shape, s);
    return {
      inputs: [x],
      build: (v) => ops.unsqueeze(v!, passed(axes, back, to.length)),
      expected: reshaped(x, to),
    };
  }),
  squeeze: fc.tuple(shapes(), fc.nat(2), flag, seed).map(([to, first, back, s]) => {
    const axes = [Math.min(first, to.length), to.length + 1];
    const x = numbers("float32", [...to.slice(0, axes[0]), 1, ...to.slice(axes[0]), 1], s);
    return {
      inputs: [x],
      build: (v) => ops.squeeze(v!, passed(axes, back, x.shape.length)),
      expected: reshaped(x, to),
    };
  }),
  concat: fc.tuple(shapeAndAxis, shapes(1, 3), seed).map(([{ shape, axis, passed }, sizes, s]) => {
    const inputs = several(
      sizes.map((size) => resized(shape, axis, size)),
      s,
    );
    const places = inputs.flatMap((x) => Array.from({ length: x.shape[axis]! }, (_, n) => ({ x, n })));
    return {
      inputs,
      build: (...v) => ops.concat(v, passed),
      expected: fill("float32", resized(shape, axis, places.length), (i) => {
        const { x, n } = places[i[axis]!]!;
        return get(x, resized(i, axis, n));
      }),
    };
  }),
  slice: fc
    .tuple(shapeAndAxis, fc.integer({ min: -6, max: 6 }), fc.integer({ min: -6, max: 6 }), flag, seed)
    .map(([{ shape, axis, passed }, start, end, fed, s]) => {
      const x = numbers("float32", shape, s);
      const kept = Array.from({ length: shape[axis]! }, (_, n) => n).slice(start, end);
      return {
        inputs: fed ? [x, int64([1], [start]), int64([1], [end])] : [x],
        build: (...v) => ops.slice(v[0]!, passed, v[1] ?? start, v[2] ?? end),
        expected: fill("float32", resized(shape, axis, kept.length), (i) => get(x, resized(i, axis, kept[i[axis]!]!))),
        known: [[], [0], [0]],
      };
    }),
  reorder: shapeAndAxis
    .chain(({ shape, axis, passed }) => {
      const places = Array.from({ length: shape[axis]! }, (_, n) => n);
      const order = fc.shuffledSubarray(places, { minLength: places.length });
      return fc.tuple(fc.constant({ shape, axis, passed }), order, seed);
    })
    .map(([{ shape, axis, passed }, order, s]) => {
      const x = numbers("float32", shape, s);
      return {
        inputs: [x],
        build: (v) => ops.reorder(v!, passed, order),
        expected: fill("float32", shape, (i) => get(x, resized(i, axis, order[i[axis]!]!))),
      };
    }),
  split: fc.tuple(shapeAndAxis, shapes(1, 3), seed).map(([{ shape, axis, passed }, sizes, s]) => {
    const starts = sizes.map((_, n) => sum(n, (j) => sizes[j]!));
    const x = numbers(
      "float32",
      resized(
        shape,
        axis,
        sum(sizes.length, (i) => sizes[i]!),
      ),
      s,
    );
    return {
      inputs: [x],
      build: (v) => ops.split(v!, passed, sizes),
      expected: sizes.map((size, n) =>
        fill("float32", resized(shape, axis, size), (i) => get(x, resized(i, axis, i[axis]! + starts[n]!))),
      ),
    };
  }),
  gather: fc.tuple(some, shapes(0, 2), shapes(0, 3), seed).map(([count, row, picks, s]) => {
    const table = numbers("float32", [count, ...row], s);
    const at = map(numbers("int64", picks, s), (n) => Math.abs(n) % count);
    return {
      inputs: [table, at],
      build: (...v) => ops.gather(v[0]!, v[1]!),
      expected: fill("float32", [...picks, ...row], (i) =>
        get(table, [get(at, i.slice(0, picks.length)), ...i.slice(picks.length)]),
      ),
    };
  }),
  gatherElements: fc.tuple(shapes(0, 2), some, some, seed).map(([front, width, picks, s]) => {
    const x = numbers("float32", [...front, width], s);
    const at = map(numbers("int64", [...front, picks], s), (n) => Math.abs(n) % width);
    return {
      inputs: [x, at],
      build: (...v) => ops.gatherElements(v[0]!, v[1]!),
      expected: fill("float32", at.shape, (i) => get(x, [...i.slice(0, -1), get(at, i)])),
    };
  }),
  padLast: fc
    .tuple(shapes(0, 3), size, fc.nat(3), fc.nat(3), flag, seed)
    .map(([front, size, left, right, mirrors, s]) => {
      const length = mirrors ? size + 1 + Math.max(left, right) : size;
      const x = numbers("float32", [...front, length], s);
      const inside = (n: number) => (n < 0 ? -n : n < length ? n : 2 * (length - 1) - n);
      return {
        inputs: [x],
        build: (v) => ops.padLast(v!, left, right, mirrors ? "reflect" : "constant"),
        expected: fill("float32", [...front, left + length + right], (i) => {
          const n = i.at(-1)! - left;
          const padding = n < 0 || n >= length;
          return padding && !mirrors ? 0 : get(x, [...i.slice(0, -1), inside(n)]);
        }),
      };
    }),
  padAxis: fc.tuple(shapeAndAxis, size, size, seed).map(([{ shape, axis, passed }, before, after, s]) => {
    const x = numbers("float32", shape, s);
    return {
      inputs: [x],
      build: (v) => ops.padAxis(v!, passed, before, after),
      expected: fill("float32", resized(shape, axis, before + shape[axis]! + after), (i) => {
        const n = i[axis]! - before;
        return n < 0 || n >= shape[axis]! ? 0 : get(x, resized(i, axis, n));
      }),
    };
  }),
  sizeOf: fc.tuple(shapeAndAxis, seed).map(([{ shape, axis, passed }, s]) => ({
    inputs: [numbers("float32", shape, s)],
    build: (v) => ops.sizeOf(v!, passed),
    expected: int64([1], [shape[axis]!]),
  })),
  range: size.map((n) => ({
    inputs: [int64([1], [n])],
    build: (v) => ops.range(v!, n),
    expected: fill("int64", [n], ([i]) => i!),
    known: [[0]],
  })),

  reduceSum: reduction(ops.reduceSum, (values) => sum(values.length, (i) => values[i]!)),
  reduceMean: reduction(ops.reduceMean, mean),
  reduceL2: reduction(ops.reduceL2, (values) => Math.hypot(...values)),
  reduceMax: reduction(ops.reduceMax, (values) => Math.max(...values)),
  softmax: byRow(ops.softmax, (row) => row.map((x) => Math.exp(x) / sum(row.length, (i) => Math.exp(row[i]!)))),
  logSoftmax: byRow(ops.logSoftmax, (row) => row.map((x) => x - Math.log(sum(row.length, (i) => Math.exp(row[i]!))))),
  // Of an empty tensor the runtime keeps the axis.
  argmax: fc.tuple(fc.array(some, { maxLength: 3 }), some, seed).map(([front, width, s]) => {
    const x = map(numbers("float32", [...front, width], s), Math.round); // whole numbers: ties are common
    return {
      inputs: [x],
      build: (v) => ops.argmax(v!),
      expected: fill("int64", front, (i) => rowAt(x, i).indexOf(Math.max(...rowAt(x, i)))),
    };
  }),
  layerNormalization: byRow(
    (x) => {
      const line = (first: number) => constant(fill("float32", [x.shape.at(-1) as number], ([i]) => (i! + first) / 4));
      return ops.layerNormalization(x, line(3), line(5), 1e-3);
    },
    (row) => {
      const variance = mean(row.map((x) => (x - mean(row)) ** 2));
      return row.map((x, i) => (((x - mean(row)) / Math.sqrt(variance + 1e-3)) * (i + 3)) / 4 + (i + 5) / 4);
    },
  ),

  conv: fc.tuple(size, some, some, moves, flag, seed).map(([batch, channels, out, axes, biased, s]) => {
    const { kernel, strides, dilations } = steps(axes);
    const spans = axes.map(({ taps, dilation }) => dilation * (taps - 1));
    const margins = axes.map(({ margin }, i) => margin.map((zeros) => Math.min(zeros, spans[i]!)) as [number, number]);
    const length = axes.map(({ frames }, i) => Math.max(1, spans[i]! + frames - margins[i]![0] - margins[i]![1]));
    const inputs = several([[batch, channels, ...length], [out, channels, ...kernel], [out]], s);
    const [x, w, b] = inputs as [Tensor, Tensor, Tensor];
    return {
      inputs: biased ? inputs : [x, w],
      build: (...v) => ops.conv(v[0]!, v[1]!, v[2], strides, dilations, margins),
      expected: fill(
        "float32",
        [
          batch,
          out,
          ...length.map(
            (size, i) => Math.floor((size + margins[i]![0] + margins[i]![1] - spans[i]! - 1) / strides[i]!) + 1,
          ),
        ],
        ([n, o, ...t]) => {
          const seen = (j: Index) => t.map((step, i) => step * strides[i]! + j[i]! * dilations[i]! - margins[i]![0]);
          const inside = (place: Index) => place.every((at, i) => at >= 0 && at < length[i]!);
          const heard = (c: number) => (j: Index) =>
            inside(seen(j)) ? get(w, [o!, c, ...j]) * get(x, [n!, c, ...seen(j)]) : 0;
          const taps = indices(kernel);
          return (biased ? get(b, [o!]) : 0) + sum(channels, (c) => sum(taps.length, (j) => heard(c)(taps[j]!)));
        },
      ),
      known: [[1], axesOf(w.shape), [0]],
    };
  }),
  convTranspose: fc.tuple(size, some, some, moves, flag, seed).map(([batch, channels, out, axes, biased, s]) => {
    const { kernel, strides, dilations } = steps(axes);
    const frames = axes.map((axis) => axis.frames);
    const inputs = several([[batch, channels, ...frames], [channels, out, ...kernel], [out]], s);
    const [x, w, b] = inputs as [Tensor, Tensor, Tensor];
    const made = fill(
      "float32",
      [batch, out, ...axes.map((axis) => (axis.frames - 1) * axis.stride + axis.dilation * (axis.taps - 1) + 1)],
      ([, o]) => (biased ? get(b, [o!]) : 0),
    );
    for (const [n, c, ...t] of indices(x.shape))
      for (const [, o, ...j] of indices([1, out, ...kernel])) {
        const place = [n!, o!, ...t.map((step, i) => step * strides[i]! + j[i]! * dilations[i]!)];
        const at = made.shape.reduce((flat, size, axis) => flat * size + place[axis]!, 0);
        (made.data as Float32Array)[at]! += get(x, [n!, c!, ...t]) * get(w, [c!, o!, ...j]);
      }
    return {
      inputs: biased ? inputs : [x, w],
      build: (...v) => ops.convTranspose(v[0]!, v[1]!, v[2], strides, dilations),
      expected: made,
      known: [[1], axesOf(w.shape), [0]],
    };
  }),
  lstm: fc.tuple(some, some, some, some, seed).map(([frames, batch, width, depth, s]) => {
    const state = [1, batch, width];
    const weights = [
      [1, 4 * width, depth],
      [1, 4 * width, width],
      [1, 8 * width],
    ];
    const inputs = several([[frames, batch, depth], ...weights, state, state], s);
    const [x, w, r, bias, hidden, cell] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const all: Tensor[] = [];
    let [h, c] = [hidden, cell];
    for (let t = 0; t < frames; t++) {
      const [lastH, lastC] = [h, c];
      const gate = (which: number, b: number, i: number) => {
        const n = which * width + i;
        const heard = sum(depth, (d) => get(w, [0, n, d]) * get(x, [t, b, d]));
        const remembered = sum(width, (d) => get(r, [0, n, d]) * get(lastH, [0, b, d]));
        return heard + remembered + get(bias, [0, n]) + get(bias, [0, 4 * width + n]);
      };
      c = fill("float32", state, ([, b, i]) => {
        const kept = sigmoid(gate(2, b!, i!)) * get(lastC, [0, b!, i!]);
        return kept + sigmoid(gate(0, b!, i!)) * Math.tanh(gate(3, b!, i!));
      });
      const next = c;
      h = fill("float32", state, ([, b, i]) => sigmoid(gate(1, b!, i!)) * Math.tanh(get(next, [0, b!, i!])));
      all.push(h);
    }
    return {
      inputs,
      build: (...v) => {
        const [x, input, recurrent, bias, hidden, cell] = v as [Value, Value, Value, Value, Value, Value];
        const made = ops.lstm(x, { input, recurrent, bias }, { hidden, cell });
        return [made.all, made.state.hidden, made.state.cell];
      },
      expected: [fill("float32", [frames, ...state], ([t, , b, i]) => get(all[t!]!, [0, b!, i!])), h, c],
      known: [[2], [1, 2], [1, 2], [1], [2], [2]],
    };
  }),

  scalar: fc.constantFrom("float32" as const, "int64" as const).map((type) => ({
    inputs: [],
    build: () => ops.scalar(-3, type),
    expected: fill(type, [], () => -3),
  })),
  ints: fc.array(fc.integer()).map((values) => ({
    inputs: [],
    build: () => ops.ints(values),
    expected: int64([values.length], values),
  })),
};
