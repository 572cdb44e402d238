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
  type Value,
} from "./value.js";

// --- element by element ---

const binary =
  (op: string, result?: DType) =>
  (a: Value, b: Value): Value =>
    one(op, [a, b], result ?? a.dtype, broadcast(op, a.shape, b.shape));
const unary =
  (op: string) =>
  (x: Value): Value =>
    one(op, [x], x.dtype, x.shape);

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const mod = binary("Mod");
export const less = binary("Less", "bool");
export const lessOrEqual = binary("LessOrEqual", "bool");
export const and = binary("And", "bool");
export const neg = unary("Neg");
export const sqrt = unary("Sqrt");
export const relu = unary("Relu");
export const exp = unary("Exp");
export const log = unary("Log");
export const erf = unary("Erf");
export const tanh = unary("Tanh");
/** x where positive, exp(x) - 1 elsewhere. */
export const elu = unary("Elu");

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
  assert(a.shape.length >= 2 && b.shape.length >= 2, `MatMul wants matrices, got [${a.shape}] and [${b.shape}]`);
  const [m, n] = a.shape.slice(-2) as [Dim, Dim];
  const [n2, p] = b.shape.slice(-2) as [Dim, Dim];
  assert(compatible(n, n2), `MatMul of [${a.shape}] and [${b.shape}]: ${n} is not ${n2}`);
  return one("MatMul", [a, b], a.dtype, [...broadcast("MatMul", a.shape.slice(0, -2), b.shape.slice(0, -2)), m, p]);
}

/** a [M, N] x b^T, b [P, N] (+ bias [P]) -> [M, P]: a matrix stored as PyTorch stores it, used without a copy. */
export function gemm(a: Value, b: Value, bias?: Value): Value {
  const [m, n] = a.shape as [Dim, Dim];
  const [p, n2] = b.shape as [Dim, Dim];
  assert(a.shape.length === 2 && compatible(n, n2), `Gemm of [${a.shape}] and [${b.shape}] transposed`);
  return one("Gemm", [a, b, bias], a.dtype, [m, p], { transB: { int: 1 } });
}

// --- shape and order ---

export function transpose(x: Value, perm: readonly number[]): Value {
  assert(perm.length === x.shape.length, `Transpose of [${x.shape}] by [${perm}]`);
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
    as ?? to.map((size, axis) => (size === 0 ? x.shape[axis]! : size === -1 ? leftOver(x.shape, to) : size));
  return one("Reshape", [x, ints(to)], x.dtype, shape);
}

/** The same numbers under a shape that is computed: `to` is an int64 [rank] value, `as` names its sizes. */
export const reshapeTo = (x: Value, to: Value, as: Shape): Value => one("Reshape", [x, to], x.dtype, as);

export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const inserted = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : rest.shift()!));
  return one("Unsqueeze", [x, ints(axes)], x.dtype, shape);
}

export function squeeze(x: Value, axes: readonly number[]): Value {
  const dropped = new Set(axes.map((axis) => at(x, axis)));
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
  const size = as ?? values.map((value) => value.shape[along]!).reduce(plus);
  return one(
    "Concat",
    values,
    first.dtype,
    first.shape.map((dim, i) => (i === along ? size : dim)),
    { axis: { int: axis } },
  );
}

/** `count` elements of an axis, `step` apart (negative: backwards), from element `start` on. */
export function everyNth(x: Value, axis: number, start: number, step: number, count: number): Value {
  const along = at(x, axis);
  // Backwards past the first element is no index: it would count from the back.
  const end = start + step * count < 0 ? Number.MIN_SAFE_INTEGER : start + step * count;
  return one(
    "Slice",
    [x, ints([start]), ints([end]), ints([along]), ints([step])],
    x.dtype,
    x.shape.map((dim, i) => (i === along ? count : dim)),
  );
}

/** Elements `start` to `end` (exclusive, negative from the back) of an axis. Symbolic bounds are int64 [1] values. */
export function slice(x: Value, axis: number, start: number | Value, end: number | Value, as?: Dim): Value {
  const along = at(x, axis);
  const size = as ?? sliceSize(x.shape[along]!, start, end);
  const bound = (value: number | Value) => (typeof value === "number" ? ints([value]) : value);
  return one(
    "Slice",
    [x, bound(start), bound(end), ints([along])],
    x.dtype,
    x.shape.map((dim, i) => (i === along ? size : dim)),
  );
}

/** Cuts an axis into pieces of the sizes given. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const along = at(x, axis);
  const outputs = sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === along ? size : dim)) }));
  return node("Split", [x, ints(sizes)], outputs, { axis: { int: along } });
}

/** Rows of `table` along axis 0, picked by `indices`. */
export const gather = (table: Value, indices: Value): Value =>
  one("Gather", [table, indices], table.dtype, [...indices.shape, ...table.shape.slice(1)], { axis: { int: 0 } });

/** Pads the last axis by `left` and `right`: with zeros ("constant") or mirrored without the edge ("reflect"). */
export function padLast(x: Value, left: number, right: number, mode: "constant" | "reflect"): Value {
  if (left === 0 && right === 0) return x;
  const rank = x.shape.length;
  const zeros = new Array<number>(rank - 1).fill(0);
  const shape = [...x.shape.slice(0, -1), plus(x.shape[rank - 1]!, left + right)];
  return one("Pad", [x, ints([...zeros, left, ...zeros, right])], x.dtype, shape, { mode });
}

/** Zeros before and after an axis. */
export function padAxis(x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const zeros = x.shape.map(() => 0);
  const at = (amount: number) => zeros.map((zero, i) => (i === axis ? amount : zero));
  const shape = x.shape.map((dim, i) => (i === axis ? plus(dim, before + after) : dim));
  return one("Pad", [x, ints([...at(before), ...at(after)])], x.dtype, shape, { mode: "constant" });
}

/** table [V, ...] with updates[i, ...] added to row indices[i], for every i; several may meet in a row. */
export function scatterAdd(table: Value, indices: Value, updates: Value): Value {
  const index = unsqueeze(indices, [indices.shape.length]);
  return one("ScatterND", [table, index, updates], table.dtype, table.shape, { reduction: "add" });
}

/** Of each row of the last axis, the elements that `indices` names; indices has x's rank. */
export const gatherElements = (x: Value, indices: Value): Value =>
  one("GatherElements", [x, indices], x.dtype, indices.shape, { axis: { int: -1 } });

/** The inverse: x with `updates` in the places of the last axis that `indices` names. */
export const scatterElements = (x: Value, indices: Value, updates: Value): Value =>
  one("ScatterElements", [x, indices, updates], x.dtype, x.shape, { axis: { int: -1 } });

// --- by the shape of another value ---

/** x stretched to the shape of `other`, with which it broadcasts. */
export const expandLike = (x: Value, other: Value): Value => one("Expand", [x, shapeOf(other)], x.dtype, other.shape);

export const zerosLike = (x: Value): Value => expandLike(scalar(0), x);

/** The same numbers in the shape of `other`. */
export const reshapeLike = (x: Value, other: Value): Value => reshapeTo(x, shapeOf(other), other.shape);

/** How many elements x has, as float32. */
export const countOf = (x: Value): Value => cast(one("Size", [x], "int64", []), "float32");

/** x summed down to `shape`, which had been broadcast to x's. */
export function sumTo(x: Value, shape: Shape): Value {
  const extra = x.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const stretched = shape.flatMap((dim, i) => (dim === 1 && x.shape[i + extra] !== 1 ? [i + extra] : []));
  if (extra === 0 && stretched.length === 0) return x;
  const summed = reduceSum(x, [...leading, ...stretched]);
  return extra === 0 ? summed : squeeze(summed, leading);
}

/** int64 [1]: the size of an axis, when the graph runs. */
export const sizeOf = (x: Value, axis: number): Value =>
  one("Shape", [x], "int64", [1], { start: { int: at(x, axis) }, end: { int: at(x, axis) + 1 } });

/** int64 [n]: 0, 1, ... n - 1. `n` is an int64 [1] value; `as` names the size. */
export const range = (n: Value, as: Dim): Value =>
  one("Range", [scalar(0, "int64"), squeeze(n, [0]), scalar(1, "int64")], "int64", [as]);

// --- sums over an axis ---

const reduce = (op: string) => (x: Value, axes: readonly number[]) => {
  const summed = new Set(axes.map((axis) => at(x, axis)));
  return one(
    op,
    [x, ints(axes)],
    x.dtype,
    x.shape.map((dim, axis) => (summed.has(axis) ? 1 : dim)),
  );
};
/** Sums, means and Euclidean norms keep the axes they sum over, with size 1. */
export const reduceSum = reduce("ReduceSum");
export const reduceMean = reduce("ReduceMean");
export const reduceL2 = reduce("ReduceL2");

/** log(softmax(x)) over the last axis, without the loss of taking both. */
export const logSoftmax = (x: Value): Value => one("LogSoftmax", [x], x.dtype, x.shape, { axis: { int: -1 } });

export const softmax = (x: Value): Value => one("Softmax", [x], x.dtype, x.shape, { axis: { int: -1 } });

/** int64: where the largest element of the last axis stands, the first of equals; the axis is dropped. */
export const argmax = (x: Value): Value =>
  one("ArgMax", [x], "int64", x.shape.slice(0, -1), { axis: { int: -1 }, keepdims: { int: 0 } });

/** (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis. */
export const layerNormalization = (x: Value, weight: Value, bias: Value, epsilon: number): Value =>
  one("LayerNormalization", [x, weight, bias], x.dtype, x.shape, { axis: { int: -1 }, epsilon });

// --- signal ---

/** x [B, C, N], weight [O, C, k] -> [B, O, (N - dilation (k-1) - 1) / stride + 1]; no padding. */
export function conv(x: Value, weight: Value, bias: Value | undefined, stride = 1, dilation = 1): Value {
  const [batch, channels, length] = x.shape as [Dim, Dim, Dim];
  const [out, channels2, kernel] = weight.shape as [number, number, number];
  assert(compatible(channels, channels2), `Conv of [${x.shape}] with [${weight.shape}]`);
  const span = dilation * (kernel - 1);
  const frames =
    typeof length === "number" ? Math.floor((length - span - 1) / stride) + 1 : convLength(length, span, stride);
  return one("Conv", [x, weight, bias], x.dtype, [batch, out, frames], { strides: [stride], dilations: [dilation] });
}

/** x [B, C, T], weight [C, O, k] -> [B, O, (T - 1) stride + dilation (k - 1) + 1]; nothing trimmed. */
export function convTranspose(x: Value, weight: Value, bias: Value | undefined, stride: number, dilation = 1): Value {
  const [batch, channels, frames] = x.shape as [Dim, Dim, Dim];
  const [channels2, out, kernel] = weight.shape as [number, number, number];
  assert(compatible(channels, channels2), `ConvTranspose of [${x.shape}] with [${weight.shape}]`);
  const span = dilation * (kernel - 1) + 1;
  const length = typeof frames === "number" ? (frames - 1) * stride + span : `${stride}*(${frames})+${span - stride}`;
  const attributes = { strides: [stride], dilations: [dilation] };
  return one("ConvTranspose", [x, weight, bias], x.dtype, [batch, out, length], attributes);
}

/**
 * One LSTM layer over x [T, B, I] from the state (hidden, cell), each [1, B, H].
 * weights: input [1, 4H, I], recurrent [1, 4H, H], bias [1, 8H], gates in the order input, output, forget, cell.
 * @returns all hidden states [T, 1, B, H], and the state after the last frame
 */
export function lstm(x: Value, weights: { input: Value; recurrent: Value; bias: Value }, state: LstmState) {
  const [frames, batch] = x.shape as [Dim, Dim];
  const width = known(weights.recurrent.shape[2], "an LSTM's width");
  const [all, hidden, cell] = node(
    "LSTM",
    [x, weights.input, weights.recurrent, weights.bias, undefined, state.hidden, state.cell],
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

/** Of a shape that is known, a constant. */
const shapeOf = (x: Value): Value =>
  x.shape.every((dim) => typeof dim === "number")
    ? ints(x.shape as number[])
    : one("Shape", [x], "int64", [x.shape.length]);

function one(
  op: string,
  inputs: readonly (Value | undefined)[],
  dtype: DType,
  shape: Shape,
  attributes?: Readonly<Record<string, Attribute>>,
): Value {
  return node(op, inputs, [{ dtype, shape }], attributes)[0]!;
}

function broadcast(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const dim = broadcastDim(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1);
    assert(dim !== undefined, `${op} of [${a}] and [${b}]: the shapes do not fit`);
    return dim;
  });
}

const compatible = (a: Dim, b: Dim): boolean => a === b || typeof a === "string" || typeof b === "string";

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
  if (typeof start !== "number" || typeof end !== "number") return `slice(${dim})`;
  if (typeof dim === "string")
    return start === 0 && end > 0 ? end : start < 0 && end > -start ? -start : `${dim}[${start}:${end}]`;
  const from = start < 0 ? dim + start : start;
  const to = Math.min(end < 0 ? dim + end : end, dim);
  return to - from;
}

const convLength = (length: string, span: number, stride: number): string =>
  stride === 1 ? `${plus(length, -span)}` : `(${length}-${span + 1})/${stride}+1`;
