/** @file A description, its weights and a runtime become something that runs. */

import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import { multipliers } from "./blocks.js";
import { type Graph, graphOf, type StoredWeight, toOnnx } from "./onnx.js";
import type { Value } from "./value.js";

/** Finds the numbers for the weights that a graph declares, or throws an error that names what is missing or misshapen. */
export type Binder = (declared: readonly Declared[]) => Promise<ReadonlyMap<string, StoredWeight>>;

/** A weight that a graph asks for. */
export interface Declared {
  readonly name: string;
  readonly shape: readonly number[];
  /** Nothing is done with it but to multiply by it: its numbers may also come in blocks. */
  readonly multiplies?: boolean;
}

/** The weights a graph asks for: the list that a checkpoint is checked against. */
export function declaredWeights(graph: Graph): Declared[] {
  const multiplied = multipliers(graph);
  return [...graph.weights].map(([name, value]) => {
    const shape = value.shape as readonly number[];
    return multiplied.has(value) ? { name, shape, multiplies: true } : { name, shape };
  });
}

/** A session that computes `outputs` from whatever inputs they need. */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Value>>,
  bind: Binder,
  options?: SessionOptions,
): Promise<Session> {
  const graph = graphOf(outputs);
  const declared = declaredWeights(graph);
  // A matrix that is not rearranged beforehand would be unpacked from its blocks at each run: slower than as it is.
  const stored = await bind(options?.rarely === true ? declared.map(({ name, shape }) => ({ name, shape })) : declared);
  return runtime.createSession(
    toOnnx(graph, stored, (location) => runtime.external(location), runtime.device),
    options,
  );
}
