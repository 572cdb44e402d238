/**
 * @file Reverse mode: the gradient of a graph is more graph. Walks from the loss back to what is learnt, asks the table
 * (gradients.ts) at every node, and adds up what reaches a value by several ways.
 */

import { assert, HocketError } from "../errors.js";
import { sumTo, zerosLike } from "./backward.js";
import { gradients, stepwise } from "./gradients.js";
import * as ops from "./ops.js";
import type { Node, Value } from "./value.js";

/**
 * dL/dx for every x of `parameters`, in their shapes.
 * @param loss one number, shape []
 * @throws HocketError "unsupported" naming an operator between them that has no rule
 */
export function differentiate(loss: Value, parameters: readonly Value[]): Value[] {
  assert(loss.shape.length === 0, `a loss is one number, not [${loss.shape}]`);
  const learning = dependents(loss, parameters);
  const flowing = new Map<Value, Value>([[loss, ops.scalar(1)]]);
  for (const node of learning.toReversed()) {
    const dys = node.outputs.map((y) => flowing.get(y));
    if (dys.every((dy) => dy === undefined)) continue;
    const rule = gradients[node.op];
    if (rule === undefined)
      throw new HocketError("unsupported", `there is no gradient rule for ${node.op}, which the loss depends on`);
    for (const [i, dx] of rule(node, dys).entries()) {
      const x = node.inputs[i];
      if (x === undefined || dx === undefined || !isFloat(x)) continue;
      const known = flowing.get(x);
      const fitted = sumTo(dx, x.shape);
      flowing.set(x, known === undefined ? fitted : ops.add(known, fitted));
    }
  }
  return parameters.map((x) => flowing.get(x) ?? zerosLike(x));
}

// --- internal ---

const isFloat = (x: Value): boolean => x.dtype === "float32" || x.dtype === "float64" || x.dtype === "float16";

/** The nodes on a way from a parameter to the loss, each after those it depends on. Without recursion: graphs are deep. */
function dependents(loss: Value, parameters: readonly Value[]): Node[] {
  const learnt = new Set(parameters);
  const learns = new Map<Node, boolean>();
  const order: Node[] = [];
  const isLearning = (x: Value | undefined): boolean =>
    x !== undefined && (learnt.has(x) || (x.origin.kind === "node" && learns.get(x.origin.node) === true));
  const waiting: { node: Node; next: number }[] = [];
  const enter = (x: Value | undefined) => {
    if (x?.origin.kind !== "node" || learns.has(x.origin.node)) return;
    learns.set(x.origin.node, false);
    waiting.push({ node: x.origin.node, next: 0 });
  };
  enter(loss);
  while (waiting.length > 0) {
    const top = waiting.at(-1)!;
    if (top.next < top.node.inputs.length) {
      enter(top.node.inputs[top.next++]);
      continue;
    }
    waiting.pop();
    const learning = !stepwise.has(top.node.op) && top.node.inputs.some(isLearning);
    learns.set(top.node, learning);
    if (learning) order.push(top.node);
  }
  return order;
}
