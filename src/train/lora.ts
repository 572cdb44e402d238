/**
 * @file Learning a change of low rank instead of the weights (LoRA; Hu et al., arXiv 2106.09685): a few numbers in place
 * of millions, in a file of their own that any copy of the model can use.
 */

import { HocketError } from "../errors.js";
import * as ops from "../graph/ops.js";
import { known, Scope, type Value } from "../graph/value.js";
import { factorNames } from "../weights/lora.js";
import type { LmGraph } from "./lm-graph.js";

export interface LoraConfig {
  readonly rank: number;
  /** The change is alpha / rank B A: twice the alpha learns twice as fast. */
  readonly alpha: number;
}

/** The weights that are changed: of attention (self and cross) and feed-forward, in every layer of the language model. */
export const isAdapted = (weight: string): boolean =>
  /^decoder\.model\.decoder\.layers\.\d+\.(?:(?:self|encoder)_attn\.(?:[qkv]|out)_proj|fc[12])\.weight$/.test(weight);

/**
 * The graph that `describe` draws, in which every weight W that `isAdapted` names is W + alpha / rank B A. W and all other
 * weights are bound; only the factors learn, under their `factorNames`. `initialWeights` knows where they start.
 */
export function loraGraph(describe: (p: Scope) => LmGraph, { rank, alpha }: LoraConfig): LmGraph {
  const { weights } = describe(new Scope()).scope;
  const factors = new Scope();
  const adapted = [...weights].map(([name, weight]): [string, Value] => {
    if (!isAdapted(name)) return [name, weight];
    const [a, b] = factorNames(name);
    const [out, depth] = weight.shape.map((dim) => known(dim, "a matrix's size")) as [number, number];
    const up = ops.mul(factors.weight(b, [out, rank]), ops.scalar(alpha / rank));
    return [name, ops.add(weight, ops.matmul(up, factors.weight(a, [rank, depth])))];
  });
  if (factors.weights.size === 0)
    throw new HocketError("internal", "there is no weight in this model that an adapter changes");
  const graph = describe(new Scope("", new Map(adapted)));
  const scope = new Scope("", new Map([...weights, ...factors.weights]));
  return { ...graph, learnt: factors.weights, scope };
}
