/** @file The language model as something that runs: conditions in, then columns of codes in and logits out, step by step. */

import { assert, HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import { flatten, linear, rowsOf, unflatten } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { Sessions } from "../graph/sessions.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { Kept, Runtime, Session, SessionOptions, State } from "../platform/platform.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import type { CacheSteps } from "./cache-steps.js";
import { alignPrefixes, type Condition, oneHot, type Plan, padTexts, planRows } from "./condition.js";
import type { LmConfig } from "./config.js";
import { positionRows } from "./positions.js";
import { cachedWidth, lmInputs, textMemory, transformer } from "./transformer.js";

/** Of a first pass, where the device is trusted with all of it. */
export const everything = Number.MAX_SAFE_INTEGER;

/** What stands around the language model in a checkpoint. */
export interface Surroundings {
  /** Width of the text encoder's states. */
  readonly textWidth: number;
  /** Melody models: pitch classes, and frames of chroma that stand before the codes. */
  readonly melody?: { readonly bins: number; readonly length: number };
}

export class LanguageModel {
  /** Columns of a first pass at most; what is more follows one by one. */
  atOnce: number;
  readonly #sessions: Sessions;
  #cacheSteps: (() => Promise<CacheSteps>) | undefined;

  constructor(
    readonly config: LmConfig,
    readonly around: Surroundings,
    readonly runtime: Runtime,
    bind: Binder,
    options: SessionOptions = {},
  ) {
    const alone = runtime.device === "cpu" && numbersOf(config) < worthSharing;
    this.#sessions = new Sessions(runtime, bind, alone ? { ...options, threads: 1 } : options);
    this.atOnce = runtime.device === "cpu" ? everything : surelyOnGpu;
  }

  /** Begins to compile what every batch needs, for `open` to find it done. */
  prepare(): void {
    const dtype = this.#cacheSteps === undefined ? "float32" : "int8";
    this.#step(dtype).catch(() => {}); // whoever needs it is told
  }

  /**
   * Takes in the conditions of a batch. With `guided`, every conditioned item runs a second stream without its condition.
   * @param columns how many will be read at most
   * @param watch is told, of each layer and pass, the largest size of every channel of queries, keys and values
   */
  async open(conditions: readonly Condition[], guided: boolean, columns: number, watch?: Watch): Promise<Decoding> {
    const plan = planRows(conditions, guided);
    const steps = watch === undefined ? await this.#cacheSteps?.() : undefined;
    const dtype = steps === undefined ? "float32" : "int8";
    const session = await this.#step(dtype, watch !== undefined);
    const start = this.config.crossAttention ? { held: await this.#textMemory(plan) } : await this.#prefix(plan);
    const { num_hidden_layers, num_attention_heads, num_codebooks, vocab_size } = this.config;
    const rows = plan.rows.length;
    const before = "prefix" in start ? start.prefix.shape[1]! : 0;
    const shape = [rows, num_attention_heads, before + columns, cachedWidth(this.config)];
    const caches = ["keys", "values"].flatMap((kind) =>
      Array.from({ length: num_hidden_layers }, (_, i): Kept => {
        return { input: `${kind}.${i}`, output: `new.${kind}.${i}`, dtype, shape };
      }),
    );
    const logits: Kept = { output: "logits", dtype: "float32", shape: [rows, num_codebooks, vocab_size] };
    const watched = watch === undefined ? [] : sizesKept(this.config);
    const state = await session.open({ ...start.held, ...joined(steps, this.config) }, [logits, ...caches, ...watched]);
    return new Decoding(this.config, plan, session, state, "prefix" in start ? start : undefined, watch, this.atOnce);
  }

  /** From here on keys and values are kept in 8 bits, in such steps: asked for when they are first needed. */
  useCacheSteps(find: () => Promise<CacheSteps>): void {
    let found: Promise<CacheSteps> | undefined;
    this.#cacheSteps = () => {
      found ??= find().finally(() => this.#sessions.dispose((name) => name === "watched step"));
      found.catch(() => (found = undefined)); // the next piece tries again
      return found;
    };
  }

  /** Names every weight, so that a checkpoint can be checked whole before anything is compiled. */
  describe(): Scope {
    const p = new Scope();
    transformer(p.at("decoder"), lmInputs(this.config), this.config);
    if (this.config.crossAttention) this.#memoryGraph(p);
    else this.#prefixGraph(p);
    return p;
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  #step(cache: "float32" | "int8", watched = false): Promise<Session> {
    return this.#sessions.get(watched ? "watched step" : `step ${cache}`, (p) => {
      const { logits, caches } = transformer(p.at("decoder"), lmInputs(this.config, cache), this.config);
      return { logits, ...caches, ...(watched ? sizes(p, this.config) : {}) };
    });
  }

  /** Keys and values of the text in every layer. */
  async #textMemory(plan: Plan): Promise<Record<string, Tensor>> {
    const texts = plan.rows.flatMap(({ condition }) => (condition.text === undefined ? [] : [condition.text]));
    const none = texts.length === 0 && this.runtime.device !== "cpu"; // a GPU wants a row at least: one that says nothing
    if (none) texts.push(tensor("float32", [1, 1, this.around.textWidth]));
    const { states, keep, mask } = padTexts(texts, this.around.textWidth);
    if (none) keep.data.fill(0);
    const memory = await this.#sessions.once("memory", (p) => this.#memoryGraph(p), { states, keep });
    return { ...memory, "text.mask": mask };
  }

  /** What stands before the codes: a melody, then the text; nothing, in the stream that has no condition. */
  async #prefix(plan: Plan) {
    const { bins, length } = this.around.melody!;
    const width = this.config.hidden_size;
    const none = tensor("float32", [1, 1, this.around.textWidth]);
    const prefixes: Float32Array[] = [];
    const session = await this.#sessions.get("prefix", (p) => this.#prefixGraph(p));
    for (const { item, condition } of plan.rows) {
      // The stream without a condition has as many (zero) text rows as the one it is compared with.
      const other = plan.rows.find((row) => row.item === item && row.condition.text !== undefined)?.condition.text;
      const states = condition.text ?? other ?? none;
      const keep = new Float32Array(states.shape[1]!).fill(condition.text === undefined ? 0 : 1);
      const { prefix } = await session.run({
        states,
        keep: tensor("float32", [1, keep.length, 1], keep),
        chroma: oneHot([condition.melody], length, bins),
      });
      prefixes.push(prefix!.data as Float32Array);
    }
    const { prefix, starts } = alignPrefixes(prefixes, width);
    return { prefix, starts, held: { start: int64([starts.length, 1], starts) } };
  }

  #memoryGraph(p: Scope): Record<string, Value> {
    return textMemory(p.at("decoder"), this.#textStates(p), this.config);
  }

  #prefixGraph(p: Scope): Record<string, Value> {
    const { bins, length } = this.around.melody!;
    const chroma = input("chroma", "float32", ["R", length, bins]);
    const melody = project(p.at("audio_enc_to_dec_proj"), chroma, this.config.hidden_size);
    return { prefix: ops.concat([melody, this.#textStates(p)], 1) };
  }

  /** The text encoder's states at the model's width, and exactly zero where there is no text (spec §4.2). */
  #textStates(p: Scope): Value {
    const states = input("states", "float32", ["R", "L", this.around.textWidth]);
    const keep = input("keep", "float32", ["R", "L", 1]);
    const { hidden_size } = this.config;
    const projected =
      this.around.textWidth === hidden_size ? states : project(p.at("enc_to_dec_proj"), states, hidden_size);
    return ops.mul(projected, keep);
  }
}

/** @param sizes [3 width]: of queries, keys and values */
export type Watch = (layer: number, sizes: Float32Array) => void;

/** One batch on its way: what the model has read so far, as keys and values that stay beside the session. */
export class Decoding {
  #past = 0;
  #prefix: { prefix: Tensor; starts: readonly number[] } | undefined;
  readonly #starts: readonly number[];

  constructor(
    readonly config: LmConfig,
    readonly plan: Plan,
    readonly session: Session,
    readonly state: State,
    prefix: { prefix: Tensor; starts: readonly number[] } | undefined,
    readonly watch: Watch | undefined,
    /** As of the model. */
    readonly atOnce = everything,
  ) {
    this.#prefix = prefix;
    this.#starts = prefix?.starts ?? [];
  }

  /**
   * Reads `count` more columns.
   * @param columns one a batch item: [K][count] flat
   * @returns logits [rows, K, bins] after the last of them; rows as in `plan`
   */
  async step(columns: readonly Int32Array[], count: number): Promise<Float32Array> {
    assert(this.#past === 0 || count === 1, "after the first pass, columns are read one by one");
    const prefix = this.#prefix?.prefix;
    this.#prefix = undefined;
    const before = prefix?.shape[1] ?? 0;
    let logits = new Float32Array();
    for (let from = 0, to = 0; from < before + count; from = to) {
      to = Math.min(from + (this.#past === 0 ? this.atOnce : 1), before + count);
      const [first, end] = [Math.max(from - before, 0), Math.max(to - before, 0)];
      logits = await this.#read(this.#ids(columns, count, first, end), end - first, partOf(prefix, from, to));
    }
    return logits;
  }

  /** Reads columns `ids` [rows, K, count], after what stands before them. */
  async #read(ids: BigInt64Array<ArrayBuffer>, count: number, prefix: Tensor | undefined) {
    const { num_codebooks, hidden_size, crossAttention } = this.config;
    const rows = this.plan.rows.length;
    const added = count + (prefix?.shape[1] ?? 0);
    const total = this.#past + added;
    const result = await this.session.run(
      {
        columns: tensor("int64", [rows, num_codebooks, count], ids),
        positions: this.#positions(added),
        last: tensor("int32", [rows], new Int32Array(rows).fill(total - 1)),
        count: tensor("int32", [1], Int32Array.of(total)),
        ...(crossAttention ? {} : { prefix: prefix ?? tensor("float32", [rows, 0, hidden_size]) }),
      },
      this.state,
    );
    this.#past = total;
    if (this.watch !== undefined)
      for (let i = 0; i < this.config.num_hidden_layers; i++) this.watch(i, result[`size.${i}`]!.data as Float32Array);
    return result.logits!.data as Float32Array<ArrayBuffer>;
  }

  async dispose(): Promise<void> {
    await this.state.dispose();
  }

  /** Of each row, columns `first` to `end`. */
  #ids(columns: readonly Int32Array[], count: number, first: number, end: number): BigInt64Array<ArrayBuffer> {
    const { num_codebooks } = this.config;
    const ids: bigint[] = [];
    for (const { item } of this.plan.rows)
      for (let k = 0; k < num_codebooks; k++)
        for (let s = first; s < end; s++) ids.push(BigInt(columns[item]![k * count + s]!));
    return BigInt64Array.from(ids);
  }

  #positions(count: number): Tensor {
    const width = this.config.hidden_size;
    if (this.config.crossAttention) return tensor("float32", [1, count, width], positionRows(this.#past, count, width));
    // Each row counts from where its own prefix starts; what stands before that is masked.
    const data = new Float32Array(this.#starts.length * count * width);
    for (const [r, start] of this.#starts.entries())
      data.set(positionRows(this.#past - start, count, width), r * count * width);
    return tensor("float32", [this.#starts.length, count, width], data);
  }
}

/** The logits of row `row`, codebook `k`, in what `step` returned. */
export const logitsAt = (logits: Float32Array, c: LmConfig, row: number, k: number): Float32Array => {
  const start = (row * c.num_codebooks + k) * c.vocab_size;
  if (logits.length < start + c.vocab_size)
    throw new HocketError("internal", `there are no logits for row ${row}, codebook ${k}`);
  return logits.subarray(start, start + c.vocab_size);
};

// --- internal ---

/** The steps of every layer's keys and values in turn, [2 N, H, 1, d]. */
function joined(steps: CacheSteps | undefined, c: LmConfig): Record<string, Tensor> {
  if (steps === undefined) return {};
  const all = Array.from({ length: c.num_hidden_layers }, (_, i) => [
    steps[`keys.${i}.step`]!,
    steps[`values.${i}.step`]!,
  ]).flat();
  const whole = tensor("float32", [all.length, c.num_attention_heads, 1, cachedWidth(c)]);
  for (const [i, { data }] of all.entries()) whole.data.set(data, i * data.length);
  return { steps: whole };
}

/** That a step multiplies by, without the heads. */
const numbersOf = (c: LmConfig): number => c.num_hidden_layers * c.hidden_size * (8 * c.hidden_size + 2 * c.ffn_dim);

/**
 * Numbers from which on a step is shared among threads. The products of a smaller model take a few microseconds each, as long
 * as telling another thread of them: with two threads a step of the shipped model took the same time and 1.25 times as much of
 * the processors, which the codec wants meanwhile (8 layers x 256: 1.24 in fp32, 1.33 in int8).
 */
const worthSharing = 2 ** 24;

/**
 * What a GPU reads at once unless more was tried: for 32 columns and more, the runtime's attention over a cache (1.30,
 * WebGPU) goes another way, which is wrong from the fifth on where a GPU computes only four numbers in step.
 */
const surelyOnGpu = 31;

/** Columns `from` to `to` of x [R, F, width], as far as there are any. */
function partOf(x: Tensor | undefined, from: number, to: number): Tensor | undefined {
  const [rows, length, width] = (x?.shape ?? [0, 0, 0]) as [number, number, number];
  if (x === undefined || (from === 0 && to >= length)) return x;
  const [first, end] = [Math.min(from, length), Math.min(to, length)];
  const part = tensor("float32", [rows, end - first, width]);
  for (let r = 0; r < rows; r++) {
    const row = (x.data as Float32Array).subarray((r * length + first) * width, (r * length + end) * width);
    part.data.set(row, r * row.length);
  }
  return part;
}

/** Of every layer, the largest size of each channel of queries, keys and values: [1, 3 width]. */
const sizes = (p: Scope, c: LmConfig): Record<string, Value> =>
  Object.fromEntries(
    Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const qkv = p.taps.get(`decoder.model.decoder.layers.${i}.self_attn.qkv`)!;
      return [`size.${i}`, ops.reduceMax(ops.abs(qkv), [0])];
    }),
  );
const sizesKept = (c: LmConfig): Kept[] =>
  Array.from({ length: c.num_hidden_layers }, (_, i) => ({
    output: `size.${i}`,
    dtype: "float32",
    shape: [1, 3 * c.hidden_size],
  }));

function project(p: Scope, x: Value, width: number): Value {
  return unflatten(linear(p, flatten(x), width, { bias: true }), rowsOf(x));
}
