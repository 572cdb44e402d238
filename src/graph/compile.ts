/** @file A description, its weights and a runtime become something that runs. */

import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import { type Graph, graphOf, type StoredWeight, toOnnx } from "./onnx.js";
import type { Value } from "./value.js";

/** Finds the numbers for the weights that a graph declares, or throws an error that names what is missing or misshapen. */
export type Binder = (
  declared: readonly { name: string; shape: readonly number[] }[],
) => Promise<ReadonlyMap<string, StoredWeight>>;

/** The weights a graph asks for: the list that a checkpoint is checked against. */
export const declaredWeights = (graph: Graph): { name: string; shape: readonly number[] }[] =>
  [...graph.weights].map(([name, value]) => ({ name, shape: value.shape as readonly number[] }));

/** A session that computes `outputs` from whatever inputs they need. */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Value>>,
  bind: Binder,
  options?: SessionOptions,
): Promise<Session> {
  const graph = graphOf(outputs);
  const stored = await bind(declaredWeights(graph));
  return runtime.createSession(
    toOnnx(graph, stored, (location) => runtime.external(location)),
    options,
  );
}
