/** @file Writes the files that transformers.js loads for MusicGen: a decoder of two branches with random weights, and stand-ins around it. */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { noise } from "../../src/bench/noise.js";
import { randomBlocks } from "../../src/bench/random-weights.js";
import { graphOf, type StoredWeight, toOnnx } from "../../src/graph/onnx.js";
import * as ops from "../../src/graph/ops.js";
import { Message } from "../../src/graph/protobuf.js";
import { constant, input, type Value } from "../../src/graph/value.js";
import { type LmConfig, lmConfig } from "../../src/lm/config.js";
import { codec32, lmSizes, t5Base } from "../../src/published.js";
import { elementCount, tensor } from "../../src/tensor.js";
import { branch, type Form, type Weights } from "./decoder.js";

/** What transformers.js adds to the name of a file. */
const suffix: Readonly<Record<Form, string>> = { fp32: "", q8: "_quantized", q4: "_q4" };

/** A folder as transformers.js loads it, of the shapes of MusicGen small. What is before and after the decoder does next to nothing. */
export function writePeerModel(folder: string, forms: readonly Form[]): void {
  const c = lmConfig(lmSizes.small, true, "MusicGen small");
  mkdirSync(join(folder, "onnx"), { recursive: true });
  const decoder = {
    ...lmSizes.small,
    model_type: "musicgen_decoder",
    vocab_size: c.vocab_size,
    num_codebooks: c.num_codebooks,
    pad_token_id: c.vocab_size,
    bos_token_id: c.vocab_size,
    max_position_embeddings: 2048,
  };
  const config = {
    model_type: "musicgen",
    architectures: ["MusicgenForConditionalGeneration"],
    is_encoder_decoder: true,
    text_encoder: t5Base,
    audio_encoder: codec32,
    decoder,
  };
  const generation = { bos_token_id: c.vocab_size, decoder_start_token_id: c.vocab_size, pad_token_id: c.vocab_size };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "generation_config.json"), JSON.stringify(generation));
  const file = (name: string, outputs: Record<string, Value>) =>
    writeFileSync(join(folder, "onnx", name), plainNames(toOnnx(graphOf(outputs), new Map(), String)));
  const table = constant(tensor("float32", [64, c.hidden_size], noise(64 * c.hidden_size, "float32").slice()));
  file("text_encoder.onnx", { last_hidden_state: ops.gather(table, input("input_ids", "int64", ["batch_size", "L"])) });
  const codes = input("audio_codes", "int64", [1, "batch_size", c.num_codebooks, "T"]);
  file("encodec_decode.onnx", { audio_values: ops.reduceSum(ops.cast(codes, "float32"), [0, 2]) });
  for (const form of forms) writeDecoder(join(folder, "onnx"), c, form);
}

// --- internal ---

function writeDecoder(folder: string, c: LmConfig, form: Form): void {
  const name = `decoder_model_merged${suffix[form]}.onnx`;
  const weights: Weights = new Map();
  const branches = [true, false].map((later) => graphOf(branch(c, form, weights, later))) as [Graph, Graph];
  const data = `${name}_data`;
  const file = openSync(join(folder, data), "w");
  let end = 0;
  const stored = new Map(
    [...weights].map(([weight, value]): [string, StoredWeight] => {
      const bytes = numbersFor(weight, value);
      const at = end;
      end += Math.ceil(writeSync(file, bytes, 0, bytes.byteLength, at) / 64) * 64;
      return [weight, { dtype: value.dtype, data: { location: data, offset: at, length: bytes.byteLength } }];
    }),
  );
  closeSync(file);
  writeFileSync(join(folder, name), merged(branches, stored));
}

type Graph = ReturnType<typeof graphOf>;

/** Outputs are called what they are, where our files say "out:" before. */
function plainNames(model: Uint8Array): Uint8Array {
  const graph = new Message();
  const rest: Uint8Array[] = [];
  for (const { number, whole, content } of graphIn(model)) {
    rest.push(whole);
    if (number !== graphField.output) continue;
    const name = nameIn(content, 1);
    rest.pop();
    graph.message(1, new Message().string(1, name).string(2, name.slice(4)).string(4, "Identity"));
    graph.message(graphField.output, outputInfo(name.slice(4)));
  }
  return modelOf(Buffer.concat([...rest, graph.finish()]));
}

/** Random, and such that products are about as large as what they multiply. */
function numbersFor(name: string, { dtype, shape }: Value): Uint8Array | Float32Array {
  const count = elementCount(shape as number[]);
  if (name.endsWith(".zero")) return new Uint8Array(1);
  if (name.endsWith(".scale")) return Float32Array.of(1 / (74 * Math.sqrt(1024)));
  if (name.endsWith(".scales")) return randomBlocks([count, 32], { bits: 4, size: 32, search: false }).scales;
  return dtype === "float32" ? noise(count, "float32") : noise(count, "uint8");
}

/** The fields of a protobuf message, in order: their number, and their bytes with the tag. Source: protobuf.dev, "Encoding". */
function* fieldsOf(bytes: Uint8Array): Generator<{ number: number; whole: Uint8Array; content: Uint8Array }> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const length = tag % 8 === 2 ? varint() : 0;
    const content = at;
    if (tag % 8 === 0) varint();
    else if (tag % 8 === 5) at += 4;
    else at += length;
    yield { number: tag >>> 3, whole: bytes.subarray(start, at), content: bytes.subarray(content, at) };
  }
}

const graphIn = (model: Uint8Array) => [...fieldsOf([...fieldsOf(model)].find(({ number }) => number === 7)!.content)];
const nameIn = (message: Uint8Array, field: number) =>
  new TextDecoder().decode([...fieldsOf(message)].find(({ number }) => number === field)?.content);

/** Numbers of ONNX's fields. */
const graphField = { node: 1, name: 2, initialiser: 5, input: 11, output: 12 };
const tensorName = 8;

/** One file of both: what they share stands around them, and `use_cache_branch` picks the first. */
function merged(branches: readonly [Graph, Graph], stored: ReadonlyMap<string, StoredWeight>): Uint8Array {
  const parts = branches.map((graph) => graphIn(toOnnx(graph, stored, String)));
  const shared = new Map<string, Uint8Array>();
  const bodies = parts.map((fields) => {
    const body: Uint8Array[] = [];
    for (const { number, whole, content } of fields) {
      const isWeight = number === graphField.initialiser && stored.has(nameIn(content, tensorName));
      if (isWeight || number === graphField.input)
        shared.set(`${number} ${nameIn(content, isWeight ? tensorName : 1)}`, whole);
      else body.push(whole);
    }
    return Buffer.concat(body);
  });
  const outputs = [...branches[0].outputs.keys()];
  const branchOf = (name: string, body: Uint8Array) => new Message().string(1, name).bytes(6, body).int(20, 5);
  const either = new Message().string(1, "use_cache_branch");
  for (const name of outputs) either.string(2, name);
  either
    .string(4, "If")
    .message(5, branchOf("then_branch", bodies[0]!))
    .message(5, branchOf("else_branch", bodies[1]!));
  const flag = info("use_cache_branch", ops.onnxType.bool, new Message().message(1, new Message().int(1, 1)));
  const rest = new Message()
    .message(graphField.node, either)
    .string(graphField.name, "decoder")
    .message(graphField.input, flag);
  for (const name of outputs) rest.message(graphField.output, outputInfo(name));
  return modelOf(Buffer.concat([...shared.values(), rest.finish()]));
}

/** A value of a type, and of a shape if it is known. */
function info(name: string, type: number, shape?: Message): Message {
  const tensor = new Message().int(1, type);
  if (shape !== undefined) tensor.message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}

const outputInfo = (name: string): Message => info(name, ops.onnxType.float32);

function modelOf(graph: Uint8Array): Uint8Array {
  const model = new Message().int(1, 9).string(2, "hocket").bytes(7, graph);
  for (const [domain, version] of Object.entries({ "": 20, "com.microsoft": 1 }))
    model.message(8, new Message().string(1, domain).int(2, version));
  return model.finish();
}
