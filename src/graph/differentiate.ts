/**
 * @file Reverse mode: the gradient of a graph is more graph. Walks from the loss back to what is learnt, asks the table
 * (gradients.ts) at every node, and adds up what reaches a value by several ways.
 */

import { assert, HocketError } from "../errors.js";
import { sumTo, zerosLike } from "./backward.js";
import { gradients, stepwise } from "./gradients.js";
import * as ops from "./ops.js";
import { blockAgain, blockOp } from "./recompute.js";
import type { Node, Value } from "./value.js";

export interface DifferentiateOptions {
  /** Whether the values inside of blocks (recompute.ts) are computed a second time rather than kept: less memory, more time. */
  readonly recompute?: boolean;
}

/**
 * dL/dx for every x of `parameters`, in their shapes.
 * @param loss one number, shape []
 * @throws HocketError "unsupported" naming an operator between them that has no rule
 */
export function differentiate(
  loss: Value,
  parameters: readonly Value[],
  { recompute = false }: DifferentiateOptions = {},
): Value[] {
  assert(loss.shape.length === 0, `a loss is one number, not [${loss.shape}]`);
  return pullBack(loss, ops.scalar(1), parameters, dependents(loss, parameters), recompute);
}

// --- internal ---

/** dL/dx for every x of `parameters`, given dL/dy and what is between them. */
function pullBack(
  y: Value,
  dy: Value,
  parameters: readonly Value[],
  { order, isLearning }: Dependents,
  recompute: boolean,
): Value[] {
  const flowing = new Map<Value, Value>([[y, dy]]);
  const flow = (x: Value, dx: Value) => {
    const known = flowing.get(x);
    const fitted = sumTo(dx, x.shape);
    flowing.set(x, known === undefined ? fitted : ops.add(known, fitted));
  };
  for (const node of order.toReversed()) {
    const dys = node.outputs.map((y) => flowing.get(y));
    if (dys.every((dy) => dy === undefined)) continue;
    if (recompute && node.op === blockOp) {
      const [end, start] = node.inputs as [Value, Value];
      const again = blockAgain(node, dependents(end, [start], false).order, dys[0]!, isLearning);
      // What is behind the block's inputs is not the block's. A block inside of it is in memory anyway, for this while.
      const inside = dependents(again.y, again.learning, false);
      const slopes = pullBack(again.y, dys[0]!, again.learning, inside, false);
      for (const [x, dx] of again.passedOn(slopes)) flow(x, dx);
      continue;
    }
    const rule = gradients[node.op];
    if (rule === undefined)
      throw new HocketError("unsupported", `there is no gradient rule for ${node.op}, which the loss depends on`);
    for (const [i, dx] of rule(node, dys).entries()) {
      const x = node.inputs[i];
      if (x !== undefined && dx !== undefined && isFloat(x)) flow(x, dx);
    }
  }
  return parameters.map((x) => flowing.get(x) ?? zerosLike(x));
}

const isFloat = (x: Value): boolean => x.dtype === "float32" || x.dtype === "float64" || x.dtype === "float16";

interface Dependents {
  /** The nodes on a way from a parameter to the loss, each after those it depends on. */
  readonly order: readonly Node[];
  readonly isLearning: (x: Value | undefined) => boolean;
}

/**
 * Without recursion: graphs are deep.
 * @param behind whether one parameter may depend on another, and pass on what it is given
 */
function dependents(loss: Value, parameters: readonly Value[], behind = true): Dependents {
  const learnt = new Set(parameters);
  const learns = new Map<Node, boolean>();
  const order: Node[] = [];
  const isLearning = (x: Value | undefined): boolean =>
    x !== undefined && (learnt.has(x) || (x.origin.kind === "node" && learns.get(x.origin.node) === true));
  const waiting: { node: Node; next: number }[] = [];
  const enter = (x: Value | undefined) => {
    if (x?.origin.kind !== "node" || learns.has(x.origin.node) || (!behind && learnt.has(x))) return;
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
  return { order, isLearning };
}
