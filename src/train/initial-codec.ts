/**
 * @file The weights that a codec and its discriminators start from: uniform numbers as large as keeps a sum over the
 * inputs its size, which is where PyTorch's convolutions and LSTMs, and so the reference's, start.
 */

import type { Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import { elementCount, type Tensor, tensor } from "../tensor.js";

/** The same seed gives the same numbers for a weight, whatever else is declared. Codebooks are not among `weights`. */
export function initialCodec(weights: ReadonlyMap<string, Value>, seed: number): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  const shapeOf = (name: string) => weights.get(name)?.shape as readonly number[] | undefined;
  for (const [name, value] of weights) {
    if (name.endsWith("weight_g")) continue; // below: it follows from weight_v
    const shape = value.shape as readonly number[];
    if (/norm\.(weight|bias)$/.test(name)) made.set(name, filled(shape, name.endsWith("weight") ? 1 : 0));
    else {
      const kernel = name.endsWith("bias")
        ? (shapeOf(name.replace(/bias$/, "weight_v")) ?? shapeOf(name.replace(/bias$/, "weight")) ?? shape)
        : shape;
      // An LSTM's numbers [4 width, ...], its biases among them, depend on its width alone.
      const inputs = /\.lstm\./.test(name) ? shape[0]! / 4 : elementCount(kernel.slice(1));
      made.set(name, tensor("float32", shape, uniform(elementCount(shape), inputs ** -0.5, seed, name)));
    }
  }
  for (const [name, value] of weights)
    if (name.endsWith("weight_g"))
      made.set(name, norms(made.get(name.replace(/g$/, "v"))!, value.shape as readonly number[]));
  return made;
}

// --- internal ---

const filled = (shape: readonly number[], value: number): Tensor =>
  tensor("float32", shape, new Float32Array(elementCount(shape)).fill(value));

/** |v| of each output's kernel, so that weight norm changes nothing at first. */
function norms({ data, shape }: Tensor, of: readonly number[]): Tensor {
  const each = elementCount(shape.slice(1));
  const values = data as Float32Array;
  return tensor(
    "float32",
    of,
    Float32Array.from({ length: shape[0]! }, (_, i) => Math.hypot(...values.subarray(i * each, (i + 1) * each))),
  );
}

/** Between -most and most, from a stream that belongs to `name`. */
function uniform(count: number, most: number, seed: number, name: string): Float32Array<ArrayBuffer> {
  // FNV-1a: any fixed way from a name to a number would do.
  let key = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) key = Math.imul(key ^ byte, 0x01000193);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 4) {
    const words = philox([i / 4, 0, 0, 2], [seed ^ key, seed / 2 ** 32]);
    for (let j = 0; j < 4 && i + j < count; j++) numbers[i + j] = most * (words[j]! / 2 ** 31 - 1);
  }
  return numbers;
}
