/**
 * @file What ONNX Runtime computes faster when it is asked in other words. The description, and what learns by it, stay as
 * they are: the graph is rewritten between being described and being written.
 */

import type { Device } from "../platform/platform.js";
import type { Graph } from "./onnx.js";
import * as ops from "./ops.js";
import { known, type Node, node, type Value } from "./value.js";

/** The same numbers by other operators: those that are faster on a device. */
export const respelled = (graph: Graph, device: Device): Graph => ({
  ...graph,
  nodes: graph.nodes.flatMap((each) => spellings[device]?.[each.op]?.(each) ?? [each]),
});

// --- internal ---

const spellings: { readonly [D in Device]?: Readonly<Record<string, (node: Node) => Node[]>> } = {
  cpu: { Elu: elu },
  webgpu: { LogSoftmax: logSoftmax, Sign: sign, Split: split },
};

/**
 * elu(x) = max(x, exp(min(x, 0)) - 1), since exp(x) - 1 is never below x. The runtime's Elu is not written for wide
 * registers and its Exp is: four passes take half the time of the one, or nine tenths where the numbers fit no cache
 * (version 1.30, AVX2).
 */
function elu({ inputs, outputs }: Node): Node[] {
  const x = inputs[0]!;
  const like = (op: string, ...from: Value[]) => node(op, from, [x])[0]!;
  const capped = like("Min", x, ops.scalar(0));
  const raised = like("Exp", capped);
  const lowered = like("Add", raised, ops.scalar(-1));
  const made = [capped, raised, lowered].map(({ origin }) => (origin as { node: Node }).node);
  return [...made, { op: "Max", domain: "", inputs: [x, lowered], attributes: {}, outputs }];
}

/**
 * With m the largest, log(softmax(x)) = x - m - log(sum(exp(x - m))). The runtime has no LogSoftmax for WebGPU (1.30): all
 * logits of a step of training would go to the processor and back.
 */
function logSoftmax({ inputs, outputs }: Node): Node[] {
  const x = inputs[0]!;
  const most = ops.reduceMax(x, [-1]);
  const lowered = ops.sub(x, most);
  const raised = ops.exp(lowered);
  const sum = ops.reduceSum(raised, [-1]);
  const size = ops.log(sum);
  const made = [most, lowered, raised, sum, size].map(({ origin }) => (origin as { node: Node }).node);
  return [...made, { op: "Sub", domain: "", inputs: [lowered, size], attributes: {}, outputs }];
}

/** 1 if it is above 0, minus 1 if it is below: WebGPU has no Sign either. */
function sign({ inputs, outputs }: Node): Node[] {
  const x = inputs[0]!;
  const above = ops.less(ops.scalar(0), x);
  const below = ops.less(x, ops.scalar(0));
  const terms = [above, below].map((each) => ops.cast(each, "float32")) as [Value, Value];
  const made = [above, below, ...terms].map(({ origin }) => (origin as { node: Node }).node);
  return [...made, { op: "Sub", domain: "", inputs: terms, attributes: {}, outputs }];
}

/** Buffers that every GPU lets a kernel have: what is cut, and the pieces. */
const buffers = 8;

/** Into many pieces, one by one: the runtime's Split (1.30) is one kernel with a buffer for each. */
function split(node: Node): Node[] {
  const [x] = node.inputs;
  if (node.outputs.length < buffers) return [node];
  const axis = (node.attributes.axis as { int: number }).int;
  let from = 0;
  return node.outputs.map((piece): Node => {
    const to = from + known(piece.shape[axis], "the size of a piece");
    const inputs = [x, ops.ints([from]), ops.ints([to]), ops.ints([axis])];
    from = to;
    return { op: "Slice", domain: "", inputs, attributes: {}, outputs: [piece] };
  });
}
