/**
 * @file A graph in half precision: products, attention and what only moves numbers between them take and make float16; all
 * else stays as it is. Halves are read in half the time, and a GPU multiplies them faster. What float16 is too coarse for
 * (norms, sums of many layers, activations, logits) is none of a product's business, and gets float32.
 */

import { multipliers } from "./blocks.js";
import { graphOf } from "./onnx.js";
import { cast } from "./ops.js";
import { type Node, node, type Value } from "./value.js";

export interface Halving {
  /** Inputs that are fed as float16, by their names. */
  inputs(name: string): boolean;
  /** Matrices that stay float32, and products with them, by their names. */
  except(weight: string): boolean;
}

/**
 * The same outputs. What is multiplied by and nothing else is float16, unless excepted; a product with it, and attention to
 * float16 keys, computes in float16. An output has the precision that it is made in.
 */
export function halved(outputs: Readonly<Record<string, Value>>, which: Halving): Record<string, Value> {
  const graph = graphOf(outputs);
  /** Values of the old graph as the new one has them: as they were, and as float16. */
  const [whole, half] = [new Map<Value, Value>(), new Map<Value, Value>()];
  for (const [name, value] of graph.inputs) if (which.inputs(name)) half.set(value, { ...value, dtype: "float16" });
  for (const value of multipliers(graph))
    if (value.origin.kind === "weight" && !which.except(value.origin.name))
      half.set(value, { ...value, dtype: "float16" });
  const made = new Set(half.keys()); // in float16

  const wholeOf = (value: Value): Value =>
    known(whole, value, () => (made.has(value) ? cast(half.get(value)!, value.dtype) : value));
  const halfOf = (value: Value): Value => known(half, value, () => cast(wholeOf(value), "float16"));
  for (const each of graph.nodes) {
    const inHalf = computesInHalf(each, made);
    const inputs = each.inputs.map((value) => value && (inHalf && value.dtype === "float32" ? halfOf : wholeOf)(value));
    const results = each.outputs.map(({ dtype, shape }) => {
      return { dtype: inHalf && dtype === "float32" ? ("float16" as const) : dtype, shape };
    });
    const values = node(each.op, inputs, results, each.attributes, each.domain);
    for (const [i, old] of each.outputs.entries()) {
      (inHalf && old.dtype === "float32" ? half : whole).set(old, values[i]!);
      if (inHalf && old.dtype === "float32") made.add(old);
    }
  }
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, made.has(value) ? half.get(value)! : wholeOf(value)]),
  );
}

// --- internal ---

/** What has its precision from a matrix, keys or values that it is given. */
const multiplying: ReadonlySet<string> = new Set(["Gemm", "GroupQueryAttention", "MultiHeadAttention"]);
/** What computes nothing, and moves float16 where all that it is given is float16. */
const moving: ReadonlySet<string> = new Set([
  ...["Reshape", "Transpose", "Slice", "Split", "Concat", "Squeeze", "Unsqueeze", "Pad", "Identity"],
]);

function computesInHalf({ op, inputs }: Node, made: ReadonlySet<Value>): boolean {
  const numbers = inputs.filter((value) => value?.dtype === "float32") as Value[];
  if (multiplying.has(op)) return numbers.slice(1).some((value) => made.has(value));
  return moving.has(op) && numbers.length > 0 && numbers.every((value) => made.has(value));
}

function known(values: Map<Value, Value>, value: Value, make: () => Value): Value {
  const found = values.get(value) ?? make();
  values.set(value, found);
  return found;
}
