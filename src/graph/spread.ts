/**
 * @file The transposed convolution, which spreads every frame over `stride` places, as an ordinary one: that is what runtimes
 * are fast at. Of the places that a frame's taps reach, each sees only every s-th tap; so a kernel with s times the channels
 * and an s-th of the taps makes all of them at once, and they are then dealt out.
 */

import { tensor } from "../tensor.js";
import * as ops from "./ops.js";
import { constant, type Dim, known, plus, times, type Value } from "./value.js";

export interface Spread {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros after the end, */
  readonly rest: readonly number[];
  /** and then what is cut off both ends: on each side no more than the taps reach. */
  readonly margins: ops.Margins;
}

/**
 * y[b, c, s t + d j - before] += w[o, c, j] x[b, o, t], with t and j along any axes; y [B, C, ...sizes] with
 * size = s (T - 1) + d (k - 1) + 1 - before - after + rest.
 * @param x [B, O, ...T]; only of several axes must the sizes be known
 * @param w [O, C, ...k]
 * @param bias [C]
 */
export function spread(
  x: Value,
  w: Value,
  bias: Value | undefined,
  { strides, dilations, margins, rest }: Spread,
): Value {
  const axes = [...strides.keys()];
  const out = known(w.shape[1], "channels");
  const spans = axes.map((i) => dilations[i]! * (known(w.shape[i + 2], "a kernel") - 1));
  const places = strides.reduce((a, b) => a * b, 1);
  const kernel = dealt(w, strides, dilations);
  // Frames of the result are made from `early` frames before x on; each deals out its s places.
  const steps = axes.map((i) => (strides[i] === 1 ? dilations[i]! : 1));
  const taps = axes.map((i) => steps[i]! * (known(kernel.shape[i + 2], "a kernel") - 1));
  const early = axes.map((i) => Math.floor(margins[i]![0] / strides[i]!));
  const cut = axes.map((i) => margins[i]![0] % strides[i]!);
  const grown = axes.map((i) => spans[i]! + 1 - strides[i]! - margins[i]![0] - margins[i]![1] + rest[i]!); // size - s T
  const frames = axes.map((i) => Math.ceil((cut[i]! + grown[i]!) / strides[i]!)); // more than T
  const made = ops.conv(
    x,
    kernel,
    bias && ops.reshape(ops.mul(ops.unsqueeze(bias, [1]), ones(places)), [-1]),
    1,
    steps,
    axes.map((i) => [taps[i]! - early[i]!, frames[i]! + early[i]!]),
  ); // [B, C s, ...T + frames]
  if (places === 1) return made;
  const sizes = axes.map((i): Dim => times(strides[i]!, made.shape[i + 2]!));
  const dealing = axes.filter((i) => strides[i] !== 1); // axes of size 1 would make the transpose slow
  const apart = named(made, [0, out, ...dealing.map((i) => strides[i]!)], made.shape.slice(2));
  const placeOf = (i: number) => (strides[i] === 1 ? [] : [2 + dealing.indexOf(i)]);
  const turned = ops.transpose(apart, [0, 1, ...axes.flatMap((i) => [2 + dealing.length + i, ...placeOf(i)])]);
  return axes.reduce(
    (all, i) => {
      const extra = frames[i]! * strides[i]! - cut[i]! - grown[i]!;
      if (cut[i] === 0 && extra === 0) return all;
      const size = plus(times(strides[i]!, x.shape[i + 2]!), grown[i]!);
      return ops.slice(all, i + 2, cut[i]!, extra === 0 ? Number.MAX_SAFE_INTEGER : -extra, size);
    },
    named(turned, [0, out], sizes),
  );
}

// --- internal ---

/** w [O, C, ...k] -> [C s, O, ...ceil(k / s)]: the taps of each place, last first. A stride of 1 keeps its dilation. */
function dealt(w: Value, strides: readonly number[], dilations: readonly number[]): Value {
  const [channels, out] = w.shape as [number, number];
  const axes = [...strides.keys()];
  const dealing = axes.filter((i) => strides[i] !== 1);
  const counts: number[] = [];
  const rows = ops.transpose(w, [1, ...axes.map((i) => i + 2), 0]); // [C, ...k, O]: taps are moved a row at a time
  const taps = axes.reduce((v, i) => {
    const s = strides[i]!;
    const apart = s === 1 ? v : dilated(v, i + 1, dilations[i]!);
    const taps = known(apart.shape[i + 1], "a kernel");
    const count = Math.ceil(taps / s);
    counts.push(count);
    // Place by place, and of each the last first.
    const order = Array.from({ length: count * s }, (_, n) => (count - 1 - (n % count)) * s + Math.floor(n / count));
    return count * s === 1 ? v : ops.reorder(ops.padAxis(apart, i + 1, 0, count * s - taps), i + 1, order);
  }, rows);
  const placesOf = (i: number) => (strides[i] === 1 ? [] : [strides[i]!]);
  const apart = ops.reshape(taps, [out, ...axes.flatMap((i) => [...placesOf(i), counts[i]!]), channels]);
  const at = (i: number) => 1 + i + dealing.filter((j) => j <= i).length; // where an axis's taps are now, after its places
  const last = apart.shape.length - 1;
  const turned = ops.transpose(apart, [0, ...dealing.map((i) => at(i) - 1), last, ...axes.map(at)]);
  return ops.reshape(turned, [-1, channels, ...counts]);
}

/** Zeros between the taps of an axis: k -> d (k - 1) + 1. */
function dilated(w: Value, axis: number, dilation: number): Value {
  if (dilation === 1) return w;
  const shape = w.shape as readonly number[];
  const apart = ops.padAxis(ops.unsqueeze(w, [axis + 1]), axis + 1, 0, dilation - 1);
  const all = ops.reshape(
    apart,
    shape.map((size, i) => (i === axis ? size * dilation : size)),
  );
  return ops.slice(all, axis, 0, dilation * (shape[axis]! - 1) + 1);
}

const ones = (count: number): Value => constant(tensor("float32", [1, count], new Float32Array(count).fill(1)));

/** x under the shape [B, ...front, ...sizes], of which B and one size may be names. */
function named(x: Value, front: readonly number[], sizes: readonly Dim[]): Value {
  const to = [...front, ...sizes.map((size) => (typeof size === "number" ? size : -1))];
  return ops.reshape(x, to, [x.shape[0]!, ...front.slice(1), ...sizes]);
}
