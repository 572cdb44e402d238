/**
 * @file Matrices of few bits. A weight whose numbers are also at hand in blocks is multiplied in that form (ONNX Runtime's
 * MatMulNBits), so that a product reads a quarter or an eighth of the bytes; every other use of it is as it was. No
 * description knows: the graph is rewritten between being described and being written.
 */

import type { DType } from "../tensor.js";
import type { Graph, StoredNumbers, StoredWeight } from "./onnx.js";
import { concat } from "./ops.js";
import type { Node, Value } from "./value.js";

/**
 * A matrix w [N, K] as whole numbers: w[n, k] is about scales[n, k / size] (q[n, k] - 2^(bits - 1)). A last block that is
 * not full is filled up.
 */
export interface Blocks {
  readonly bits: 4 | 8;
  /** Numbers of a row that share a scale: a power of two from 16. */
  readonly size: number;
  /** uint8 [N, K / size, size bits / 8]; of two numbers in a byte the first has the lower bits. */
  readonly packed: StoredNumbers;
  /** float32 [N, K / size] */
  readonly scales: StoredNumbers;
  /**
   * Whether to compute with inputs as they are. The runtime rounds them to 8 bits otherwise, `size` of them by a scale
   * (127 the largest), which is five times as fast.
   */
  readonly exact?: boolean;
}

/** Weights that are multiplied by, alone or in a stack of such, and nothing else: what is worth having in blocks. */
export function multipliers(graph: Graph): ReadonlySet<Value> {
  const stacks = graph.nodes.filter(({ op, outputs }) => op === "Concat" && stackOf(outputs[0]!) !== undefined);
  const used = new Set<Value | undefined>(graph.outputs.values());
  for (const each of graph.nodes)
    if (!stacks.includes(each))
      for (const [i, value] of each.inputs.entries()) if (each.op !== "Gemm" || i !== 1) used.add(value);
  for (const { inputs, outputs } of stacks)
    if ([outputs[0], ...inputs].some((each) => used.has(each))) for (const each of inputs) used.add(each);
  return new Set([...graph.weights.values()].filter((weight) => weight.shape.length === 2 && !used.has(weight)));
}

/** The same graph, with a product in blocks wherever all of its matrix is `stored` in alike ones. */
export function withBlocks(
  graph: Graph,
  stored: ReadonlyMap<string, StoredWeight>,
): { graph: Graph; stored: ReadonlyMap<string, StoredWeight> } {
  if (![...stored.values()].some(({ blocks }) => blocks !== undefined)) return { graph, stored };
  const weights = new Map(graph.weights);
  const numbers = new Map(stored);
  /** The `part` of a matrix's blocks, which lies in one piece for each of its weights. */
  const joined = (
    parts: readonly Value[],
    part: "packed" | "scales",
    dtype: DType,
    width: readonly number[],
  ): Value => {
    const values = parts.map((weight): Value => {
      const name = `${nameOf(weight)}:${part}`;
      const known = weights.get(name);
      if (known !== undefined) return known;
      const value: Value = { dtype, shape: [weight.shape[0]!, ...width], origin: { kind: "weight", name } };
      weights.set(name, value);
      numbers.set(name, { dtype, data: stored.get(nameOf(weight))!.blocks![part] });
      return value;
    });
    return values.length === 1 ? values[0]! : concat(values, 0);
  };
  const nodes = graph.nodes.flatMap((product): Node[] => {
    const [x, matrix, bias] = product.inputs;
    const parts = product.op === "Gemm" ? stackOf(matrix!) : undefined;
    const blocks = parts?.map((weight) => stored.get(nameOf(weight))?.blocks);
    if (parts === undefined || blocks === undefined) return [product];
    const [first] = blocks;
    if (first === undefined || !blocks.every((each) => isAlike(each, first))) return [product];
    const [rows, columns] = matrix!.shape as [number, number];
    const count = Math.ceil(columns / first.size);
    const packed = joined(parts, "packed", "uint8", [count, (first.size * first.bits) / 8]);
    const scales = joined(parts, "scales", "float32", [count]);
    const attributes = {
      K: { int: columns },
      N: { int: rows },
      bits: { int: first.bits },
      block_size: { int: first.size },
      accuracy_level: { int: first.exact === true ? 0 : 4 },
    };
    const inputs = [x, packed, scales, ...(bias === undefined ? [] : [undefined, undefined, bias])];
    const inBlocks = { op: "MatMulNBits", domain: "com.microsoft", inputs, attributes, outputs: product.outputs };
    return [...[packed, scales].flatMap(({ origin }) => (origin.kind === "node" ? [origin.node] : [])), inBlocks];
  });
  return { graph: pruned({ ...graph, weights, nodes }), stored: numbers };
}

// --- internal ---

/** The weights that are the rows of `matrix`, one below the other. */
function stackOf(matrix: Value): readonly Value[] | undefined {
  const { origin } = matrix;
  if (origin.kind === "weight") return [matrix];
  if (origin.kind !== "node" || origin.node.op !== "Concat") return undefined;
  const { inputs, attributes } = origin.node;
  const isBelow = (attributes.axis as { int: number }).int === 0;
  return isBelow && inputs.every((each) => each!.origin.kind === "weight") ? (inputs as Value[]) : undefined;
}

const nameOf = (weight: Value): string => (weight.origin as { name: string }).name;

const isAlike = (a: Blocks | undefined, b: Blocks): boolean =>
  a?.bits === b.bits && a.size === b.size && a.exact === b.exact;

/** What the outputs need of the graph. */
function pruned(graph: Graph): Graph {
  const needed = new Set<Value | undefined>(graph.outputs.values());
  const nodes = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    const isNeeded = outputs.some((each) => needed.has(each));
    if (isNeeded) for (const each of inputs) needed.add(each);
    return isNeeded;
  });
  const weights = new Map([...graph.weights].filter(([, value]) => needed.has(value)));
  return { ...graph, weights, nodes: nodes.reverse() };
}
