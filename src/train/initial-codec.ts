/**
 * @file The weights that a codec and its discriminators start from: uniform numbers as large as keeps a signal its size
 * through every layer, and no biases (LeCun and others, "Efficient BackProp", 1998).
 *
 * The reference starts where PyTorch's convolutions do: a third of that variance, and biases as large.
 * Through fourteen layers nothing of the sound is left beside the biases, and in hundreds of steps the codec does not find
 * it again: after 75 steps of preset tiny, uncoded, the decoded sound correlated with the recorded one by 0.00 from there, and
 * by 0.67 from here.
 */

import type { Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import { elementCount, type Tensor, tensor } from "../tensor.js";

/** The same seed gives the same numbers for a weight, whatever else is declared. Codebooks are not among `weights`. */
export function initialCodec(weights: ReadonlyMap<string, Value>, seed: number): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  for (const [name, value] of weights) {
    if (name.endsWith("weight_g")) continue; // below: it follows from weight_v
    const shape = value.shape as readonly number[];
    const drawn = (inputs: number, gain: number) =>
      tensor("float32", shape, uniform(elementCount(shape), gain * inputs ** -0.5, seed, name));
    if (/norm\.weight$/.test(name)) made.set(name, filled(shape, 1));
    else if (name.includes(".lstm."))
      made.set(name, drawn(shape[0]! / 4, 1)); // [4 width, ...], its biases among them
    else if (name.endsWith("bias")) made.set(name, filled(shape, 0));
    else made.set(name, drawn(elementCount(shape.slice(1)), Math.sqrt(3))); // between -a and a, the variance is a^2 / 3
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
