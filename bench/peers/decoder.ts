/**
 * @file MusicGen's decoder as an ONNX export of it is (Optimum's, for transformers.js): keys and values of what came before go in
 * and out of every run, in their own tensors; text and no text are a batch of two; a flag picks the first pass or a later one.
 * Described with joint operators for norms and GELU, which the runtime would find in an export by itself.
 */

import * as ops from "../../src/graph/ops.js";
import { constant, type Dim, input, node, type Shape, type Value } from "../../src/graph/value.js";
import type { LmConfig } from "../../src/lm/config.js";
import { type DType, tensor } from "../../src/tensor.js";

/**
 * How it multiplies: float32; "q8" as ONNX Runtime's dynamic quantiser writes it (inputs are quantised as they come, one scale
 * for a whole matrix); "q4" in blocks of 32, inputs as they are.
 */
export type Form = "fp32" | "q8" | "q4";

/** Weights by name, as they are asked for: the same for both branches. */
export type Weights = Map<string, Value>;

/** Longest piece: rows of the table of positions. */
const positions = 2048;

/** What one branch returns, by name: logits [B K, S, bins], and what is cached, [B, H, columns, d] each. */
export function branch(c: LmConfig, form: Form, weights: Weights, later: boolean): Record<string, Value> {
  const { hidden_size: width, num_attention_heads: heads, num_codebooks: codebooks } = c;
  const weight = (name: string, shape: readonly number[], dtype: DType = "float32"): Value => {
    const known = weights.get(name);
    if (known !== undefined) return known;
    const value: Value = { dtype, shape, origin: { kind: "weight", name } };
    weights.set(name, value);
    return value;
  };
  const quantised = new Map<Value, Value[]>();
  const product = (name: string, x: Value, to: number): Value => {
    const from = x.shape.at(-1) as number;
    const shape: Shape = [...x.shape.slice(0, -1), to];
    if (form === "fp32") return ops.matmul(x, weight(name, [from, to]));
    if (form === "q4") {
      const packed = weight(`${name}.q4`, [to, from / 32, 16], "uint8");
      const attributes = { K: { int: from }, N: { int: to }, bits: { int: 4 }, block_size: { int: 32 } };
      const inputs = [x, packed, weight(`${name}.scales`, [to * (from / 32)])];
      return node("MatMulNBits", inputs, [{ dtype: "float32", shape }], attributes, "com.microsoft")[0]!;
    }
    const parts: Value[] =
      quantised.get(x) ??
      node(
        "DynamicQuantizeLinear",
        [x],
        [
          { dtype: "uint8", shape: x.shape },
          { dtype: "float32", shape: [] },
          { dtype: "uint8", shape: [] },
        ],
      );
    quantised.set(x, parts);
    const [codes, scale, zero] = parts as [Value, Value, Value];
    const inputs = [codes, weight(`${name}.q8`, [from, to], "int8"), zero, weight(`${name}.zero`, [], "int8")];
    const [whole] = node("MatMulInteger", inputs, [{ dtype: "int32", shape }]) as [Value];
    return ops.mul(ops.cast(whole, "float32"), ops.mul(scale, weight(`${name}.scale`, [])));
  };
  const norm = (name: string, x: Value) =>
    ops.layerNormalization(x, weight(`${name}.weight`, [width]), weight(`${name}.bias`, [width]), 1e-5);

  const ids = input("input_ids", "int64", ["batch_size_x_codebooks", "S"]);
  const steps = ops.sizeOf(ids, 1);
  const sizes = (...dims: (number | Value)[]) =>
    ops.concat(
      dims.map((dim) => (typeof dim === "number" ? ops.ints([dim]) : dim)),
      0,
    );
  const toHeads = (x: Value, count: Value, as: Dim) => {
    const split = ops.reshapeTo(x, sizes(-1, count, heads, width / heads), ["B", as, heads, width / heads]);
    return ops.transpose(split, [0, 2, 1, 3]);
  };
  const fromHeads = (x: Value) =>
    ops.reshapeTo(ops.transpose(x, [0, 2, 1, 3]), sizes(-1, steps, width), ["B", "S", width]);
  const past = (layer: number, of: string, kind: string) => {
    const name = `past_key_values.${layer}.${of}.${kind}`;
    const columns = of === "decoder" ? "past_length" : "encoder_past_length";
    return input(name, "float32", ["batch_size", heads, columns, width / heads]);
  };
  const pasts = [...Array(c.num_hidden_layers).keys()].map((i) => {
    const of = (part: string) => ({ key: past(i, part, "key"), value: past(i, part, "value") });
    return { decoder: of("decoder"), encoder: of("encoder") };
  });

  const columns = ops.reshapeTo(ids, sizes(-1, codebooks, steps), ["B", codebooks, "S"]);
  const embedded = ops
    .split(columns, 1, new Array<number>(codebooks).fill(1))
    .map((row, k) => ops.gather(weight(`embed_tokens.${k}`, [c.vocab_size + 1, width]), ops.squeeze(row, [1])))
    .reduce(ops.add);
  const before = later ? ops.sizeOf(pasts[0]!.decoder.key, 2) : ops.ints([0]);
  const every = ops.range(ops.add(before, steps), "T");
  const now = ops.slice(every, 0, before, Number.MAX_SAFE_INTEGER, "S");
  let x = ops.add(embedded, ops.gather(weight("positions", [positions, width]), now));
  const visible = ops.lessOrEqual(ops.unsqueeze(every, [0]), ops.unsqueeze(now, [1]));
  const causal = ops.where(visible, ops.scalar(0), ops.scalar(-1e9)); // [S, T]
  const states = input("encoder_hidden_states", "float32", ["batch_size", "L", width]);
  const keep = input("encoder_attention_mask", "int64", ["batch_size", "L"]);
  const hidden = ops.mul(ops.sub(ops.scalar(1), ops.cast(keep, "float32")), ops.scalar(-1e9));
  const textMask = ops.unsqueeze(hidden, [1, 2]); // [B, 1, 1, L]
  const scale = ops.scalar((width / heads) ** -0.5);
  const attend = (q: Value, key: Value, value: Value, mask: Value) => {
    const scores = ops.add(ops.matmul(q, ops.transpose(key, [0, 1, 3, 2])), mask);
    return fromHeads(ops.matmul(ops.softmax(scores), value));
  };

  const present: Record<string, Value> = {};
  for (const [i, { decoder, encoder }] of pasts.entries()) {
    const at = (name: string) => `layers.${i}.${name}`;
    const project = (name: string, from: Value, count = steps, as: Dim = "S") =>
      toHeads(product(at(name), from, width), count, as);
    const normed = norm(at("self_attn_layer_norm"), x);
    const q = ops.mul(project("self_attn.q_proj", normed), scale);
    const joined = { key: project("self_attn.k_proj", normed), value: project("self_attn.v_proj", normed) };
    for (const kind of ["key", "value"] as const) {
      if (later) joined[kind] = ops.concat([decoder[kind], joined[kind]], 2, "T");
      present[`present.${i}.decoder.${kind}`] = joined[kind];
    }
    x = ops.add(x, product(at("self_attn.out_proj"), attend(q, joined.key, joined.value, causal), width));

    const asking = norm(at("encoder_attn_layer_norm"), x);
    const asked = ops.mul(project("encoder_attn.q_proj", asking), scale);
    const tokens = ops.sizeOf(states, 1);
    const text = later
      ? encoder
      : {
          key: project("encoder_attn.k_proj", states, tokens, "L"),
          value: project("encoder_attn.v_proj", states, tokens, "L"),
        };
    // Later passes return something empty for what has not changed.
    const empty = constant(tensor("float32", [0, heads, 1, width / heads]));
    for (const kind of ["key", "value"] as const) present[`present.${i}.encoder.${kind}`] = later ? empty : text[kind];
    x = ops.add(x, product(at("encoder_attn.out_proj"), attend(asked, text.key, text.value, textMask), width));

    const wide = product(at("fc1"), norm(at("final_layer_norm"), x), c.ffn_dim);
    x = ops.add(x, product(at("fc2"), ops.gelu(wide), width));
  }
  x = norm("layer_norm", x);
  const logits = [...Array(codebooks).keys()].map((k) => ops.unsqueeze(product(`lm_heads.${k}`, x, c.vocab_size), [1]));
  const stacked = ops.concat(logits, 1, codebooks);
  const shape: Shape = ["batch_size_x_codebooks", "S", c.vocab_size];
  return { logits: ops.reshapeTo(stacked, sizes(-1, steps, c.vocab_size), shape), ...present };
}
