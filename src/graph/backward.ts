/** @file Builders that only derivatives need: numbers sent back to where they were read from, and shapes undone. */

import { assert } from "../errors.js";
import { type DType, elementCount } from "../tensor.js";
import { add, cast, ints, reduceSum, reshapeTo, scalar, squeeze, unsqueeze } from "./ops.js";
import { type Attribute, node, type Shape, type Value } from "./value.js";

/** table [V, ...] with updates[i, ...] added to row indices[i], for every i; several may meet in a row. */
export const scatterAdd = (table: Value, indices: Value, updates: Value): Value =>
  one("ScatterND", [table, unsqueeze(indices, [indices.shape.length]), updates], table.shape, { reduction: "add" });

/** Zeros in the shape of x, but `updates` in the places of the last axis that `indices` names: what undoes gatherElements. */
export const scattered = (x: Value, indices: Value, updates: Value): Value =>
  one(scatteredOp, [zerosLike(x), indices, updates], x.shape, { axis: { int: x.shape.length - 1 } });

/** a + b. Numbers scattered among zeros are added in their places, and the zeros are never written. */
export function plus(a: Value, b: Value): Value {
  if (b.origin.kind !== "node" || b.origin.node.op !== scatteredOp) return add(a, b);
  const [, indices, updates] = b.origin.node.inputs as [Value, Value, Value];
  return one("ScatterElements", [a, indices, updates], a.shape, { ...b.origin.node.attributes, reduction: "add" });
}

/** The sum over the last axis, which stays with size 1; of scattered numbers, theirs. */
export function sumOfRows(x: Value): Value {
  const { origin } = x;
  return reduceSum(origin.kind === "node" && origin.node.op === scatteredOp ? origin.node.inputs[2]! : x, [-1]);
}

/** x as `rest` times one number, `factor`, if it was made so. */
export function factored(x: Value): { readonly rest: Value; readonly factor?: Value } {
  if (x.origin.kind !== "node" || x.origin.node.op !== "Mul") return { rest: x };
  const [rest, factor] = x.origin.node.inputs as [Value, Value];
  return factor.shape.length === 0 ? { rest, factor } : { rest: x };
}

// --- by the shape of another value ---

/** x stretched to the shape of `other`, with which it broadcasts. */
export const expandLike = (x: Value, other: Value): Value => one("Expand", [x, shapeOf(other)], other.shape);

export const zerosLike = (x: Value): Value => expandLike(scalar(0), x);

/** The same numbers in the shape of `other`. */
export const reshapeLike = (x: Value, other: Value): Value => reshapeTo(x, shapeOf(other), other.shape);

/** How many elements x has, as float32. */
export const countOf = (x: Value): Value =>
  x.shape.every((dim) => typeof dim === "number")
    ? scalar(elementCount(x.shape as number[])) // a GPU would hand all of x to the processor to have it counted
    : cast(one("Size", [x], [], {}, "int64"), "float32");

/** x summed down to `shape`, which had been broadcast to x's. */
export function sumTo(x: Value, shape: Shape): Value {
  const extra = x.shape.length - shape.length;
  assert(extra >= 0, `[${x.shape}] is no broadcast of [${shape}]`);
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const stretched = shape.flatMap((dim, i) => (dim === 1 && x.shape[i + extra] !== 1 ? [i + extra] : []));
  if (extra === 0 && stretched.length === 0) return x;
  const summed = reduceSum(x, [...leading, ...stretched]);
  return extra === 0 ? summed : squeeze(summed, leading);
}

// --- internal ---

/** ScatterElements of zeros, under a name by which it is known. */
const scatteredOp = "Scattered";

/** Of a shape that is known, a constant. */
const shapeOf = (x: Value): Value =>
  x.shape.every((dim) => typeof dim === "number")
    ? ints(x.shape as number[])
    : one("Shape", [x], [x.shape.length], {}, "int64");

const one = (
  op: string,
  inputs: readonly Value[],
  shape: Shape,
  attributes: Readonly<Record<string, Attribute>> = {},
  dtype: DType = inputs[0]!.dtype,
): Value => node(op, inputs, [{ dtype, shape }], attributes)[0]!;
