/**
 * @file What ONNX Runtime computes faster when it is asked in other words. The description, and what learns by it, stay as
 * they are: the graph is rewritten between being described and being written.
 */

import type { Graph } from "./onnx.js";
import { scalar } from "./ops.js";
import { type Node, node, type Value } from "./value.js";

/** The same numbers by other operators. */
export const respelled = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.flatMap((each) => (each.op === "Elu" ? elu(each) : [each])),
});

// --- internal ---

/**
 * elu(x) = max(x, exp(min(x, 0)) - 1), since exp(x) - 1 is never below x. The runtime's Elu is not written for wide
 * registers and its Exp is: four passes take half the time of the one, or nine tenths where the numbers fit no cache
 * (version 1.30, AVX2).
 */
function elu({ inputs, outputs }: Node): Node[] {
  const x = inputs[0]!;
  const like = (op: string, ...from: Value[]) => node(op, from, [x])[0]!;
  const capped = like("Min", x, scalar(0));
  const raised = like("Exp", capped);
  const lowered = like("Add", raised, scalar(-1));
  const made = [capped, raised, lowered].map(({ origin }) => (origin as { node: Node }).node);
  return [...made, { op: "Max", domain: "", inputs: [x, lowered], attributes: {}, outputs }];
}
