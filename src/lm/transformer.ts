/**
 * @file The language model: columns of codes so far, and a condition, to logits for the next column (spec §5.2). One
 * description serves the first pass over many columns and every later step over one: what came before is a cache of keys
 * and values, an input that this graph only reads, and the new rows are outputs.
 */

import {
  attend,
  embedding,
  flatten,
  joinHeads,
  layerNorm,
  linear,
  type Rows,
  rowsOf,
  splitHeads,
  unflatten,
} from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, type Scope, times, type Value } from "../graph/value.js";
import type { LmConfig } from "./config.js";

const headWidth = (c: LmConfig): number => c.hidden_size / c.num_attention_heads;

/** What the graph is fed. R rows (streams), of which the first Q have text to attend to; S columns; C cached ones. */
export function lmInputs(c: LmConfig) {
  const layers = [...Array(c.num_hidden_layers).keys()];
  const cached = (name: string) => input(name, "float32", ["R", c.num_attention_heads, "C", headWidth(c)]);
  const text = (name: string) => input(name, "float32", ["Q", c.num_attention_heads, "L", headWidth(c)]);
  return {
    /** Code ids; the special token where a codebook has none. */
    columns: input("columns", "int64", ["R", c.num_codebooks, "S"]),
    /** Sinusoids of the positions: `positionRows`. Melody models count from each row's own start. */
    positions: input("positions", "float32", [c.crossAttention ? 1 : "R", "P", c.hidden_size]),
    /** How many cached columns are filled; the rest is spare room. */
    past: input("past", "int64", [1]),
    keys: layers.map((i) => cached(`keys.${i}`)),
    values: layers.map((i) => cached(`values.${i}`)),
    /** Melody models: what stands before the codes, at the first pass; no columns of it later. */
    prefix: input("prefix", "float32", ["R", "F", c.hidden_size]),
    /** Melody models: how many columns at the front of a row are padding. */
    start: input("start", "int64", ["R", 1]),
    textKeys: layers.map((i) => text(`text.keys.${i}`)),
    textValues: layers.map((i) => text(`text.values.${i}`)),
    /** Added to the scores of text tokens: 0, or very low for padding. */
    textMask: input("text.mask", "float32", ["Q", 1, 1, "L"]),
  };
}
export type LmInputs = ReturnType<typeof lmInputs>;

/**
 * @returns logits [R, K, bins] of the last column (or [R, K, S, bins] of all), and every layer's new keys and values
 * [R, H, S, d]
 */
export function transformer(p: Scope, inputs: LmInputs, c: LmConfig, logitsOf: "last" | "all" = "last") {
  const decoder = p.at("model.decoder");
  let columns = embedColumns(decoder.at("embed_tokens"), inputs.columns, c);
  if (!c.crossAttention) columns = ops.concat([inputs.prefix, columns], 1);
  columns = ops.add(inputs.positions, columns);
  const rows = rowsOf(columns);
  const masks = selfMasks(inputs, rows, c);
  let x = flatten(columns);
  const caches: Record<string, Value> = {};
  for (let i = 0; i < c.num_hidden_layers; i++) {
    decoder.tap(`hidden.${i}`, unflatten(x, rows));
    const layer = decoder.at("layers").at(i);
    const self = selfAttention(layer, x, rows, inputs.keys[i]!, inputs.values[i]!, masks, c);
    caches[`new.keys.${i}`] = self.keys;
    caches[`new.values.${i}`] = self.values;
    x = ops.add(x, self.mixed);
    if (c.crossAttention) x = crossAttention(layer, x, rows, inputs, i, c);
    x = ops.add(x, feedForward(layer, x, c));
  }
  if (logitsOf === "last") x = ops.squeeze(ops.slice(unflatten(x, rows), 1, -1, Number.MAX_SAFE_INTEGER, 1), [1]);
  x = layerNorm(decoder.at("layer_norm"), x);
  const heads = Array.from({ length: c.num_codebooks }, (_, k) => {
    const logits = linear(p.at("lm_heads").at(k), x, c.vocab_size);
    return ops.unsqueeze(logitsOf === "last" ? logits : unflatten(logits, rows), [1]);
  });
  return { logits: ops.concat(heads, 1), ...caches };
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

/** x[b, s] = sum over k of table_k[columns[b, k, s]]. */
function embedColumns(p: Scope, columns: Value, c: LmConfig): Value {
  const rows = ops.split(columns, 1, new Array<number>(c.num_codebooks).fill(1));
  const embedded = rows.map((row, k) => embedding(p.at(k), ops.squeeze(row, [1]), c.vocab_size + 1, c.hidden_size));
  const sum = embedded.reduce(ops.add);
  return c.scale_embedding ? ops.mul(sum, ops.scalar(Math.sqrt(c.hidden_size))) : sum;
}

interface Masks {
  /** Over cached columns, [.., 1, 1, C]: hides spare room and padding. */
  readonly cached: Value;
  /** Over this pass's columns, [.., 1, S, S]: hides what comes later, and padding. */
  readonly current: Value;
}

function selfMasks(inputs: LmInputs, rows: Rows, c: LmConfig): Masks {
  const toBias = (visible: Value, axes: number[]) =>
    ops.unsqueeze(ops.where(visible, ops.scalar(0), ops.scalar(-1e9)), axes);
  const cached = ops.range(ops.sizeOf(inputs.keys[0]!, 2), "C");
  const current = ops.range(rows.steps, rows.dims[1]);
  const filled = ops.less(cached, inputs.past); // [C]
  const causal = ops.lessOrEqual(ops.unsqueeze(current, [0]), ops.unsqueeze(current, [1])); // [S, S]
  if (c.crossAttention) return { cached: toBias(filled, [0, 1, 2]), current: toBias(causal, [0, 1]) };
  const begun = (columns: Value) => ops.lessOrEqual(inputs.start, columns); // [R, columns]
  return {
    cached: toBias(ops.and(begun(cached), filled), [1, 2]),
    current: toBias(ops.and(ops.unsqueeze(begun(ops.add(current, inputs.past)), [1]), causal), [1]),
  };
}

/**
 * Attention over the cached columns and this pass's own, without joining their keys and values: that would copy the
 * cache at every step.
 */
function selfAttention(
  layer: Scope,
  x: Value,
  rows: Rows,
  pastKeys: Value,
  pastValues: Value,
  masks: Masks,
  c: LmConfig,
) {
  const p = layer.at("self_attn");
  const normed = layerNorm(layer.at("self_attn_layer_norm"), x);
  const heads = (name: string) => splitHeads(linear(p.at(name), normed, c.hidden_size), rows, c.num_attention_heads);
  const q = ops.mul(heads("q_proj"), ops.scalar(headWidth(c) ** -0.5));
  const [keys, values] = [heads("k_proj"), heads("v_proj")];
  const scores = ops.concat(
    [ops.add(dot(q, pastKeys), masks.cached), ops.add(dot(q, keys), masks.current)], // [R, H, S, C + S]
    3,
  );
  const weights = p.tap("weights", ops.softmax(scores));
  const cached = ops.sizeOf(pastKeys, 2);
  const far = ops.slice(weights, 3, 0, cached, "C");
  const near = ops.slice(weights, 3, cached, Number.MAX_SAFE_INTEGER, rows.dims[1]);
  const mixed = joinHeads(ops.add(ops.matmul(far, pastValues), ops.matmul(near, values)));
  return { keys, values, mixed: linear(p.at("out_proj"), mixed, c.hidden_size) };
}

const dot = (q: Value, k: Value): Value => ops.matmul(q, ops.transpose(k, [0, 1, 3, 2]));

/**
 * x + attention over the text, for the first Q rows. The others have no text: theirs would be exactly zero (no biases,
 * all-zero text), so they skip it.
 */
function crossAttention(layer: Scope, x: Value, rows: Rows, inputs: LmInputs, i: number, c: LmConfig): Value {
  const p = layer.at("encoder_attn");
  const [keys, values] = [inputs.textKeys[i]!, inputs.textValues[i]!];
  const texts: Rows = { batch: ops.sizeOf(keys, 0), steps: rows.steps, dims: ["Q", rows.dims[1]] };
  const count = ops.mul(texts.batch, texts.steps);
  const conditional = ops.slice(x, 0, 0, count, times(...texts.dims));
  const rest = ops.slice(x, 0, count, Number.MAX_SAFE_INTEGER);
  const normed = layerNorm(layer.at("encoder_attn_layer_norm"), conditional);
  const q = splitHeads(linear(p.at("q_proj"), normed, c.hidden_size), texts, c.num_attention_heads);
  const { mixed, weights } = attend(ops.mul(q, ops.scalar(headWidth(c) ** -0.5)), keys, values, inputs.textMask);
  p.tap("weights", weights);
  const attended = ops.add(conditional, linear(p.at("out_proj"), joinHeads(mixed), c.hidden_size));
  return ops.concat([attended, rest], 0, x.shape[0]!);
}

function feedForward(layer: Scope, x: Value, c: LmConfig): Value {
  const normed = layerNorm(layer.at("final_layer_norm"), x);
  const wide = linear(layer.at("fc1"), normed, c.ffn_dim);
  return linear(layer.at("fc2"), c.activation_function === "gelu" ? ops.gelu(wide) : ops.relu(wide), c.hidden_size);
}
