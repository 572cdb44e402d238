/**
 * @file How much memory a graph will take, before it is tried: its nodes in the order in which the runtime executes them,
 * each value from the node that makes it to the last that reads it.
 */

import { assert } from "../errors.js";
import { bytesPerElement } from "../tensor.js";
import { type Graph, graphOf } from "./onnx.js";
import type { Node, Value } from "./value.js";

/**
 * The most bytes of numbers that are there at once while the graph runs: what it is fed, what it returns, its constants and
 * everything in between.
 * @param outputs of a graph whose sizes are all known
 */
export function peakBytes(outputs: Readonly<Record<string, Value>>): number {
  const graph = graphOf(outputs);
  const order = executionOrder(graph);
  const buffers = new Buffers(order, Object.values(outputs));
  for (const value of [...graph.inputs.values(), ...graph.weights.values(), ...constantsOf(order)]) buffers.hold(value);
  for (const [at, node] of order.entries()) buffers.run(node, at);
  return buffers.peak;
}

/**
 * About how much memory the process will hold after some rounds of these graphs, each fed what the one before made; in
 * bytes. What a process holds besides numbers, and what the runtime needs to compile a graph and to multiply, is fitted.
 * Measured after a few steps, and in parentheses what this says, in GB: a language model of 6 layers x 256 on 8 x 500 codes
 * 1.80 (1.89), with `recompute` 1.11 (1.07), in two pieces 1.41 (1.43); the codec of the preset mini, judged, on 8 x 0.25 s
 * 1.20 (1.07), on 4 x 0.25 s 0.87 (0.88). A fifth more is prudent.
 * @param learnt the weights that are fed; the others are bound. If not said, all are fed
 */
export function residentBytes(
  graphs: readonly Readonly<Record<string, Value>>[],
  learnt?: ReadonlyMap<string, Value>,
): number {
  let [bytes, fed, peak] = [process, 0, 0];
  for (const outputs of graphs) {
    const { nodes, inputs, weights } = graphOf(outputs);
    const fedWeights = [...weights].filter(([name]) => learnt?.has(name) ?? true).map(([, weight]) => weight);
    fed = Math.max(fed, total([...inputs.values(), ...fedWeights]));
    peak = Math.max(peak, peakBytes(outputs));
    bytes += perNode * nodes.length + 3 * total(constantsOf(nodes)); // a constant is copied to compile it
  }
  return bytes + 1.25 * peak + 4 * fed; // fitted when what is fed crossed threads as copies: it stays now, and takes less
}

/**
 * The order in which ONNX Runtime executes a graph: from its last result backwards, depth first, and of what a node reads
 * that first which stands last in the file.
 */
export function executionOrder({ nodes }: Graph): Node[] {
  const index = new Map(nodes.map((node, i) => [node, i]));
  const read = new Set(nodes.flatMap((node) => sourcesOf(node)));
  const order: Node[] = [];
  const entered = new Set<Node>();
  const open = nodes.filter((node) => !read.has(node)).map((node) => ({ node, done: false }));
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    const { node, done } = top;
    if (done) order.push(node);
    if (done || entered.has(node)) continue;
    entered.add(node);
    open.push({ node, done: true });
    const sources = sourcesOf(node).sort((a, b) => index.get(a)! - index.get(b)!);
    for (const source of sources) if (!entered.has(source)) open.push({ node: source, done: false });
  }
  return order;
}

// --- internal ---

/** In bytes: Node with the runtime in it, and a node of a compiled graph. */
const [process, perNode] = [120e6, 25e3];

const total = (values: Iterable<Value>): number => [...values].reduce((sum, value) => sum + bytesOf(value), 0);

const constantsOf = (nodes: readonly Node[]): Set<Value> =>
  new Set(nodes.flatMap(({ inputs }) => inputs.flatMap((each) => (each?.origin.kind === "constant" ? [each] : []))));

const sourcesOf = ({ inputs }: Node): Node[] =>
  inputs.flatMap((value) => (value?.origin.kind === "node" ? [value.origin.node] : []));

/** The same bytes under another shape or name. */
const renaming: ReadonlySet<string> = new Set([
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Identity",
  "StopGradient",
  "Block",
  "Attended",
]);

/** Written over an input of the same size that nobody else will read. */
const inPlace: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Div", "Neg", "Abs", "Sign", "Sqrt", "Relu", "Exp", "Log", "Erf", "Tanh", "Sigmoid", "Elu"],
  ...["LeakyRelu", "Softmax", "LogSoftmax", "Cast", "ScatterND", "ScatterElements", "Scattered"],
]);

interface Held {
  readonly bytes: number;
  /** The last node that reads it, by its place in the order. */
  last: number;
}

class Buffers {
  peak = 0;
  #now = 0;
  readonly #of = new Map<Value, Held>();
  readonly #folded = new Set<Node>();
  readonly #lastRead = new Map<Value, number>();
  readonly #readers = new Map<Value, Node[]>();
  /** What ends at a place of the order. */
  readonly #ending: Held[][];

  constructor(order: readonly Node[], outputs: readonly Value[]) {
    this.#ending = order.map(() => []);
    for (const [at, { inputs }] of order.entries())
      for (const value of inputs)
        if (value !== undefined) {
          this.#lastRead.set(value, at);
          this.#readers.set(value, [...(this.#readers.get(value) ?? []), order[at]!]);
        }
    for (const value of outputs) this.#lastRead.set(value, order.length);
  }

  /** Fed before the first node, and there until the end. */
  hold(value: Value): void {
    const held = { bytes: bytesOf(value), last: Number.POSITIVE_INFINITY };
    this.#of.set(value, held);
    this.#grow(held.bytes);
  }

  run(node: Node, at: number): void {
    if (this.#isFolded(node)) this.#fold(node);
    else this.#compute(node, at);
    for (const held of this.#ending[at]!) if (held.last === at) this.#now -= held.bytes;
  }

  #compute(node: Node, at: number): void {
    for (const output of node.outputs) {
      const last = this.#lastRead.get(output);
      if (last === undefined) continue;
      const over = this.#reused(node, output, at);
      if (over === undefined) this.#make(output, last);
      else this.#keep(output, over, last);
    }
  }

  /** Whether its result is known beforehand: the runtime computes it once, and keeps it. */
  #isFolded = ({ inputs }: Node): boolean =>
    inputs.every(
      (each) =>
        each === undefined ||
        each.origin.kind === "constant" ||
        (each.origin.kind === "node" && this.#folded.has(each.origin.node)),
    );

  #fold(node: Node): void {
    this.#folded.add(node);
    for (const output of node.outputs) if (this.#readByOther(output)) this.hold(output);
  }

  /** Is it read by what is not folded itself? */
  #readByOther = (value: Value): boolean => (this.#readers.get(value) ?? []).some((reader) => !this.#isFolded(reader));

  /** The buffer that the node's result is in already. */
  #reused(node: Node, output: Value, at: number): Held | undefined {
    const [source] = node.inputs;
    if (renaming.has(node.op) || this.#isReadTurned(node)) return source && this.#of.get(source);
    if (!inPlace.has(node.op)) return undefined;
    const size = bytesOf(output);
    return node.inputs
      .map((each) => each && this.#of.get(each))
      .find((held) => held !== undefined && held.last === at && held.bytes === size);
  }

  /** A product reads a transposed matrix from where it lies. */
  #isReadTurned({ op, attributes, outputs }: Node): boolean {
    const perm = attributes.perm as readonly number[] | undefined;
    if (op !== "Transpose" || perm === undefined) return false;
    const rank = perm.length;
    const turned = perm.every((axis, i) => axis === (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));
    return turned && (this.#readers.get(outputs[0]!) ?? []).every((reader) => reader.op === "MatMul");
  }

  #make(output: Value, last: number): void {
    const held = { bytes: bytesOf(output), last };
    this.#of.set(output, held);
    this.#ending[last]?.push(held);
    this.#grow(held.bytes);
  }

  #keep(output: Value, held: Held, last: number): void {
    this.#of.set(output, held);
    held.last = Math.max(held.last, last);
    this.#ending[held.last]?.push(held);
  }

  #grow(bytes: number): void {
    this.#now += bytes;
    this.peak = Math.max(this.peak, this.#now);
  }
}

function bytesOf({ shape, dtype }: Value): number {
  const sizes = shape.map((dim) => {
    assert(typeof dim === "number", `a value of shape [${shape}] has no size yet`);
    return dim;
  });
  return sizes.reduce((product, size) => product * size, bytesPerElement(dtype));
}
