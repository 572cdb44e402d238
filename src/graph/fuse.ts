/**
 * @file Pairs of operators that the runtime has as one, and does not find by itself. A sum that is then normalised becomes
 * SkipLayerNormalization, which gives both: two passes over the rows instead of four, and one operator less.
 */

import { input, type Node, type Value } from "./value.js";

/** The same computation in fewer operators. Source of the joint one: ONNX Runtime's contrib operators. */
export function fused(nodes: readonly Node[]): Node[] {
  const normalised = new Map<Node, Node>(); // of a sum
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const node of nodes) {
    // Its mean and deviation, which a slope is made of, the joint operator does not give.
    const alone = node.op === "LayerNormalization" && !node.outputs.slice(1).some((each) => read.has(each));
    const sum = alone ? madeBy(node.inputs[0]!) : undefined;
    if (sum !== undefined && isSumOfRows(sum) && !normalised.has(sum)) normalised.set(sum, node);
  }
  const gone = new Set(normalised.values());
  return nodes.flatMap((node) => {
    const norm = normalised.get(node);
    return norm !== undefined ? [joint(node, norm)] : gone.has(node) ? [] : [node];
  });
}

// --- internal ---

const madeBy = ({ origin }: Value): Node | undefined => (origin.kind === "node" ? origin.node : undefined);

function isSumOfRows({ op, inputs, outputs }: Node): boolean {
  const { shape } = outputs[0]!;
  const flat = shape.length === 2 || shape.length === 3;
  return op === "Add" && flat && inputs.every((x) => `${x!.shape}` === `${shape}`); // nothing is stretched
}

function joint(sum: Node, norm: Node): Node {
  return {
    op: "SkipLayerNormalization",
    domain: "com.microsoft",
    inputs: [...sum.inputs, ...norm.inputs.slice(1)],
    attributes: { epsilon: norm.attributes.epsilon! },
    outputs: [norm.outputs[0]!, leftOut, leftOut, sum.outputs[0]!],
  };
}

/** An output that is not asked for has an empty name: here the mean, and one over the deviation. */
const leftOut: Value = input("", "float32", []);
