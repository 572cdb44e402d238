/** @file A step of the language model, compiled: a batch at once, or in pieces whose gradients are summed first. */

import { type Binder, compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import type { Value } from "../graph/value.js";
import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { addGradients, gradientName, noGradients, shareTensor, summedGradients } from "./accumulate.js";
import { clipped } from "./adamw.js";
import { averageAll, comesIn, type EmaConfig } from "./ema.js";
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

/** Step t, from 1, from the state's tensors and the pieces of a batch, all of one size. */
export type LmStep = (t: number, state: Tensors, pieces: readonly Tensors[], rates: Tensors) => Promise<Stepped>;

export interface StepChoices {
  /** The longest that the gradient may be. */
  readonly clip: number;
  readonly optimiser: Optimiser;
  /** Averages of the weights that are kept beside them. */
  readonly averages?: EmaConfig | undefined;
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
  const { averages } = choices;
  const averaged = averages && averageAll(graph.learnt, averages);
  const averaging = averaged && (await compile(runtime, averaged, bind, options));
  return async (t, state, batch, rates) => {
    const [kept, before] = apart(state, averaged);
    const stepped =
      last === undefined
        ? atOnce(await session.run({ ...kept, ...batch[0], ...rates }))
        : await inPieces(graph, session, last, kept, batch, rates);
    if (averages === undefined || averaging === undefined) return stepped;
    // Their own graph, so that at all other steps they need not be carried to the computing thread and back.
    const weights = Object.fromEntries([...graph.learnt.keys()].map((name) => [name, stepped.next[name]!]));
    const after = comesIn(t, averages) ? await averaging.run({ ...weights, ...before }) : before;
    return { ...stepped, next: { ...stepped.next, ...after } };
  };
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

/** The tensors of a state that `names` does not have, and those that it has. */
function apart(state: Tensors, names: object = {}): [Tensors, Tensors] {
  const [others, named]: [[string, Tensor][], [string, Tensor][]] = [[], []];
  for (const entry of Object.entries(state)) (entry[0] in names ? named : others).push(entry);
  return [Object.fromEntries(others), Object.fromEntries(named)];
}

const atOnce = ({ loss, norm, perCodebook, ...next }: Tensors): Stepped => ({
  loss: number(loss),
  norm: number(norm),
  perCodebook: perCodebook!.data as Float32Array,
  next,
});

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
