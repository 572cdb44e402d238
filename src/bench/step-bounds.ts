/** @file What bounds a step of a language model: bytes that it must read, and products that it must compute. */

import { compile, type Declared, declaredWeights } from "../graph/compile.js";
import { linear } from "../graph/layers.js";
import { type Graph, graphOf } from "../graph/onnx.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { LmConfig } from "../lm/config.js";
import { staysWhole } from "../lm/lm.js";
import { lmInputs, transformer } from "../lm/transformer.js";
import type { Runtime } from "../platform/platform.js";
import { codings, type Precision } from "../precision.js";
import { tensor } from "../tensor.js";
import { codedSize } from "../weights/quantise.js";
import type { RandomWeights } from "./random-weights.js";
import { timed } from "./row.js";

/** With guidance. */
const streams = 2;

/** The graph of a step, with its cache in 8 bits: what `LanguageModel` compiles at any precision but fp32. */
export function stepGraph(c: LmConfig): Graph {
  const { logits, caches } = transformer(new Scope().at("decoder"), lmInputs(c, "int8"), c);
  return graphOf({ logits, ...caches });
}

/** What a step reads: all weights but the tables (a few rows of them) and the text's projections (made before). */
export const weightBytes = (c: LmConfig, precision: Precision): number =>
  matricesOf(c).reduce((sum, weight) => {
    const [rows, columns] = weight.shape;
    const coding = codings[precision](weight);
    if (coding === undefined) return sum + (precision === "fp16" && !staysWhole(weight.name) ? 2 : 4) * rows * columns;
    const { packed, scales } = codedSize(rows, columns, coding);
    return sum + packed + scales;
  }, 0);

/** Keys and values of 8 bits, whatever the cache holds them in. */
export const cacheBytes = (c: LmConfig, context: number): number =>
  2 * streams * c.num_hidden_layers * c.hidden_size * context;

/**
 * A step's products by matrices alone, one after the other: what no cache, no norm and no order of operators can save.
 * @returns a function that computes them once: milliseconds
 */
export async function productsMeter(
  runtime: Runtime,
  weights: RandomWeights,
  c: LmConfig,
  precision: Precision,
  threads: number,
): Promise<() => Promise<number>> {
  const p = new Scope("decoder.products");
  // What attends to the text does so for the stream that has one.
  const passing = {
    both: input("both", "float32", [streams, c.hidden_size]),
    text: input("text", "float32", [1, c.hidden_size]),
  };
  for (const { name, shape } of joined(matricesOf(c))) {
    const stream = name.includes("encoder_attn") ? "text" : "both";
    passing[stream] = linear(p.at(name), firstOf(passing[stream], shape[1]), shape[0]);
  }
  const session = await compile(runtime, passing, weights.at(precision), { threads });
  const ones = (rows: number) => {
    const data = Float32Array.from({ length: rows * c.hidden_size }, (_, i) => Math.sin(i));
    return tensor("float32", [rows, c.hidden_size], data);
  };
  const state = await session.open({ both: ones(streams), text: ones(1) }, []);
  return () => timed(() => session.run({}, state));
}

// --- internal ---

interface Matrix extends Declared {
  readonly shape: readonly [rows: number, columns: number];
}

/** What a step multiplies by, in the order in which it does. */
const matricesOf = (c: LmConfig): Matrix[] =>
  declaredWeights(stepGraph(c)).filter((weight): weight is Matrix => weight.multiplies === true);

/** Matrices that read the same stand in one stack: queries, keys and values, and the heads. */
function joined(matrices: readonly Matrix[]): Matrix[] {
  const stacks = new Map<string, Matrix>();
  for (const { name, shape } of matrices) {
    const stack = name.replace(/\.self_attn\.[qkv]_proj\b/, ".self_attn.qkv").replace(/lm_heads\.\d+/, "lm_heads");
    const rows = (stacks.get(stack)?.shape[0] ?? 0) + shape[0];
    stacks.set(stack, { name: stack, shape: [rows, shape[1]] });
  }
  return [...stacks.values()];
}

const firstOf = (x: Value, width: number): Value => (x.shape[1] === width ? x : ops.slice(x, 1, 0, width, width));
