/**
 * @file The language model: columns of codes so far, and a condition, to logits for the next column (spec §5.2). One
 * description serves the first pass over many columns and every later step over one: what came before is a cache of keys
 * and values, an input that this graph only reads, and the new rows are outputs.
 */

import { assert } from "../errors.js";
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

/** What the graph reads. R rows (streams) of S columns, of which C are cached; the first Q rows have text. */
export interface LmInputs {
  /** Code ids, the special token where a codebook has none; [R, K, S]. */
  readonly columns: Value;
  /** Sinusoids of the positions (`positionRows`), [1 or R, S, width]. Melody models count from each row's own start. */
  readonly positions: Value;
  /** Every layer's keys and values so far, [R, H, C, d], of which `past` are filled. Without: the columns are all there is. */
  readonly cache?: { readonly past: Value; readonly keys: readonly Value[]; readonly values: readonly Value[] };
  /** Every layer's keys and values of the text, [Q, H, L, d]; `mask` [Q, 1, 1, L] is added to the scores of its tokens. */
  readonly text?: { readonly keys: readonly Value[]; readonly values: readonly Value[]; readonly mask: Value };
  /**
   * What stands before the codes, [R, F, width], and which columns of a row are padding: so many at its front, [R, 1];
   * or any, by what is added to the scores of each column, [R, 1, 1, F + S].
   */
  readonly melody?: { readonly prefix: Value } & ({ readonly start: Value } | { readonly hidden: Value });
}

/** What is fed, by name, when a piece is composed. */
export function lmInputs(c: LmConfig): LmInputs {
  const layers = [...Array(c.num_hidden_layers).keys()];
  const each = (name: string, shape: Shape) => layers.map((i) => input(`${name}.${i}`, "float32", shape));
  const cached: Shape = ["R", c.num_attention_heads, "C", headWidth(c)];
  const text: Shape = ["Q", c.num_attention_heads, "L", headWidth(c)];
  const inputs: LmInputs = {
    columns: input("columns", "int64", ["R", c.num_codebooks, "S"]),
    positions: input("positions", "float32", [c.crossAttention ? 1 : "R", "P", c.hidden_size]),
    cache: { past: input("past", "int64", [1]), keys: each("keys", cached), values: each("values", cached) },
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
 * codes; and `byColumn`, the same as they are made, [R, S, K, bins]), and every layer's new keys and values [R, H, S, d]
 */
export function transformer(p: Scope, inputs: LmInputs, c: LmConfig, logitsOf: "last" | "all" | "codes" = "last") {
  const decoder = p.at("model.decoder");
  let columns = embedColumns(decoder.at("embed_tokens"), inputs.columns, c);
  if (inputs.melody !== undefined) columns = ops.concat([inputs.melody.prefix, columns], 1);
  columns = ops.add(inputs.positions, columns);
  const rows = rowsOf(columns);
  const masks = selfMasks(inputs, rows);
  let x = flatten(columns);
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
      const self =
        inputs.cache === undefined
          ? selfAttentionAtOnce(layer, entering, rows, asked, masks.current, c)
          : selfAttention(layer, entering, rows, inputs.cache, i, masks, c);
      caches[`new.keys.${i}`] = self.keys;
      caches[`new.values.${i}`] = self.values;
      let x = ops.add(asked.of(entering), self.mixed);
      if (inputs.text !== undefined) x = crossAttention(layer, x, rows, inputs.text, i, c);
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
    return { logits: last, byColumn: ops.unsqueeze(last, [1]), ...caches };
  }
  const { batch, steps, dims } = codes.rows;
  const byColumn = ops.reshapeTo(logits, ops.concat([batch, steps, ops.ints(shape)], 0), [...dims, ...shape]);
  return { logits: ops.transpose(byColumn, [0, 2, 1, 3]), byColumn, ...caches };
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
  readonly cached: Value | undefined;
  /** Over this pass's columns, [.., 1, S, S]: hides what comes later, and padding. */
  readonly current: Value;
}

function selfMasks({ cache, melody }: LmInputs, rows: Rows): Masks {
  const toBias = (visible: Value, axes: number[]) =>
    ops.unsqueeze(ops.where(visible, ops.scalar(0), ops.scalar(-1e9)), axes);
  const current = ops.range(rows.steps, rows.dims[1]);
  const causal = ops.lessOrEqual(ops.unsqueeze(current, [0]), ops.unsqueeze(current, [1])); // [S, S]
  const cached = cache && ops.range(ops.sizeOf(cache.keys[0]!, 2), "C");
  const filled = cached && ops.less(cached, cache.past); // [C]
  if (melody === undefined) return { cached: filled && toBias(filled, [0, 1, 2]), current: toBias(causal, [0, 1]) };
  if ("hidden" in melody) {
    assert(cache === undefined, "columns are hidden one by one only where there is no cache");
    return { cached: undefined, current: ops.add(toBias(causal, [0, 1]), melody.hidden) };
  }
  const begun = (columns: Value) => ops.lessOrEqual(melody.start, columns); // [R, columns]
  const place = cache === undefined ? current : ops.add(current, cache.past);
  return {
    cached: cached && toBias(ops.and(begun(cached), filled!), [1, 2]),
    current: toBias(ops.and(ops.unsqueeze(begun(place), [1]), causal), [1]),
  };
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
  return { keys, values, mixed: linear(p.at("out_proj"), joinHeads(mixed), width) };
}

function selfAttention(
  layer: Scope,
  x: Value,
  rows: Rows,
  cache: NonNullable<LmInputs["cache"]>,
  i: number,
  masks: Masks,
  c: LmConfig,
) {
  const p = layer.at("self_attn");
  const normed = layerNorm(layer.at("self_attn_layer_norm"), x);
  const width = c.hidden_size;
  const joined = linears(p, ["q_proj", "k_proj", "v_proj"], normed, width);
  const [queries, keys, values] = ops
    .split(joined, 1, [width, width, width])
    .map((x) => splitHeads(x, rows, c.num_attention_heads)) as [Value, Value, Value];
  const q = ops.mul(queries, ops.scalar(headWidth(c) ** -0.5));
  const near = ops.add(dot(q, keys), masks.current);
  // The cached keys and values are not joined with the new ones: that would copy the cache at every step.
  const far = ops.add(dot(q, cache.keys[i]!), masks.cached!);
  const weights = p.tap("weights", ops.softmax(ops.concat([far, near], 3))); // [R, H, S, C + S]
  const count = ops.sizeOf(cache.keys[i]!, 2);
  const mixed = ops.add(
    ops.matmul(ops.slice(weights, 3, 0, count, "C"), cache.values[i]!),
    ops.matmul(ops.slice(weights, 3, count, Number.MAX_SAFE_INTEGER, rows.dims[1]), values),
  );
  return { keys, values, mixed: linear(p.at("out_proj"), joinHeads(mixed), c.hidden_size) };
}

const dot = (q: Value, k: Value): Value => ops.matmul(q, ops.transpose(k, [0, 1, 3, 2]));

/**
 * x + attention over the text, for the first Q rows. The others have no text: theirs would be exactly zero (no biases,
 * all-zero text), so they skip it.
 */
function crossAttention(
  layer: Scope,
  x: Value,
  rows: Rows,
  text: NonNullable<LmInputs["text"]>,
  i: number,
  c: LmConfig,
): Value {
  const keys = text.keys[i]!;
  const everyRow = keys.shape[0] === rows.dims[0];
  const texts: Rows = everyRow ? rows : { batch: ops.sizeOf(keys, 0), steps: rows.steps, dims: ["Q", rows.dims[1]] };
  const count = ops.mul(texts.batch, texts.steps);
  const asked = everyRow ? x : ops.slice(x, 0, 0, count, times(...texts.dims));
  const p = layer.at("encoder_attn");
  const normed = layerNorm(layer.at("encoder_attn_layer_norm"), asked);
  const q = splitHeads(linear(p.at("q_proj"), normed, c.hidden_size), texts, c.num_attention_heads);
  const { mixed, weights } = attend(ops.mul(q, ops.scalar(headWidth(c) ** -0.5)), keys, text.values[i]!, text.mask);
  p.tap("weights", weights);
  const attended = ops.add(asked, linear(p.at("out_proj"), joinHeads(mixed), c.hidden_size));
  return everyRow ? attended : ops.concat([attended, ops.slice(x, 0, count, Number.MAX_SAFE_INTEGER)], 0, x.shape[0]!);
}

function feedForward(layer: Scope, x: Value, c: LmConfig): Value {
  const normed = layerNorm(layer.at("final_layer_norm"), x);
  const wide = linear(layer.at("fc1"), normed, c.ffn_dim);
  return linear(layer.at("fc2"), c.activation_function === "gelu" ? ops.gelu(wide) : ops.relu(wide), c.hidden_size);
}
