/** @file Derivatives of the operators that move along axes: convolution, its transpose, and padding. */

import { HocketError } from "../errors.js";
import { everyNth } from "./backward.js";
import * as ops from "./ops.js";
import { known, type Node, type Value } from "./value.js";

/**
 * y[b, o, t] = sum over c, j of w[o, c, j] x[b, c, s t + d j] + bias[o]; t and j may have several axes.
 * dx is the transposed convolution of dy.
 */
export function convGradient(node: Node, dy: Value): (Value | undefined)[] {
  const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
  const { strides, dilations } = movesOf(node);
  const spread = ops.convTranspose(dy, w, undefined, strides, dilations); // (frames - 1) s + d (k - 1) + 1 long
  const dx = sizesOf(x).reduce((filled, size, i) => ops.padAxis(filled, i + 2, 0, size - sizesOf(spread)[i]!), spread);
  return [dx, kernelGradient(node, dy, x, w), bias && overTime(dy)];
}

/** y[b, o, s t + j] += w[c, o, j] x[b, c, t] + bias[o]: the same with x and y exchanged. */
export function convTransposeGradient(node: Node, dy: Value): (Value | undefined)[] {
  const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
  const { strides, dilations } = movesOf(node);
  return [ops.conv(dy, w, undefined, strides, dilations), kernelGradient(node, x, dy, w), bias && overTime(dy)];
}

/** Zeros that were added are cut off; a mirrored sample's gradient goes back to the sample it mirrors. */
export function padGradient(node: Node, dy: Value): Value {
  const pads = node.inputs[1]!.origin;
  if (pads.kind !== "constant") throw new HocketError("internal", "padding by a computed amount has no gradient rule");
  const rank = dy.shape.length;
  const added = (axis: number) => [Number(pads.tensor.data[axis]), Number(pads.tensor.data[rank + axis])] as const;
  const inside = dy.shape.reduce<Value>((cut, dim, axis) => {
    const [before, after] = added(axis);
    if (before === 0 && after === 0) return cut;
    return ops.slice(cut, axis, before, known(dim, "the length of a padding that learns") - after);
  }, dy);
  if (node.attributes.mode !== "reflect") return inside;
  // The left piece mirrors samples 1 .. left, nearest last; the right piece samples size - 2 .. , nearest first.
  const axis = rank - 1;
  const [left, right] = added(axis);
  const whole = known(dy.shape[axis], "the length of a padding that learns");
  const size = whole - left - right;
  const backwards = (start: number, count: number) => everyNth(dy, axis, start, -1, count);
  const fromLeft = left === 0 ? [] : [ops.padAxis(backwards(left - 1, left), axis, 1, size - 1 - left)];
  const fromRight = right === 0 ? [] : [ops.padAxis(backwards(whole - 1, right), axis, size - 1 - right, 1)];
  return [inside, ...fromLeft, ...fromRight].reduce(ops.add);
}

// --- internal ---

/**
 * Of the kernel between `few` [B, P, ...T] and `many` [B, Q, ...s T]: [P, Q, ...k], for each tap the product of `few` with
 * what the tap saw of `many`. That is a convolution again, in which batch and channels, stride and dilation change places.
 * A kernel that is a constant, as a Fourier transform's, has none: it would be much work for nothing.
 */
function kernelGradient(node: Node, few: Value, many: Value, weight: Value): Value | undefined {
  if (weight.origin.kind === "constant") return undefined;
  const { strides, dilations } = movesOf(node);
  const [, , ...kernel] = weight.shape as [number, number, ...number[]];
  const products = ops.conv(swapped(many), swapped(few), undefined, dilations, strides); // [Q, P, ...k or more]
  return swapped(kernel.reduce((cut, taps, i) => ops.slice(cut, i + 2, 0, taps), products));
}

function movesOf({ attributes }: Node) {
  return { strides: attributes.strides as readonly number[], dilations: attributes.dilations as readonly number[] };
}

/** The sizes after batch and channels. */
const sizesOf = (x: Value): number[] => x.shape.slice(2).map((dim) => known(dim, "the size of what learns by moving"));

/** [A, B, ...] -> [B, A, ...] */
const swapped = (x: Value): Value => ops.transpose(x, [1, 0, ...[...x.shape.keys()].slice(2)]);

/** [B, O, ...T] -> [O] */
function overTime(dy: Value): Value {
  const axes = [...dy.shape.keys()].filter((axis) => axis !== 1);
  return ops.squeeze(ops.reduceSum(dy, axes), axes);
}
