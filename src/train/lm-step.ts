/** @file A step of the language model, compiled: a batch at once, or in pieces whose gradients are summed first. */

import type { Binder } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import type { Value } from "../graph/value.js";
import type { Fed, Resident, Runtime, SessionOptions, Tensors } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { addGradients, noGradients, shareTensor, summedGradients } from "./accumulate.js";
import { clipped } from "./adamw.js";
import { averageAll, comesIn, type EmaConfig } from "./ema.js";
import type { LmGraph } from "./lm-graph.js";
import type { Optimiser } from "./optimiser.js";
import { releaseTensors } from "./state.js";
import { compileStepper, type Stepper } from "./stepper.js";

export interface Stepped {
  readonly loss: number;
  /** Cross-entropy of each codebook, [K]. */
  readonly perCodebook: Float32Array;
  /** Of the whole gradient, before it was clipped. */
  readonly norm: number;
  /** What the next step is fed: weights, and what the optimiser keeps. It stays where it was computed. */
  readonly next: Fed;
}

/** Step t, from 1, from the state's tensors and the pieces of a batch, all of one size. */
export type LmStep = (t: number, state: Fed, pieces: readonly Tensors[], rates: Tensors) => Promise<Stepped>;

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
  const graphs = stepGraphs(graph, choices);
  const steppers: Stepper[] = [];
  for (const outputs of graphs) steppers.push(await compileStepper(runtime, outputs, said, bind, options));
  const [step, last] = steppers as [Stepper, Stepper | undefined];
  const { averages } = choices;
  const averaged = averages && averageAll(graph.learnt, averages);
  const averaging = averaged && (await compileStepper(runtime, averaged, [], bind, options));
  const none = last && Object.entries(noGradients(graph.learnt)).map(([name, zeros]) => placed(runtime, name, zeros));
  const noSums: Fed = Object.fromEntries(await Promise.all(none ?? []));
  return async (t, state, batch, rates) => {
    const [kept, before] = apart(state, averaged);
    const stepped =
      last === undefined
        ? atOnce(await step({ ...kept, ...batch[0], ...rates }))
        : await inPieces(runtime, graph, [step, last], noSums, kept, batch, rates);
    if (averages === undefined || averaging === undefined) return stepped;
    // Their own graph, so that it is computed only at the steps that count.
    const weights = Object.fromEntries([...graph.learnt.keys()].map((name) => [name, stepped.next[name]!]));
    const after = comesIn(t, averages) ? await averaging({ ...weights, ...before }) : before;
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

/** What comes back of a step: the rest is the state. */
const said = ["loss", "norm", "perCodebook"];

const placed = async (runtime: Runtime, name: string, tensor: Tensor) => [name, await runtime.place(tensor)] as const;

/** The tensors of a state that `names` does not have, and those that it has. */
function apart(state: Fed, names: object = {}): [Fed, Fed] {
  const [others, named]: [[string, Tensor | Resident][], [string, Tensor | Resident][]] = [[], []];
  for (const entry of Object.entries(state)) (entry[0] in names ? named : others).push(entry);
  return [Object.fromEntries(others), Object.fromEntries(named)];
}

const atOnce = ({ loss, norm, perCodebook, ...next }: Fed): Stepped => ({
  loss: number(loss),
  norm: number(norm),
  perCodebook: numbers(perCodebook),
  next,
});

const numbers = (said: Tensor | Resident | undefined) => (said as Tensor<"float32">).data;
const number = (said: Tensor | Resident | undefined): number => numbers(said)[0]!;

/** @param noSums the gradients before the first piece */
async function inPieces(
  runtime: Runtime,
  { learnt }: LmGraph,
  [piece, last]: readonly [Stepper, Stepper],
  noSums: Fed,
  state: Fed,
  batch: readonly Tensors[],
  rates: Tensors,
): Promise<Stepped> {
  const weights = Object.fromEntries([...learnt.keys()].map((name) => [name, state[name]!]));
  const share = 1 / batch.length;
  let sums = noSums;
  let mean = 0;
  let perCodebook = new Float32Array();
  for (const part of batch) {
    const before = sums;
    const { loss, perCodebook: each, ...after } = await piece({ ...weights, ...sums, ...part, ...shareTensor(share) });
    sums = after;
    await releaseTensors(runtime, before, noSums);
    mean += share * number(loss);
    perCodebook = numbers(each).map((value, k) => (perCodebook[k] ?? 0) + share * value) as Float32Array<ArrayBuffer>;
  }
  const { norm, ...next } = await last({ ...state, ...sums, ...rates });
  await releaseTensors(runtime, sums);
  return { loss: mean, perCodebook, norm: number(norm), next };
}
