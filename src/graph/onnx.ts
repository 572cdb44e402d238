/**
 * @file A described graph as an ONNX file. Weights that lie in a file are pointed to, not copied, so a 13 GB checkpoint
 * passes neither through a protobuf (limit: 2 GB) nor through JavaScript. Source: onnx.proto3 of the ONNX project.
 */

import { assert } from "../errors.js";
import type { Device } from "../platform/platform.js";
import type { DType, Tensor } from "../tensor.js";
import { type Blocks, withBlocks } from "./blocks.js";
import { attendedOp } from "./causal-attention.js";
import { fused } from "./fuse.js";
import { inPieces } from "./long-products.js";
import { onnxType } from "./ops.js";
import { Message } from "./protobuf.js";
import { blockOp } from "./recompute.js";
import { respelled } from "./respell.js";
import type { Attribute, Dim, Node, Value } from "./value.js";

const irVersion = 9;
/** The version of each domain of operators: the standard's, and the runtime's own. */
const opsets: Readonly<Record<string, number>> = { "": 20, "com.microsoft": 1 };

/** What an ONNX file is made of, in an order that computes. */
export interface Graph {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly weights: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly nodes: readonly Node[];
}

/** Numbers in memory, or in a file. */
export type StoredNumbers =
  | Uint8Array
  | { readonly location: string; readonly offset: number; readonly length: number };

/** A weight's numbers, as they are stored: the type may be narrower than the graph's float32. */
export interface StoredWeight {
  readonly dtype: DType;
  readonly data: StoredNumbers;
  /** What the weight is more than these numbers: the runtime adds it once, while it loads the graph. */
  readonly added?: LowRank;
  /** The whole of it in few bits, for products. */
  readonly blocks?: Blocks;
}

/** The matrix up down, [out, in], of a rank that is low: up [out, rank], down [rank, in]. */
export interface LowRank {
  readonly up: Tensor<"float32">;
  readonly down: Tensor<"float32">;
}

/** All that `outputs` need, and nothing else. */
export function graphOf(outputs: Readonly<Record<string, Value>>): Graph {
  const inputs = new Map<string, Value>();
  const weights = new Map<string, Value>();
  const entered = new Set<Node>();
  const done = new Set<Node>(); // keeps the order of insertion: a node after its inputs
  // Depth first, but with a list of our own: a graph may be deeper than the call stack.
  const open = Object.values(outputs).reverse();
  for (let value = open.at(-1); value !== undefined; value = open.at(-1)) {
    const { origin } = value;
    if (origin.kind === "node" && !entered.has(origin.node)) {
      entered.add(origin.node);
      open.push(...origin.node.inputs.filter((each) => each !== undefined).reverse());
      continue;
    }
    open.pop();
    if (origin.kind === "node") done.add(origin.node);
    if (origin.kind !== "input" && origin.kind !== "weight") continue;
    const seen = origin.kind === "input" ? inputs : weights;
    const other = seen.get(origin.name);
    assert(other === undefined || other === value, `two different values are called ${origin.name}`);
    seen.set(origin.name, value);
  }
  return { inputs, weights, outputs: new Map(Object.entries(outputs)), nodes: [...done] };
}

/**
 * @param weights where each weight's numbers are; a weight that is not in it is an input, fed at each run: it learns
 * @param external how the file must spell a location for the runtime that will read it
 * @param device of that runtime
 */
export function toOnnx(
  described: Graph,
  weights: ReadonlyMap<string, StoredWeight>,
  external: (location: string) => string,
  device: Device = "cpu",
): Uint8Array {
  const { graph, stored } = withBlocks(described, weights);
  const message = new Message();
  const names = new Map<Value, string>();
  // What a node makes is given its output's name at once: ONNX Runtime 1.30 loses a value that is copied to an output and
  // padded for a convolution.
  for (const [name, value] of graph.outputs)
    if (value.origin.kind === "node" && !names.has(value)) names.set(value, `out:${name}`);
  const nameOf = (value: Value): string => {
    const { origin } = value;
    if (origin.kind === "input" || origin.kind === "weight") return origin.name;
    let name = names.get(value);
    if (name === undefined) {
      name = `${names.size}`;
      names.set(value, name);
      if (origin.kind === "constant") {
        const { tensor } = origin;
        message.message(5, tensorProto(name, tensor.dtype, tensor.shape, bytesOf(tensor.data), external));
      }
    }
    return name;
  };

  for (const [name, value] of graph.weights) {
    const weight = stored.get(name);
    if (weight === undefined) {
      message.message(11, valueInfo(name, value.dtype, value.shape));
      continue;
    }
    const shape = value.shape as readonly number[];
    // What is added is float32: a narrower weight is made narrow after that.
    const summed = weight.added === undefined ? value.dtype : "float32";
    const wide = summed === value.dtype ? name : `${name}:wide`;
    const whole = weight.added === undefined ? wide : `${name}:alone`;
    const same = weight.dtype === summed;
    message.message(5, tensorProto(same ? whole : `${name}:stored`, weight.dtype, shape, weight.data, external));
    if (!same) message.message(1, castProto(`${name}:stored`, whole, summed));
    if (weight.added === undefined) continue;
    for (const [factor, { dtype, shape, data }] of Object.entries(weight.added))
      message.message(5, tensorProto(`${name}:${factor}`, dtype, shape, bytesOf(data), external));
    const step = (op: string, a: string, b: string, made: string) =>
      message.message(1, new Message().string(1, a).string(1, b).string(2, made).string(4, op));
    step("MatMul", `${name}:up`, `${name}:down`, `${name}:added`);
    step("Add", whole, `${name}:added`, wide);
    if (wide !== name) message.message(1, castProto(wide, name, value.dtype));
  }
  const nodes = fused(respelled(graph, device).nodes);
  const read = new Set([...graph.outputs.values(), ...nodes.flatMap(({ inputs }) => inputs)]);
  const resultOf = (value: Value, { op }: Node): string => (!sparing.has(op) || read.has(value) ? nameOf(value) : "");
  for (const node of nodes) {
    const steps = inPieces(node) ?? [node];
    for (const [i, output] of steps.at(-1)!.outputs.entries()) names.set(output, nameOf(node.outputs[i]!));
    for (const step of steps) message.message(1, nodeProto(step, nameOf, resultOf));
  }
  message.string(2, "hocket");
  for (const [name, value] of graph.inputs) message.message(11, valueInfo(name, value.dtype, value.shape));
  for (const [name, value] of graph.outputs) {
    // A value may be an output twice, or one that nothing computes.
    if (nameOf(value) !== `out:${name}`)
      message.message(1, new Message().string(1, nameOf(value)).string(2, `out:${name}`).string(4, "Identity"));
    message.message(12, valueInfo(`out:${name}`, value.dtype, value.shape));
  }

  const model = new Message().int(1, irVersion).string(2, "hocket").message(7, message);
  for (const domain of new Set(["", ...nodes.map((node) => node.domain)]))
    model.message(8, new Message().string(1, domain).int(2, opsets[domain]!));
  return model.finish();
}

// --- internal ---

function nodeProto(
  node: Node,
  nameOf: (value: Value) => string,
  resultOf: (value: Value, node: Node) => string,
): Message {
  const message = new Message();
  const inputs = marks.has(node.op) ? node.inputs.slice(0, 1) : node.inputs;
  // Only before others: ONNX Runtime's WebGPU (1.30) takes an empty name at the end for a bias that is there, and crashes.
  const count = inputs.findLastIndex((input) => input !== undefined) + 1;
  for (const input of inputs.slice(0, count)) message.string(1, input === undefined ? "" : nameOf(input));
  for (const output of node.outputs) message.string(2, resultOf(output, node));
  message.string(4, spelling[node.op] ?? node.op).string(7, node.domain);
  for (const [name, value] of Object.entries(node.attributes)) message.message(5, attributeProto(name, value));
  return message;
}

function castProto(from: string, made: string, dtype: DType): Message {
  const to = new Message().string(1, "to").int(20, 2).int(3, onnxType[dtype]);
  return new Message().string(1, from).string(2, made).string(4, "Cast").message(5, to);
}

/** What does not make the results that nobody reads. */
const sparing: ReadonlySet<string> = new Set(["LayerNormalization"]);

/** What stands for its first input, and for the others says what that was made of. */
const marks: ReadonlySet<string> = new Set([blockOp, attendedOp]);

/** What only a derivative can tell apart, and ONNX need not. */
const spelling: Readonly<Record<string, string>> = {
  StopGradient: "Identity",
  [blockOp]: "Identity",
  [attendedOp]: "Identity",
  Reorder: "Gather",
  Scattered: "ScatterElements",
};

function attributeProto(name: string, value: Attribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") return message.float(2, value).int(20, 1);
  if (typeof value === "string") return message.string(4, value).int(20, 3);
  if ("int" in value) return message.int(3, value.int).int(20, 2);
  return message.ints(8, value).int(20, 7);
}

function tensorProto(
  name: string,
  dtype: DType,
  shape: readonly number[],
  data: StoredNumbers,
  external: (location: string) => string,
): Message {
  const message = new Message().ints(1, shape).int(2, onnxType[dtype]).string(8, name);
  if (data instanceof Uint8Array) return message.bytes(9, data);
  const entries = { location: external(data.location), offset: `${data.offset}`, length: `${data.length}` };
  for (const [key, value] of Object.entries(entries))
    message.message(13, new Message().string(1, key).string(2, value));
  return message.int(14, 1);
}

function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): Message {
  const dims = new Message();
  for (const dim of shape)
    dims.message(1, typeof dim === "number" ? new Message().int(1, dim) : new Message().string(2, dim));
  const type = new Message().int(1, onnxType[dtype]).message(2, dims);
  return new Message().string(1, name).message(2, new Message().message(1, type));
}

const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
