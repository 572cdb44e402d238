/**
 * @file How a language model learns: what a run does at a step, and how it is checked on what it does not learn from. A
 * state is exactly what a step leaves to the next, so resuming is loading it.
 */

import type { Codes } from "../codes.js";
import { type Binder, compile } from "../graph/compile.js";
import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import type { AdamwConfig } from "./adamw.js";
import { initialWeights } from "./initial.js";
import { conditionBatch, type Dropout, dropConditions, type ItemCondition } from "./lm-conditions.js";
import { type LmModel, writeLm } from "./lm-files.js";
import { type LmShape, lmGraph, stepOutputs } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";
import { adamwOptimiser } from "./optimiser.js";
import type { Json, Learner, Numbers, Settings } from "./run.js";
import { rateAt, type Schedule } from "./schedule.js";
import { shapesOf, type TrainState } from "./state.js";

export interface LmRun {
  readonly model: LmModel;
  readonly shape: LmShape;
  readonly schedule: Schedule;
  /** The longest that a gradient may be. */
  readonly clip: number;
  readonly adamw: AdamwConfig;
  readonly dropout: Dropout;
  /** Whether the text encoder learns too. */
  readonly learnText: boolean;
  readonly seed: number;
}

export interface Batch {
  /** [B] of [K][T] */
  readonly codes: readonly Codes[];
  /** [B], whole: what is left out is drawn by the run. */
  readonly conditions: readonly ItemCondition[];
}

/** What a language model reads. */
export interface Pieces {
  /** Where they come from, as the run's settings say it. */
  readonly from: Json;
  /** The batch with a number, always the same. */
  batch(index: number): Promise<Batch>;
  /** Batches that it does not learn from. */
  readonly heldOut: readonly Batch[];
}

/**
 * @param given weights to begin with, by name; those that are not there begin at random
 * @param sample writes what the model in the folder can do
 */
export function lmLearner(
  runtime: Runtime,
  run: LmRun,
  pieces: Pieces,
  options: SessionOptions = {},
  given: ReadonlyMap<string, Tensor> = new Map(),
  sample: Learner["sample"] = async () => {},
): Learner {
  const { model, shape, schedule, seed } = run;
  const graph = lmGraph(model.lm, model.t5, shape, run.learnText);
  const optimiser = adamwOptimiser(run.adamw);
  const bind = memoryBinder(model.frozen);
  const fed = ({ codes, conditions }: Batch) => ({
    ...lmBatch(codes, model.lm),
    ...conditionBatch(conditions, shape, model.lm, model.t5),
  });
  const weightsOf = (state: TrainState) =>
    Object.fromEntries([...graph.learnt.keys()].map((name) => [name, state.tensors[name]!]));

  let stepping: Promise<Session> | undefined;
  let checking: Promise<Session> | undefined;
  const moments = optimiser.start(graph.learnt);
  return {
    settings: settingsOf(run, pieces.from),
    goal: "valid.loss",
    shapes: new Map([
      ...[...graph.learnt].map(([name, { shape }]) => [name, shape as readonly number[]] as const),
      ...shapesOf(moments),
    ]),
    async start() {
      const random = initialWeights(new Map([...graph.learnt].filter(([name]) => !given.has(name))), seed);
      const weights = [...graph.learnt.keys()].map((name) => [name, given.get(name) ?? random.get(name)!]);
      return { step: 0, tensors: { ...moments, ...Object.fromEntries(weights) } };
    },
    async step(state) {
      stepping ??= compile(runtime, stepOutputs(graph, run.clip, optimiser), bind, options);
      const batch = await pieces.batch(state.step);
      const conditions = dropConditions(batch.conditions, run.dropout, seed, state.step);
      const rate = rateAt(schedule, state.step);
      const { loss, norm, perCodebook, ...tensors } = await (await stepping).run({
        ...fed({ ...batch, conditions }),
        ...state.tensors,
        ...optimiser.fed(rate, state.step + 1),
      });
      const numbers = { loss: first(loss!), ...byCodebook("loss", perCodebook!), norm: first(norm!), rate };
      return { state: { step: state.step + 1, tensors }, numbers };
    },
    async check(state) {
      checking ??= compile(runtime, { perCodebook: graph.perCodebook }, bind, options);
      return check(await checking, pieces.heldOut, (batch) => ({ ...weightsOf(state), ...fed(batch) }), shape);
    },
    write: (state, folder) => writeLm(folder, model, weightsOf(state)),
    sample,
  };
}

// --- internal ---

const first = ({ data }: Tensor): number => (data as Float32Array)[0]!;

const byCodebook = (name: string, { data }: Pick<Tensor, "data">): Numbers =>
  Object.fromEntries(Array.from(data as Float32Array, (value, k) => [`${name}.${k}`, value]));

/** Cross-entropy on what is held out: told the text alone, told nothing, and told text and melody. */
async function check(
  session: Session,
  heldOut: readonly Batch[],
  fed: (batch: Batch) => Readonly<Record<string, Tensor>>,
  { melody }: LmShape,
): Promise<Numbers> {
  const told: Record<string, (item: ItemCondition) => ItemCondition> = {
    "valid.loss": ({ text }) => ({ text }),
    "valid.loss.untold": (item) => ({ ...item, dropped: true }),
    ...(melody === undefined ? {} : { "valid.loss.melody": (item: ItemCondition) => item }),
  };
  const numbers: Record<string, number> = {};
  for (const [name, leave] of Object.entries(told)) {
    const sums: number[] = [];
    for (const batch of heldOut) {
      const { perCodebook } = await session.run(fed({ ...batch, conditions: batch.conditions.map(leave) }));
      for (const [k, value] of (perCodebook!.data as Float32Array).entries()) sums[k] = (sums[k] ?? 0) + value;
    }
    const means = sums.map((sum) => sum / heldOut.length);
    numbers[name] = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    if (name === "valid.loss") Object.assign(numbers, byCodebook(name, { data: Float32Array.from(means) }));
  }
  return numbers;
}

/** Finds weights that do not learn among tensors in memory. */
const memoryBinder =
  (tensors: Readonly<Record<string, Tensor>>): Binder =>
  async (declared) =>
    new Map(
      declared.flatMap(({ name }) => {
        const found = tensors[name];
        if (found === undefined) return []; // it learns, so it is fed
        const { buffer, byteOffset, byteLength } = found.data;
        return [[name, { dtype: found.dtype, data: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) }]];
      }),
    );

/** Everything that decides what the weights become. */
function settingsOf({ model, shape, schedule, adamw, dropout, ...run }: LmRun, from: Json): Settings {
  const { lm, t5, melody } = model;
  return {
    what: "lm",
    layout: lm.crossAttention ? "musicgen" : "musicgen_melody",
    lm: { ...lm },
    text: { ...t5 },
    melody: melody === undefined ? null : { ...melody.config, length: melody.length },
    seconds: model.window,
    ...{ batch: shape.batch, frames: shape.frames, tokens: shape.tokens },
    learnText: run.learnText,
    dropout: { ...dropout },
    schedule: { ...schedule },
    clip: run.clip,
    adamw: { ...adamw },
    data: from,
    seed: run.seed,
  };
}
