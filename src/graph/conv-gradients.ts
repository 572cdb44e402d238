/** @file Derivatives of the operators that move along time: convolution, its transpose, and padding. */

import { HocketError } from "../errors.js";
import { everyNth, padAxis } from "./backward.js";
import * as ops from "./ops.js";
import { known, type Node, type Value } from "./value.js";

/**
 * y[b, o, t] = sum over c, j of w[o, c, j] x[b, c, s t + d j] + bias[o].
 * dx is the transposed convolution of dy; dw is, for each tap j, the product of dy with what that tap saw of x.
 */
export function convGradient(node: Node, dy: Value): (Value | undefined)[] {
  const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
  const { stride, dilation, kernel } = shapeOf(node, w);
  const length = known(x.shape[2], "the length of a convolution that learns");
  const frames = known(dy.shape[2], "the length of a convolution that learns");
  const spread = ops.convTranspose(dy, w, undefined, stride, dilation); // (frames - 1) s + d (k - 1) + 1 long
  const dx = padAxis(spread, 2, 0, length - ((frames - 1) * stride + dilation * (kernel - 1) + 1));
  const taps = Array.from({ length: kernel }, (_, j) => {
    const seen = everyNth(x, 2, j * dilation, stride, frames); // [B, C, T]
    return pairUp(dy, seen); // [O, C]
  });
  return [
    dx,
    ops.concat(
      taps.map((tap) => ops.unsqueeze(tap, [2])),
      2,
    ),
    bias && overTime(dy),
  ];
}

/** y[b, o, s t + j] += w[c, o, j] x[b, c, t] + bias[o]: the same with x and y exchanged. */
export function convTransposeGradient(node: Node, dy: Value): (Value | undefined)[] {
  const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
  const { stride, dilation, kernel } = shapeOf(node, w);
  const frames = known(x.shape[2], "the length of a convolution that learns");
  const taps = Array.from({ length: kernel }, (_, j) => {
    const made = everyNth(dy, 2, j * dilation, stride, frames); // [B, O, T]
    return pairUp(x, made); // [C, O]
  });
  const dw = ops.concat(
    taps.map((tap) => ops.unsqueeze(tap, [2])),
    2,
  );
  return [ops.conv(dy, w, undefined, stride, dilation), dw, bias && overTime(dy)];
}

/** Zeros that were added are cut off; a mirrored sample's gradient goes back to the sample it mirrors. */
export function padGradient(node: Node, dy: Value): Value {
  const pads = node.inputs[1]!.origin;
  if (pads.kind !== "constant") throw new HocketError("internal", "padding by a computed amount has no gradient rule");
  const rank = dy.shape.length;
  const [left, right] = [Number(pads.tensor.data[rank - 1]), Number(pads.tensor.data[2 * rank - 1])];
  const whole = known(dy.shape[rank - 1], "the length of a padding that learns");
  const size = whole - left - right;
  const inside = ops.slice(dy, rank - 1, left, left + size);
  if (node.attributes.mode !== "reflect") return inside;
  // The left piece mirrors samples 1 .. left, nearest last; the right piece samples size - 2 .. , nearest first.
  const last = rank - 1;
  const fromLeft = left === 0 ? [] : [padAxis(everyNth(dy, last, left - 1, -1, left), last, 1, size - 1 - left)];
  const fromRight = right === 0 ? [] : [padAxis(everyNth(dy, last, whole - 1, -1, right), last, size - 1 - right, 1)];
  return [inside, ...fromLeft, ...fromRight].reduce(ops.add);
}

// --- internal ---

function shapeOf(node: Node, weight: Value) {
  const first = (name: string) => (node.attributes[name] as readonly number[] | undefined)?.[0] ?? 1;
  return { stride: first("strides"), dilation: first("dilations"), kernel: known(weight.shape[2], "a kernel") };
}

/** a [B, P, T], b [B, Q, T] -> [P, Q], the products summed over batch and time. */
const pairUp = (a: Value, b: Value): Value =>
  ops.squeeze(ops.reduceSum(ops.matmul(a, ops.transpose(b, [0, 2, 1])), [0]), [0]);

/** [B, O, T] -> [O] */
const overTime = (dy: Value): Value => ops.squeeze(ops.reduceSum(dy, [0, 2]), [0, 2]);
