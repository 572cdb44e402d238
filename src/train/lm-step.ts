/** @file A step of the language model, compiled: a batch at once, or in pieces whose gradients are summed first. */

import { type Binder, compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import type { Value } from "../graph/value.js";
import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { addGradients, gradientName, noGradients, shareTensor, summedGradients } from "./accumulate.js";
import { clipped } from "./adamw.js";
import type { LmGraph } from "./lm-graph.js";
import type { Optimiser } from "./optimiser.js";

type Tensors = Readonly<Record<string, Tensor>>;

export interface Stepped {
  readonly loss: number;
  /** Cross-entropy of each codebook, [K]. */
  readonly perCodebook: Float32Array;
  /** Of the whole gradient, before it was clipped. */
  readonly norm: number;
  /** What the next step is fed: weights, and what the optimiser keeps. */
  readonly next: Tensors;
}

/**
 * A step, from the state's tensors and the pieces of a batch, all of one size.
 * @param most the longest that the gradient may be
 */
export type LmStep = (state: Tensors, pieces: readonly Tensors[], rates: Tensors) => Promise<Stepped>;

export interface StepChoices {
  /** The longest that the gradient may be. */
  readonly clip: number;
  readonly optimiser: Optimiser;
  /** How many a batch comes in. */
  readonly pieces: number;
  /** Whether layers are computed again on the way back, rather than kept. */
  readonly recompute: boolean;
}

/** The graphs that a step runs: the step itself; or that of a piece, and that which learns from their sum. */
export function stepGraphs(graph: LmGraph, choices: StepChoices): readonly Readonly<Record<string, Value>>[] {
  if (choices.pieces === 1) return [stepOutputs(graph, choices)];
  const { loss, perCodebook, learnt } = graph;
  const slopes = differentiate(loss, [...learnt.values()], choices);
  const { gradients, norm } = clipped(summedGradients(learnt), choices.clip);
  return [
    { loss, perCodebook, ...addGradients(learnt, slopes) },
    { norm, ...choices.optimiser.next(learnt, gradients) },
  ];
}

export async function compileStep(
  runtime: Runtime,
  graph: LmGraph,
  choices: StepChoices,
  bind: Binder,
  options: SessionOptions,
): Promise<LmStep> {
  const sessions: Session[] = [];
  for (const outputs of stepGraphs(graph, choices)) sessions.push(await compile(runtime, outputs, bind, options));
  const [session, last] = sessions as [Session, Session | undefined];
  if (last === undefined)
    return async (state, [batch], rates) => {
      const { loss, norm, perCodebook, ...next } = await session.run({ ...state, ...batch, ...rates });
      return { loss: number(loss), norm: number(norm), perCodebook: perCodebook!.data as Float32Array, next };
    };
  return (state, batch, rates) => inPieces(graph, session, last, state, batch, rates);
}

/** @returns the outputs of one step: `loss`, `norm`, `perCodebook`, and what the next step is fed, under its names */
export function stepOutputs(
  { loss, perCodebook, learnt }: LmGraph,
  { clip, optimiser, recompute }: Omit<StepChoices, "pieces">,
): Record<string, Value> {
  const { gradients, norm } = clipped(differentiate(loss, [...learnt.values()], { recompute }), clip);
  return { loss, norm, perCodebook, ...optimiser.next(learnt, gradients) };
}

// --- internal ---

const number = (one: Tensor | undefined): number => (one!.data as Float32Array)[0]!;

async function inPieces(
  { learnt }: LmGraph,
  piece: Session,
  last: Session,
  state: Tensors,
  batch: readonly Tensors[],
  rates: Tensors,
): Promise<Stepped> {
  const weights = Object.fromEntries([...learnt.keys()].map((name) => [name, state[name]!]));
  const share = 1 / batch.length;
  let sums: Tensors = noGradients(learnt);
  let mean = 0;
  let perCodebook = new Float32Array();
  for (const part of batch) {
    const made = await piece.run({ ...weights, ...sums, ...part, ...shareTensor(share) });
    sums = Object.fromEntries([...learnt.keys()].map((name) => [gradientName(name), made[gradientName(name)]!]));
    mean += share * number(made.loss);
    const each = made.perCodebook!.data as Float32Array;
    perCodebook = each.map((value, k) => (perCodebook[k] ?? 0) + share * value) as Float32Array<ArrayBuffer>;
  }
  const { norm, ...next } = await last.run({ ...state, ...sums, ...rates });
  return { loss: mean, perCodebook, norm: number(norm), next };
}
