/** @file The weights that learning starts from: a truncated normal for every matrix, by what the matrix does (spec §5.3). */

import type { Value } from "../graph/value.js";
import { philox } from "../lm/random.js";
import { elementCount, type Tensor, tensor } from "../tensor.js";

/**
 * Starting numbers for the weights that a description declares, by name. The same seed gives the same numbers for a
 * weight, whatever else is declared.
 */
export function initialWeights(weights: ReadonlyMap<string, Value>, seed: number): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, value]) => {
      const shape = value.shape as readonly number[];
      const rule = rules.find(({ names }) => names.test(name)) ?? matrix;
      return [name, tensor("float32", shape, rule.numbers(shape, normals(seed, name), name))];
    }),
  );
}

// --- internal ---

type Numbers = (shape: readonly number[], normal: () => number, name: string) => Float32Array<ArrayBuffer>;

const drawn = (shape: readonly number[], normal: () => number, deviation: number) =>
  Float32Array.from({ length: elementCount(shape) }, () => deviation * normal());
const constant =
  (value: number): Numbers =>
  (shape) =>
    new Float32Array(elementCount(shape)).fill(value);

/** Each output is a sum over the inputs: 1 / sqrt(inputs) keeps its size. */
const matrix: { names: RegExp; numbers: Numbers } = {
  names: /./,
  numbers: (shape, normal) => drawn(shape, normal, shape[1]! ** -0.5),
};

const rules: readonly { names: RegExp; numbers: Numbers }[] = [
  // An adapter changes nothing at first: one of its factors is zero. The other is as large as PEFT draws it.
  { names: /\.lora_B\.weight$/, numbers: constant(0) },
  { names: /\.lora_A\.weight$/, numbers: (shape, normal) => drawn(shape, normal, (3 * shape[1]!) ** -0.5) },
  { names: /(layer_norm|norm)\d*\.weight$/, numbers: constant(1) },
  { names: /\.bias$/, numbers: constant(0) },
  // T5's own: a table of unit vectors; queries that make up for scores that are not divided by sqrt(d).
  { names: /shared\.weight$/, numbers: (shape, normal) => drawn(shape, normal, 1) },
  { names: /relative_attention_bias\.weight$/, numbers: (shape, normal) => drawn(shape, normal, 0.1) },
  { names: /SelfAttention\.q\.weight$/, numbers: (shape, normal) => drawn(shape, normal, (shape[1]! * 64) ** -0.5) },
  { names: /embed_tokens\.\d+\.weight$/, numbers: (shape, normal) => drawn(shape, normal, shape[1]! ** -0.5) },
  {
    // Deeper layers add less, so that the sum over layers does not grow.
    names: /decoder\.layers\.\d+\./,
    numbers: (shape, normal, name) => {
      const layer = Number(/layers\.(\d+)\./.exec(name)![1]);
      return drawn(shape, normal, (shape[1]! * 2 * (layer + 1)) ** -0.5);
    },
  },
];

/** Normal numbers, none further out than 3, from a stream that belongs to `name`. */
function normals(seed: number, name: string): () => number {
  // FNV-1a: any fixed way from a name to a number would do.
  let key = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) key = Math.imul(key ^ byte, 0x01000193);
  let count = 0;
  return () => {
    for (;;) {
      const [a, b] = philox([count++, 0, 0, 1], [seed ^ key, seed / 2 ** 32]);
      // Box and Muller: a radius and an angle.
      const normal = Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * b) / 2 ** 32);
      if (Math.abs(normal) <= 3) return normal;
    }
  };
}
