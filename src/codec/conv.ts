/** @file The codec's convolutions: padding, weight norm or group norm, strides up and down. */

import { assert } from "../errors.js";
import * as ops from "../graph/ops.js";
import { spread } from "../graph/spread.js";
import { known, type Scope, times, type Value } from "../graph/value.js";
import type { CodecConfig } from "./config.js";
import { convPadding, type Padding, transposeTrim, zerosBeforeReflect } from "./padding.js";

export interface ConvShape {
  readonly kernel: number;
  readonly stride?: number;
  readonly dilation?: number;
}

/** x [B, C, N] -> [B, width, ceil(N / stride)]. With a stride, N must be known: it decides how the last frame is filled. */
export function conv(p: Scope, x: Value, width: number, shape: ConvShape, c: CodecConfig): Value {
  const { kernel, stride = 1, dilation = 1 } = shape;
  const length = x.shape[2]!;
  assert(stride === 1 || typeof length === "number", "a strided convolution needs a known length");
  // With stride 1 the padding does not depend on the length.
  const padding = convPadding(kernel, stride, dilation, typeof length === "number" ? length : 0, c.use_causal_conv);
  return convPadded(p, pad(x, padding, c), width, shape, c);
}

/** The same for an input that is padded already: x [B, C, N + padding]. */
export function convPadded(p: Scope, x: Value, width: number, shape: ConvShape, c: CodecConfig): Value {
  const { kernel, stride = 1, dilation = 1 } = shape;
  const channels = known(x.shape[1], "channels");
  const weight = convWeight(p.at("conv"), [width, channels, kernel], c);
  return norm(p, ops.conv(x, weight, p.at("conv").weight("bias", [width]), stride, dilation), c);
}

/**
 * `conv` of stride 1 to far fewer channels than x has: channels are mixed sample by sample, once for each tap, and only what
 * that leaves is padded, moved to its place and added up. (From 64 channels to one, it takes half the time.)
 */
export function convToFew(p: Scope, x: Value, width: number, kernel: number, c: CodecConfig): Value {
  if (kernel > manyTaps) return conv(p, x, width, { kernel }, c); // each tap is an operator
  const channels = known(x.shape[1], "channels");
  const length = x.shape[2]!;
  const weight = ops.transpose(convWeight(p.at("conv"), [width, channels, kernel], c), [2, 0, 1]);
  const mixed = ops.conv(x, ops.reshape(weight, [kernel * width, channels, 1]), undefined);
  const padding = convPadding(kernel, 1, 1, typeof length === "number" ? length : 0, c.use_causal_conv);
  const taps = ops.split(pad(mixed, padding, c), 1, new Array<number>(kernel).fill(width)).map((tap, j) => {
    const rest = kernel - 1 - j; // samples that the taps after it are ahead
    return ops.slice(tap, 2, j, rest === 0 ? Number.MAX_SAFE_INTEGER : -rest, length);
  });
  return norm(p, ops.add(taps.reduce(ops.add), ops.unsqueeze(p.at("conv").weight("bias", [width]), [1])), c);
}

const manyTaps = 64;

/** x [B, C, N] padded as the codec pads; for `convPadded`. */
export function pad(x: Value, padding: Padding, c: CodecConfig): Value {
  const { left, right } = padding;
  if (c.pad_mode === "constant") return ops.padLast(x, left, right, "constant");
  const length = x.shape[2]!;
  const zeros = typeof length === "number" ? zerosBeforeReflect(padding, length) : 0;
  if (zeros === 0) return ops.padLast(x, left, right, "reflect");
  const mirrored = ops.padLast(ops.padLast(x, 0, zeros, "constant"), left, right, "reflect");
  return ops.slice(mirrored, 2, 0, -zeros);
}

/** x [B, C, T] -> [B, width, stride T], by a transposed convolution of kernel 2 stride. */
export function convTranspose(p: Scope, x: Value, width: number, stride: number, c: CodecConfig): Value {
  const kernel = 2 * stride;
  const channels = known(x.shape[1], "channels");
  const weight = convWeight(p.at("conv"), [channels, width, kernel], c);
  const bias = p.at("conv").weight("bias", [width]);
  const { left, right } = transposeTrim(kernel, stride, c);
  const without = (...margin: [number, number]) =>
    spread(x, weight, bias, { strides: [stride], dilations: [1], margins: [margin], rest: [0] });
  if (c.norm_type === "weight_norm") return without(left, right);
  const whole = norm(p, without(0, 0), c); // it looks at what is cut off, too
  return ops.slice(whole, 2, left, right === 0 ? Number.MAX_SAFE_INTEGER : -right, times(stride, x.shape[2]!));
}

// --- internal ---

/** w = g v / |v|, the norm over every axis but the first (also for a transposed convolution, whose first axis is its input). */
function convWeight(p: Scope, shape: readonly [number, number, number], c: CodecConfig): Value {
  if (c.norm_type === "time_group_norm") return p.weight("weight", shape);
  const v = p.weight("weight_v", shape);
  const g = p.weight("weight_g", [shape[0], 1, 1]);
  return ops.mul(v, ops.div(g, ops.reduceL2(v, [1, 2])));
}

/** Group norm with one group: over all channels and the whole time. */
function norm(p: Scope, x: Value, c: CodecConfig): Value {
  if (c.norm_type === "weight_norm") return x;
  const channels = known(x.shape[1], "channels");
  const centred = ops.sub(x, ops.reduceMean(x, [1, 2]));
  const deviation = ops.sqrt(ops.add(ops.reduceMean(ops.mul(centred, centred), [1, 2]), ops.scalar(1e-5)));
  const column = (name: string) => ops.unsqueeze(p.at("norm").weight(name, [channels]), [1]);
  return ops.add(ops.mul(ops.div(centred, deviation), column("weight")), column("bias"));
}
