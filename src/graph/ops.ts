/**
 * @file One builder an ONNX operator, with its shape rule. Names are ONNX's; axes may be negative. A shape that cannot
 * be is a programmer's error and is found here, while describing, with both shapes in the message.
 * Source: the ONNX operator specification, opset 20.
 */

import { assert } from "../errors.js";
import { type DType, int64, tensor } from "../tensor.js";
import {
  type Attribute,
  broadcastDim,
  constant,
  type Dim,
  known,
  node,
  plus,
  type Shape,
  times,
  type Value,
} from "./value.js";

// --- element by element ---

const binary =
  (op: string, result?: DType) =>
  (a: Value, b: Value): Value => {
    assert(a.dtype === b.dtype, `${op} of ${a.dtype} [${a.shape}] and ${b.dtype} [${b.shape}]: the types differ`);
    return one(op, [a, b], result ?? a.dtype, broadcast(op, a.shape, b.shape));
  };
const unary =
  (op: string) =>
  (x: Value): Value =>
    one(op, [x], x.dtype, x.shape);

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const less = binary("Less", "bool");
export const lessOrEqual = binary("LessOrEqual", "bool");
export const and = binary("And", "bool");
export const neg = unary("Neg");
export const abs = unary("Abs");
/** 1 where positive, -1 where negative, 0 at 0. */
export const sign = unary("Sign");
export const sqrt = unary("Sqrt");
export const relu = unary("Relu");
export const exp = unary("Exp");
export const log = unary("Log");
export const erf = unary("Erf");
export const tanh = unary("Tanh");
export const sigmoid = unary("Sigmoid");
/** x where positive, exp(x) - 1 elsewhere. */
export const elu = unary("Elu");

/** x where positive, slope * x elsewhere. */
export const leakyRelu = (x: Value, slope: number): Value => one("LeakyRelu", [x], x.dtype, x.shape, { alpha: slope });

/** x, but no less than `low` and no more than `high`. */
export const clip = (x: Value, low: number, high: number): Value =>
  one("Clip", [x, scalar(low), scalar(high)], x.dtype, x.shape);

/** x, through which nothing learns. */
export const detach = unary("StopGradient");

/** x * P(X <= x) for a normal X: by the error function ("none"), or by its tanh approximation. */
export const gelu = (x: Value, approximate: "none" | "tanh" = "none"): Value =>
  one("Gelu", [x], x.dtype, x.shape, { approximate });

export const cast = (x: Value, dtype: DType): Value =>
  x.dtype === dtype ? x : one("Cast", [x], dtype, x.shape, { to: { int: onnxType[dtype] } });

export const where = (condition: Value, a: Value, b: Value): Value =>
  one("Where", [condition, a, b], a.dtype, broadcast("Where", condition.shape, broadcast("Where", a.shape, b.shape)));

// --- products ---

/** [..., M, N] x [..., N, P] -> [..., M, P]. */
export function matmul(a: Value, b: Value): Value {
  const [m, n] = a.shape.slice(-2) as [Dim, Dim];
  const [n2, p] = b.shape.slice(-2) as [Dim, Dim];
  fit(a.shape.length >= 2 && b.shape.length >= 2 && same(n, n2), "MatMul", a, b);
  return one("MatMul", [a, b], a.dtype, [...broadcast("MatMul", a.shape, b.shape, 2), m, p]);
}

/** a [M, N] x b^T, b [P, N] (+ bias [P]) -> [M, P]: a matrix stored as PyTorch stores it, used without a copy. */
export function gemm(a: Value, b: Value, bias?: Value): Value {
  const [m, n] = a.shape as [Dim, Dim];
  const [p] = b.shape as [Dim];
  fit(like(a, [m, n]) && like(b, [p, n]) && like(bias, [p]), "Gemm", a, b, bias);
  return one("Gemm", [a, b, bias], a.dtype, [m, p], { transB: { int: 1 } });
}

// --- shape and order ---

export function transpose(x: Value, perm: readonly number[]): Value {
  const isOrder = [...perm].sort((a, b) => a - b).join() === [...x.shape.keys()].join();
  assert(isOrder, `Transpose of [${x.shape}] by [${perm}]: that is no order of its axes`);
  return one(
    "Transpose",
    [x],
    x.dtype,
    perm.map((axis) => x.shape[axis]!),
    { perm },
  );
}

/**
 * The same numbers under another shape. ONNX's rules: 0 keeps the size of that axis, -1 is whatever is left.
 * `as` names the resulting sizes where they follow from names.
 */
export function reshape(x: Value, to: readonly number[], as?: Shape): Value {
  const shape =
    as ?? to.map((size, axis) => (size === 0 ? (x.shape[axis] ?? 0) : size === -1 ? leftOver(x.shape, to) : size));
  return reshapeTo(x, ints(to), shape);
}

/** The same numbers under a shape that is computed: `to` is an int64 [rank] value, `as` names its sizes. */
export function reshapeTo(x: Value, to: Value, as: Shape): Value {
  const [from, into] = [x.shape, as].map((shape) => shape.reduce(times, 1));
  assert(same(from!, into!), `[${x.shape}] cannot be reshaped to [${as}]`);
  return one("Reshape", [x, to], x.dtype, as);
}

export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const inserted = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const possible = inserted.size === axes.length && [...inserted].every((axis) => axis >= 0 && axis < rank);
  assert(possible, `Unsqueeze of [${x.shape}] at [${axes}]`);
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : rest.shift()!));
  return one("Unsqueeze", [x, ints(axes)], x.dtype, shape);
}

export function squeeze(x: Value, axes: readonly number[]): Value {
  const dropped = new Set(axes.map((axis) => at(x, axis)));
  const possible = [...dropped].every((axis) => same(x.shape[axis]!, 1));
  assert(possible, `Squeeze of [${x.shape}] at [${axes}]: a size is not 1`);
  return one(
    "Squeeze",
    [x, ints(axes)],
    x.dtype,
    x.shape.filter((_, axis) => !dropped.has(axis)),
  );
}

export function concat(values: readonly Value[], axis: number, as?: Dim): Value {
  const first = values[0]!;
  const along = at(first, axis);
  for (const value of values)
    fit(like(value, replaced(first.shape, along, value.shape[along]!)), "Concat", first, value);
  const size = as ?? values.map((value) => value.shape[along]!).reduce(plus);
  return one("Concat", values, first.dtype, replaced(first.shape, along, size), { axis: { int: axis } });
}

/** Elements `start` to `end` (exclusive, negative from the back) of an axis. Symbolic bounds are int64 [1] values. */
export function slice(x: Value, axis: number, start: number | Value, end: number | Value, as?: Dim): Value {
  const along = at(x, axis);
  const size = as ?? sliceSize(x.shape[along]!, start, end);
  const bound = (value: number | Value) => (typeof value === "number" ? ints([value]) : value);
  return one("Slice", [x, bound(start), bound(end), ints([along])], x.dtype, replaced(x.shape, along, size));
}

/** The elements of an axis in another order: each of them once. */
export function reorder(x: Value, axis: number, order: readonly number[]): Value {
  const along = at(x, axis);
  const isOrder = same(x.shape[along]!, order.length) && [...order].sort((a, b) => a - b).every((n, i) => n === i);
  assert(isOrder, `[${x.shape}] cannot be reordered by [${order}] at axis ${axis}`);
  return one("Reorder", [x, ints(order)], x.dtype, x.shape, { axis: { int: along } });
}

/** Cuts an axis into pieces of the sizes given. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const along = at(x, axis);
  const whole = sizes.reduce((a, b) => a + b, 0);
  assert(same(x.shape[along]!, whole), `Split of [${x.shape}] at axis ${axis} into [${sizes}]: that makes ${whole}`);
  const outputs = sizes.map((size) => ({ dtype: x.dtype, shape: replaced(x.shape, along, size) }));
  return node("Split", [x, ints(sizes)], outputs, { axis: { int: along } });
}

/** Rows of `table` along axis 0, picked by `indices`. */
export const gather = (table: Value, indices: Value): Value =>
  one("Gather", [table, indices], table.dtype, [...indices.shape, ...table.shape.slice(1)], { axis: { int: 0 } });

/** Pads the last axis by `left` and `right`: with zeros ("constant") or mirrored without the edge ("reflect"). */
export function padLast(x: Value, left: number, right: number, mode: "constant" | "reflect"): Value {
  if (left === 0 && right === 0) return x;
  const last = at(x, -1);
  const length = x.shape[last]!;
  const possible = mode === "constant" || typeof length === "string" || length > Math.max(left, right);
  assert(possible, `Pad of [${x.shape}] by ${left} and ${right}: too short to be mirrored`);
  const zeros = new Array<number>(last).fill(0);
  const shape = replaced(x.shape, last, plus(length, left + right));
  return one("Pad", [x, ints([...zeros, left, ...zeros, right])], x.dtype, shape, { mode });
}

/** Zeros before and after an axis. */
export function padAxis(x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const along = at(x, axis);
  const amounts = [before, after].flatMap((amount) => x.shape.map((_, i) => (i === along ? amount : 0)));
  const shape = replaced(x.shape, along, plus(x.shape[along]!, before + after));
  return one("Pad", [x, ints(amounts)], x.dtype, shape, { mode: "constant" });
}

/** Of each row of the last axis, the elements that `indices` names; indices has x's rank. */
export function gatherElements(x: Value, indices: Value): Value {
  const front = (shape: Shape) => shape.slice(0, -1);
  fit(
    front(x.shape).length === front(indices.shape).length && like(indices, [...front(x.shape), indices.shape.at(-1)!]),
    "GatherElements",
    x,
    indices,
  );
  return one("GatherElements", [x, indices], x.dtype, indices.shape, { axis: { int: at(x, -1) } });
}

/** int64 [1]: the size of an axis, when the graph runs. */
export const sizeOf = (x: Value, axis: number): Value =>
  one("Shape", [x], "int64", [1], { start: { int: at(x, axis) }, end: { int: at(x, axis) + 1 } });

/** int64 [n]: 0, 1, ... n - 1. `n` is an int64 [1] value; `as` names the size. */
export const range = (n: Value, as: Dim): Value =>
  one("Range", [scalar(0, "int64"), squeeze(n, [0]), scalar(1, "int64")], "int64", [as]);

// --- sums over an axis ---

const reduce = (op: string) => (x: Value, axes: readonly number[]) => {
  assert(axes.length > 0, `${op} of [${x.shape}] over no axis: to ONNX that means all`);
  const summed = new Set(axes.map((axis) => at(x, axis)));
  return one(
    op,
    [x, ints(axes)],
    x.dtype,
    x.shape.map((dim, axis) => (summed.has(axis) ? 1 : dim)),
  );
};
/** Sums, means, Euclidean norms and largest elements keep the axes that they are taken over, with size 1. */
export const reduceSum = reduce("ReduceSum");
export const reduceMean = reduce("ReduceMean");
export const reduceL2 = reduce("ReduceL2");
export const reduceMax = reduce("ReduceMax");

export const softmax = (x: Value): Value => one("Softmax", [x], x.dtype, x.shape, { axis: { int: at(x, -1) } });

/** log(softmax(x)) over the last axis, without the loss of taking both. */
export const logSoftmax = (x: Value): Value => one("LogSoftmax", [x], x.dtype, x.shape, { axis: { int: at(x, -1) } });

/** int64: where the largest element of the last axis stands, the first of equals; the axis is dropped. */
export const argmax = (x: Value): Value =>
  one("ArgMax", [x], "int64", x.shape.slice(0, -1), { axis: { int: at(x, -1) }, keepdims: { int: 0 } });

/**
 * (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis. Its node also makes the mean and
 * 1 / sqrt(variance + epsilon), [..., 1], for the gradient.
 */
export function layerNormalization(x: Value, weight: Value, bias: Value, epsilon: number): Value {
  const width = [x.shape[at(x, -1)]!];
  fit(like(weight, width) && like(bias, width), "LayerNormalization", x, weight, bias);
  const row = { dtype: x.dtype, shape: replaced(x.shape, at(x, -1), 1) };
  const made = [{ dtype: x.dtype, shape: x.shape }, row, row];
  return node("LayerNormalization", [x, weight, bias], made, { axis: { int: -1 }, epsilon })[0]!;
}

// --- signal ---

/** How far a kernel moves, or how far apart its taps are: the same on every axis, or a number for each. */
export type Steps = number | readonly number[];

/** Zeros before and after each axis of what a kernel moves over. */
export type Margins = readonly (readonly [before: number, after: number])[];

/** x [B, C, ...N], weight [O, C, ...k] -> [B, O, ...(N + margins - dilation (k-1) - 1) / stride + 1]. */
export function conv(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  stride: Steps = 1,
  dilation: Steps = 1,
  margins: Margins = weight.shape.slice(2).map(() => [0, 0]),
): Value {
  const [batch, channels, ...sizes] = x.shape as [Dim, Dim, ...Dim[]];
  const [out, , ...kernel] = weight.shape as [number, number, ...number[]];
  const { strides, dilations, spans } = moves(kernel, stride, dilation);
  const padded = kernel.map((_, i) => plus(sizes[i]!, margins[i]![0] + margins[i]![1]));
  const possible = like(x, [batch, channels, ...kernel.map((_, i) => sizes[i]!)]) && like(bias, [out]);
  const long =
    margins.flat().every((zeros) => zeros >= 0) &&
    padded.every((size, i) => typeof size === "string" || size > spans[i]!);
  fit(possible && like(weight, [out, channels, ...kernel]) && long, "Conv", x, weight, bias);
  const frames = padded.map((size, i) => convLength(size, spans[i]!, strides[i]!));
  const pads = [0, 1].flatMap((side) => margins.map((margin) => margin[side]!));
  return one("Conv", [x, weight, bias], x.dtype, [batch, out, ...frames], { strides, dilations, pads });
}

/** x [B, C, ...T], weight [C, O, ...k] -> [B, O, ...(T - 1) stride + dilation (k - 1) + 1]; nothing trimmed. */
export function convTranspose(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  stride: Steps,
  dilation: Steps = 1,
): Value {
  const [batch, channels, ...sizes] = x.shape as [Dim, Dim, ...Dim[]];
  const [, out, ...kernel] = weight.shape as [number, number, ...number[]];
  const { strides, dilations, spans } = moves(kernel, stride, dilation);
  const possible = like(x, [batch, channels, ...kernel.map((_, i) => sizes[i]!)]) && like(bias, [out]);
  fit(possible && like(weight, [channels, out, ...kernel]), "ConvTranspose", x, weight, bias);
  const length = sizes.map((frames, i) => transposedLength(frames, spans[i]! + 1, strides[i]!));
  return one("ConvTranspose", [x, weight, bias], x.dtype, [batch, out, ...length], { strides, dilations });
}

/**
 * One LSTM layer over x [T, B, I] from the state (hidden, cell), each [1, B, H].
 * weights: input [1, 4H, I], recurrent [1, 4H, H], bias [1, 8H], gates in the order input, output, forget, cell.
 * @returns all hidden states [T, 1, B, H], and the state after the last frame
 */
export function lstm(x: Value, weights: { input: Value; recurrent: Value; bias: Value }, state: LstmState) {
  const [frames, batch, depth] = x.shape as [Dim, Dim, Dim];
  const { input, recurrent, bias } = weights;
  const width = known(recurrent.shape[2], "an LSTM's width");
  const weighs =
    like(input, [1, 4 * width, depth]) && like(recurrent, [1, 4 * width, width]) && like(bias, [1, 8 * width]);
  const remembers = like(state.hidden, [1, batch, width]) && like(state.cell, [1, batch, width]);
  fit(weighs && remembers && x.shape.length === 3, "LSTM", x, input, recurrent, bias, state.hidden, state.cell);
  const [all, hidden, cell] = node(
    "LSTM",
    [x, input, recurrent, bias, undefined, state.hidden, state.cell],
    [
      { dtype: x.dtype, shape: [frames, 1, batch, width] },
      { dtype: x.dtype, shape: [1, batch, width] },
      { dtype: x.dtype, shape: [1, batch, width] },
    ],
    { hidden_size: { int: width } },
  ) as [Value, Value, Value];
  return { all, state: { hidden, cell } };
}
export interface LstmState {
  readonly hidden: Value;
  readonly cell: Value;
}

// --- constants ---

export const scalar = (value: number, dtype: "float32" | "int64" = "float32"): Value =>
  constant(dtype === "int64" ? int64([], [value]) : tensor("float32", [], Float32Array.of(value)));
export const ints = (values: readonly number[]): Value => constant(int64([values.length], values));

/** TensorProto.DataType of the ONNX file format. */
export const onnxType: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

// --- internal ---

function one(
  op: string,
  inputs: readonly (Value | undefined)[],
  dtype: DType,
  shape: Shape,
  attributes?: Readonly<Record<string, Attribute>>,
): Value {
  return node(op, inputs, [{ dtype, shape }], attributes)[0]!;
}

/** The shape that both are stretched over, without the last `apart` axes. */
function broadcast(op: string, a: Shape, b: Shape, apart = 0): Shape {
  const front = a.slice(0, a.length - apart);
  const front2 = b.slice(0, b.length - apart);
  const rank = Math.max(front.length, front2.length);
  return Array.from({ length: rank }, (_, i) => {
    const dim = broadcastDim(front[i - rank + front.length] ?? 1, front2[i - rank + front2.length] ?? 1);
    assert(dim !== undefined, `${op} of [${a}] and [${b}]: the shapes do not fit`);
    return dim;
  });
}

/** Can these be the same size? A name may turn out to be any. */
const same = (a: Dim, b: Dim): boolean => a === b || typeof a === "string" || typeof b === "string";

/** Can `x` have that shape? (An input that is left out can.) */
const like = (x: Value | undefined, shape: Shape): boolean =>
  x === undefined || (x.shape.length === shape.length && shape.every((dim, axis) => same(dim, x.shape[axis]!)));

function fit(condition: boolean, op: string, ...operands: readonly (Value | undefined)[]): void {
  const shapes = operands.flatMap((x) => (x === undefined ? [] : [`[${x.shape}]`]));
  assert(condition, `${op} of ${shapes.join(" and ")}: the shapes do not fit`);
}

const replaced = (shape: Shape, axis: number, dim: Dim): Shape => shape.map((old, i) => (i === axis ? dim : old));

function at(x: Value, axis: number): number {
  const index = axis < 0 ? axis + x.shape.length : axis;
  assert(index >= 0 && index < x.shape.length, `[${x.shape}] has no axis ${axis}`);
  return index;
}

function leftOver(from: Shape, to: readonly number[]): Dim {
  const kept = to.map((size, axis) => (size === 0 ? from[axis]! : size)).filter((size) => size !== -1);
  const all = [...from, ...kept];
  if (all.some((dim) => typeof dim === "string")) return `[${from}]/[${kept}]`;
  const rest = (from as number[]).reduce((a, b) => a * b, 1) / (kept as number[]).reduce((a, b) => a * b, 1);
  assert(Number.isInteger(rest), `[${from}] cannot be reshaped to [${to}]`);
  return rest;
}

function sliceSize(dim: Dim, start: number | Value, end: number | Value): Dim {
  if (typeof dim !== "number" || typeof start !== "number" || typeof end !== "number")
    return `${dim}[${[start, end].map((bound) => (typeof bound === "number" ? bound : "?")).join(":")}]`;
  const place = (bound: number) => Math.min(dim, Math.max(0, bound < 0 ? dim + bound : bound));
  return Math.max(0, place(end) - place(start));
}

/** A kernel's strides and dilations on each axis, and how far apart its first and last taps are. */
function moves(kernel: readonly number[], stride: Steps, dilation: Steps) {
  const perAxis = (steps: Steps) => (typeof steps === "number" ? kernel.map(() => steps) : steps);
  const [strides, dilations] = [perAxis(stride), perAxis(dilation)];
  return { strides, dilations, spans: kernel.map((taps, i) => dilations[i]! * (taps - 1)) };
}

function convLength(length: Dim, span: number, stride: number): Dim {
  if (typeof length === "number") return Math.floor((length - span - 1) / stride) + 1;
  return stride === 1 ? plus(length, -span) : `(${length}-${span + 1})/${stride}+1`;
}

const transposedLength = (frames: Dim, span: number, stride: number): Dim =>
  typeof frames === "number" ? (frames - 1) * stride + span : `${stride}*(${frames})+${span - stride}`;
