/**
 * @file The language model: columns of codes so far, and a condition, to logits for the next column (spec §5.2). One
 * description serves the first pass over many columns and every later step over one: what came before is a cache of keys
 * and values, an input that this graph only reads, and the new rows are outputs.
 */

import { assert } from "../errors.js";
import { groupQueryAttention, type KeyValueCache, multiHeadAttention } from "../graph/attention.js";
import {
  attend,
  attendBehind,
  embedding,
  flatten,
  joinHeads,
  layerNorm,
  linear,
  linears,
  type Rows,
  rowsOf,
  splitHeads,
  unflatten,
} from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { block } from "../graph/recompute.js";
import { input, known, type Scope, type Shape, times, type Value } from "../graph/value.js";
import type { LmConfig } from "./config.js";

const headWidth = (c: LmConfig): number => c.hidden_size / c.num_attention_heads;

/** Of a head's keys and values in the cache: the runtime's attention wants multiples of 8, so zeros follow. */
export const cachedWidth = (c: LmConfig): number => Math.ceil(headWidth(c) / 8) * 8;

/** What the graph reads. R rows (streams) of S columns, of which C are cached; the first Q rows have text. */
export interface LmInputs {
  /** Code ids, the special token where a codebook has none; [R, K, S]. */
  readonly columns: Value;
  /** Sinusoids of the positions (`positionRows`), [1 or R, S, width]. Melody models count from each row's own start. */
  readonly positions: Value;
  /** What every layer has read so far, and where the last column of this pass stands. Without: the columns are all there is. */
  readonly cache?: { readonly last: Value; readonly count: Value; readonly layers: readonly KeyValueCache[] };
  /** Every layer's keys and values of the text, [Q, H, L, d]; `mask` [Q, 1, 1, L] is added to the scores of its tokens. */
  readonly text?: { readonly keys: readonly Value[]; readonly values: readonly Value[]; readonly mask: Value };
  /**
   * What stands before the codes, [R, F, width], and which columns of a row are padding: so many at its front, [R, 1];
   * or any, by what is added to the scores of each column, [R, 1, 1, F + S].
   */
  readonly melody?: { readonly prefix: Value } & ({ readonly start: Value } | { readonly hidden: Value });
}

/** What is fed, by name, when a piece is composed. A cache of int8 also wants the `steps` of every layer's keys and values. */
export function lmInputs(c: LmConfig, cacheType: "float32" | "int8" = "float32"): LmInputs {
  const layers = [...Array(c.num_hidden_layers).keys()];
  const each = (name: string, shape: Shape) => layers.map((i) => input(`${name}.${i}`, "float32", shape));
  const cached: Shape = ["R", c.num_attention_heads, "C", cachedWidth(c)];
  const text: Shape = ["Q", c.num_attention_heads, "L", headWidth(c)];
  const steps = cacheType === "int8" ? stepsOfAll(c) : [];
  const inputs: LmInputs = {
    columns: input("columns", "int64", ["R", c.num_codebooks, "S"]),
    positions: input("positions", "float32", [c.crossAttention ? 1 : "R", "P", c.hidden_size]),
    cache: {
      last: input("last", "int32", ["R"]),
      count: input("count", "int32", [1]),
      layers: layers.map((i) => {
        const [keys, values] = [`keys.${i}`, `values.${i}`];
        const cache = { keys: input(keys, cacheType, cached), values: input(values, cacheType, cached) };
        if (cacheType !== "int8") return cache;
        return { ...cache, scales: { keys: steps[2 * i]!, values: steps[2 * i + 1]! } };
      }),
    },
  };
  if (c.crossAttention) {
    const mask = input("text.mask", "float32", ["Q", 1, 1, "L"]);
    return { ...inputs, text: { keys: each("text.keys", text), values: each("text.values", text), mask } };
  }
  const prefix = input("prefix", "float32", ["R", "F", c.hidden_size]);
  return { ...inputs, melody: { prefix, start: input("start", "int64", ["R", 1]) } };
}

/**
 * @returns logits [R, K, bins] of the last column (or [R, K, S, bins] of all, or of those after what stands before the
 * codes; and `byColumn`, the same as they are made, [R, S, K, bins]), and every layer's cache with what is new in it
 */
export function transformer(p: Scope, inputs: LmInputs, c: LmConfig, logitsOf: "last" | "all" | "codes" = "last") {
  const decoder = p.at("model.decoder");
  let columns = embedColumns(decoder.at("embed_tokens"), inputs.columns, c);
  if (inputs.melody !== undefined) columns = ops.concat([inputs.melody.prefix, columns], 1);
  columns = ops.add(inputs.positions, columns);
  const rows = rowsOf(columns);
  const mask = selfMask(inputs, rows);
  let x = flatten(columns);
  const texts = textsOf(inputs, x, rows);
  const all: Asked = { rows, of: (x) => x };
  // Of the last layer, only the rows that are asked for. (Of 627 columns 127 before the codes: 2 % of a step of training.)
  const codes =
    logitsOf === "codes" && inputs.melody !== undefined ? codesAfter(inputs.melody, inputs.columns, rows) : all;
  const caches: Record<string, Value> = {};
  for (let i = 0; i < c.num_hidden_layers; i++) {
    decoder.tap(`hidden.${i}`, unflatten(x, rows));
    const layer = decoder.at("layers").at(i);
    const throughLayer = (entering: Value): Value => {
      const asked = i === c.num_hidden_layers - 1 ? codes : all;
      let mixed: Value;
      if (inputs.cache === undefined) mixed = selfAttentionAtOnce(layer, entering, rows, asked, mask!, c);
      else {
        const self = selfAttention(layer, entering, rows, inputs.cache, i, mask, c);
        caches[`new.keys.${i}`] = self.keys;
        caches[`new.values.${i}`] = self.values;
        mixed = self.mixed;
      }
      let x = ops.add(asked.of(entering), mixed);
      if (texts !== undefined) x = ops.add(x, crossAttention(layer, x, texts, i, c));
      return ops.add(x, feedForward(layer, x, c));
    };
    x = inputs.cache === undefined ? block(throughLayer, x) : throughLayer(x);
  }
  if (logitsOf === "last") x = ops.squeeze(ops.slice(unflatten(x, rows), 1, -1, Number.MAX_SAFE_INTEGER, 1), [1]);
  x = layerNorm(decoder.at("layer_norm"), x);
  const codebooks = [...Array(c.num_codebooks).keys()];
  const logits = linears(p.at("lm_heads"), codebooks, x, c.vocab_size); // [R (S), K bins]
  const shape = [c.num_codebooks, c.vocab_size] as const;
  if (logitsOf === "last") {
    const last = ops.reshape(logits, [-1, ...shape], [rows.dims[0], ...shape]);
    return { logits: last, byColumn: ops.unsqueeze(last, [1]), caches };
  }
  const { batch, steps, dims } = codes.rows;
  const byColumn = ops.reshapeTo(logits, ops.concat([batch, steps, ops.ints(shape)], 0), [...dims, ...shape]);
  return { logits: ops.transpose(byColumn, [0, 2, 1, 3]), byColumn, caches };
}

/** The text's keys and values in every layer, made once a prompt: condition [Q, L, width] -> [Q, H, L, d] each. */
export function textMemory(p: Scope, condition: Value, c: LmConfig): Record<string, Value> {
  const rows = rowsOf(condition);
  const x = flatten(condition);
  const memory: Record<string, Value> = {};
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const attention = p.at("model.decoder.layers").at(i).at("encoder_attn");
    const heads = (name: string) =>
      splitHeads(linear(attention.at(name), x, c.hidden_size), rows, c.num_attention_heads);
    memory[`text.keys.${i}`] = heads("k_proj");
    memory[`text.values.${i}`] = heads("v_proj");
  }
  return memory;
}

// --- internal ---

/**
 * One input, cut apart: a tensor that is fed takes onnxruntime-node 5 microseconds, and MusicGen small has 48 of them. (0.15 ms of
 * a step of 20, at a load of 20.)
 */
function stepsOfAll(c: LmConfig): Value[] {
  const count = 2 * c.num_hidden_layers;
  const steps = input("steps", "float32", [count, c.num_attention_heads, 1, cachedWidth(c)]);
  return ops.split(steps, 0, new Array<number>(count).fill(1));
}

/** x[b, s] = sum over k of table_k[columns[b, k, s]]. */
function embedColumns(p: Scope, columns: Value, c: LmConfig): Value {
  const rows = ops.split(columns, 1, new Array<number>(c.num_codebooks).fill(1));
  const embedded = rows.map((row, k) => embedding(p.at(k), ops.squeeze(row, [1]), c.vocab_size + 1, c.hidden_size));
  const sum = embedded.reduce(ops.add);
  return c.scale_embedding ? ops.mul(sum, ops.scalar(Math.sqrt(c.hidden_size))) : sum;
}

/** What is added to the scores of [.., columns]: hides what comes later, and padding. */
function selfMask({ cache, melody }: LmInputs, rows: Rows): Value | undefined {
  const hiding = (visible: Value, axes: number[]) =>
    ops.unsqueeze(ops.where(visible, ops.scalar(0), ops.scalar(-1e9)), axes);
  const current = ops.range(rows.steps, rows.dims[1]);
  if (cache !== undefined) {
    if (melody === undefined) return undefined; // the attention over a cache is causal by itself
    assert("start" in melody, "columns are hidden one by one only where there is no cache");
    const columns = ops.range(ops.cast(cache.count, "int64"), "T");
    return forEachStep(hiding(ops.lessOrEqual(melody.start, columns), [1, 2]), rows);
  }
  const causal = ops.lessOrEqual(ops.unsqueeze(current, [0]), ops.unsqueeze(current, [1])); // [S, S]
  if (melody === undefined) return hiding(causal, [0, 1]);
  if ("hidden" in melody) return ops.add(hiding(causal, [0, 1]), melody.hidden);
  const begun = ops.lessOrEqual(melody.start, current); // [R, S]
  return hiding(ops.and(ops.unsqueeze(begun, [1]), causal), [1]);
}

/** A bias [.., 1, 1, columns] as the runtime's attention wants it: [.., 1, S, columns]. */
function forEachStep(bias: Value, rows: Rows): Value {
  const zeros = ops.mul(ops.range(rows.steps, rows.dims[1]), ops.scalar(0, "int64"));
  return ops.add(bias, ops.unsqueeze(ops.cast(zeros, "float32"), [1]));
}

/** Some of the rows, and how they stand. */
interface Asked {
  readonly rows: Rows;
  of(x: Value): Value;
}

/** The rows of the codes, without what stands before them. */
function codesAfter({ prefix }: NonNullable<LmInputs["melody"]>, columns: Value, rows: Rows): Asked {
  const before = known(prefix.shape[1], "columns before the codes");
  const count = columns.shape[2]!;
  return {
    rows: { batch: rows.batch, steps: ops.sizeOf(columns, 2), dims: [rows.dims[0], count] },
    of: (x) => flatten(ops.slice(unflatten(x, rows), 1, before, Number.MAX_SAFE_INTEGER, count)),
  };
}

/**
 * Where all columns are there: from the last rows, which are `asked`, to all. Queries, keys and values are products of their
 * own (joined, they would have to be cut apart, and their slopes joined again), and queries get their scale with their weight.
 */
function selfAttentionAtOnce(layer: Scope, x: Value, rows: Rows, asked: Asked, hidden: Value, c: LmConfig) {
  const p = layer.at("self_attn");
  const normed = layerNorm(layer.at("self_attn_layer_norm"), x);
  const width = c.hidden_size;
  const heads = (x: Value, rows: Rows) => splitHeads(x, rows, c.num_attention_heads);
  const scaled = ops.mul(p.at("q_proj").weight("weight", [width, width]), ops.scalar(headWidth(c) ** -0.5));
  const queries = heads(ops.gemm(asked.of(normed), scaled), asked.rows);
  const keys = heads(linear(p.at("k_proj"), normed, width), rows);
  const values = heads(linear(p.at("v_proj"), normed, width), rows);
  const seen =
    asked.rows === rows ? hidden : ops.slice(hidden, -2, -known(asked.rows.dims[1], "rows"), Number.MAX_SAFE_INTEGER);
  const { mixed, weights } = attendBehind(queries, keys, values, seen);
  p.tap("weights", weights);
  return linear(p.at("out_proj"), joinHeads(mixed), width);
}

/** Where the columns before are in a cache: all rows, which are new, to what is mixed for them. */
function selfAttention(
  layer: Scope,
  x: Value,
  rows: Rows,
  cache: NonNullable<LmInputs["cache"]>,
  i: number,
  mask: Value | undefined,
  c: LmConfig,
) {
  const p = layer.at("self_attn");
  const normed = layerNorm(layer.at("self_attn_layer_norm"), x);
  const width = c.hidden_size;
  const joined = p.tap("qkv", linears(p, ["q_proj", "k_proj", "v_proj"], normed, width)); // [R S, 3 width]
  const qkv = unflatten(padHeads(joined, c), rows);
  const { mixed, keys, values } = groupQueryAttention(qkv, cache.layers[i]!, cache, headWidth(c) ** -0.5, mask);
  return { keys, values, mixed: linear(p.at("out_proj"), cutHeads(flatten(mixed), c), width) };
}

/** [N, n d] -> [N, n cachedWidth]: zeros after each head, where the cache asks for them. */
function padHeads(x: Value, c: LmConfig): Value {
  const spare = cachedWidth(c) - headWidth(c);
  if (spare === 0) return x;
  const heads = known(x.shape[1], "attention width") / headWidth(c);
  const padded = ops.padLast(ops.reshape(x, [-1, heads, headWidth(c)]), 0, spare, "constant");
  return ops.reshape(padded, [-1, heads * cachedWidth(c)], [x.shape[0]!, heads * cachedWidth(c)]);
}

/** The other way. */
function cutHeads(x: Value, c: LmConfig): Value {
  if (cachedWidth(c) === headWidth(c)) return x;
  const heads = ops.reshape(x, [-1, c.num_attention_heads, cachedWidth(c)]);
  return ops.reshape(ops.slice(heads, 2, 0, headWidth(c)), [-1, c.hidden_size], [x.shape[0]!, c.hidden_size]);
}

/** What all layers read of the text. */
interface Texts {
  readonly keys: readonly Value[];
  readonly values: readonly Value[];
  readonly mask: Value;
  /** The mask for the runtime's attention, [Q, 1, S, L], where nothing learns. */
  readonly forSteps: Value | undefined;
  readonly rows: Rows;
  /** Where some rows have no text: how many of x [R S, width] have, and zeros for the others. */
  readonly some: { readonly count: Value; readonly zeros: Value } | undefined;
}

function textsOf({ text, cache }: LmInputs, x: Value, rows: Rows): Texts | undefined {
  const [keys] = text?.keys ?? [];
  if (text === undefined || keys === undefined) return undefined;
  const forSteps = cache && forEachStep(text.mask, rows);
  if (keys.shape[0] === rows.dims[0]) return { ...text, forSteps, rows, some: undefined };
  const batch = ops.sizeOf(keys, 0);
  const count = ops.mul(batch, rows.steps);
  const zeros = ops.mul(ops.slice(x, 0, count, Number.MAX_SAFE_INTEGER), ops.scalar(0));
  const texts: Rows = { batch, steps: rows.steps, dims: [keys.shape[0]!, rows.dims[1]] };
  return { ...text, forSteps, rows: texts, some: { count, zeros } };
}

/**
 * Attention over the text, for the first Q rows. That of the others, which have no text, would be exactly zero (no
 * biases, all-zero text): it is not computed.
 */
function crossAttention(layer: Scope, x: Value, text: Texts, i: number, c: LmConfig): Value {
  const { rows, some } = text;
  const p = layer.at("encoder_attn");
  const normed = layerNorm(layer.at("encoder_attn_layer_norm"), x);
  const asking = some === undefined ? normed : ops.slice(normed, 0, 0, some.count, times(...rows.dims));
  const queries = linear(p.at("q_proj"), asking, c.hidden_size);
  const [keys, values] = [text.keys[i]!, text.values[i]!];
  const scale = headWidth(c) ** -0.5;
  let mixed: Value;
  if (text.forSteps === undefined) {
    const q = ops.mul(splitHeads(queries, rows, c.num_attention_heads), ops.scalar(scale));
    const apart = attend(q, keys, values, text.mask);
    p.tap("weights", apart.weights);
    mixed = joinHeads(apart.mixed);
  } else mixed = flatten(multiHeadAttention(unflatten(queries, rows), keys, values, scale, text.forSteps));
  const attended = linear(p.at("out_proj"), mixed, c.hidden_size);
  return some === undefined ? attended : ops.concat([attended, some.zeros], 0, x.shape[0]!);
}

function feedForward(layer: Scope, x: Value, c: LmConfig): Value {
  const normed = layerNorm(layer.at("final_layer_norm"), x);
  const wide = linear(layer.at("fc1"), normed, c.ffn_dim);
  return linear(layer.at("fc2"), c.activation_function === "gelu" ? ops.gelu(wide) : ops.relu(wide), c.hidden_size);
}
