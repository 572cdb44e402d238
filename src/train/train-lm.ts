/**
 * @file How a language model learns: what a run does at a step, and how it is checked on what it does not learn from. A
 * state is exactly what a step leaves to the next, so resuming is loading it.
 */

import type { Codes } from "../codes.js";
import { type Binder, compile } from "../graph/compile.js";
import { residentBytes } from "../graph/memory.js";
import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { writeAdapter } from "../weights/lora.js";
import type { AdamwConfig } from "./adamw.js";
import { type DAdaptConfig, distanceName } from "./dadapt.js";
import { averageAll, averages, type EmaConfig, noAverages } from "./ema.js";
import { initialWeights } from "./initial.js";
import { conditionBatch, type Dropout, dropConditions, type ItemCondition } from "./lm-conditions.js";
import { type LmModel, writeLm } from "./lm-files.js";
import { type LmGraph, type LmShape, lmGraph } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";
import { compileStep, type LmStep, type StepChoices, stepGraphs } from "./lm-step.js";
import { type LoraConfig, loraGraph } from "./lora.js";
import { misread } from "./misread.js";
import { adamwOptimiser, dadaptOptimiser, type Optimiser } from "./optimiser.js";
import type { Json, Learner, Numbers, Settings } from "./run.js";
import { rateAt, type Schedule } from "./schedule.js";
import type { TrainState } from "./state.js";

export interface LmRun {
  readonly model: LmModel;
  readonly shape: LmShape;
  readonly schedule: Schedule;
  /** The longest that a gradient may be. */
  readonly clip: number;
  readonly optimiser: OptimiserChoice;
  /** What is checked, sampled from and written, where it is not the weights of the last step. */
  readonly averages?: EmaConfig;
  /** Batches whose gradients are summed to one step. */
  readonly pieces: number;
  /** Whether layers are computed again on the way back: less memory, more time, other last bits. */
  readonly recompute?: boolean;
  readonly dropout: Dropout;
  /** How many items are misread (misread.ts); none if not said. */
  readonly misread?: number;
  /** Whether the text encoder learns too. */
  readonly learnText: boolean;
  /** An adapter learns instead of the weights, for the model `base`. */
  readonly lora?: LoraConfig & { readonly base: string };
  /** The model that it begins with. */
  readonly from?: string;
  readonly seed: number;
}

export type OptimiserChoice = ({ readonly kind: "adamw" } & AdamwConfig) | ({ readonly kind: "dadapt" } & DAdaptConfig);

export interface Batch {
  /** [B] of [K][T] */
  readonly codes: readonly Codes[];
  /** [B]: frames that are of a recording; all if not said. */
  readonly lengths?: readonly number[];
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
  heldOut(): Promise<readonly Batch[]>;
}

export interface Around {
  readonly options?: SessionOptions;
  /** Weights to begin with; those that are not there begin at random. */
  readonly given?: () => Promise<ReadonlyMap<string, Tensor>>;
  /** Finds the weights that do not learn. */
  readonly bind?: Binder;
  /** Writes what the model in a folder can do. */
  readonly sample?: Learner["sample"];
}

export function lmLearner(runtime: Runtime, run: LmRun, pieces: Pieces, around: Around = {}): Learner {
  const { model, shape, schedule, seed } = run;
  const { options = {}, given = async () => new Map<string, Tensor>(), sample = async () => {} } = around;
  const graph = graphOf(run);
  const optimiser = optimiserOf(run);
  const bind: Binder = async (declared) =>
    around.bind?.(declared.filter(({ name }) => !graph.learnt.has(name))) ?? new Map();
  const fed = ({ codes, lengths, conditions }: Batch, read = codes) => ({
    ...lmBatch(codes, model.lm, read, lengths),
    ...conditionBatch(conditions, shape, model.lm, model.t5),
  });
  /** The averages, where there are some. */
  const weightsOf = ({ tensors }: TrainState) => {
    const mean = averages(tensors);
    return Object.fromEntries([...graph.learnt.keys()].map((name) => [name, mean.get(name) ?? tensors[name]!]));
  };

  let stepping: Promise<LmStep> | undefined;
  let checking: Promise<Session> | undefined;
  return {
    settings: settingsOf(run, pieces.from),
    goal: "valid.loss",
    // What a step leaves has the shapes of what it is fed; nothing is made for that.
    shapes: new Map(
      Object.entries({
        ...optimiser.next(graph.learnt, [...graph.learnt.values()]),
        ...(run.averages && averageAll(graph.learnt, run.averages)),
      }).map(([name, { shape }]) => [name, shape as readonly number[]]),
    ),
    async start() {
      const found = await given();
      const random = initialWeights(new Map([...graph.learnt].filter(([name]) => !found.has(name))), seed);
      const weights = [...graph.learnt.keys()].map((name) => [name, found.get(name) ?? random.get(name)!]);
      const kept = { ...optimiser.start(graph.learnt), ...(run.averages && noAverages(graph.learnt)) };
      return { step: 0, tensors: { ...kept, ...Object.fromEntries(weights) } };
    },
    async step(state) {
      stepping ??= compileStep(runtime, graph, choicesOf(run), bind, options);
      const step = await stepping;
      const rate = rateAt(schedule, state.step);
      const parts = [];
      for (let i = 0; i < run.pieces; i++) {
        const index = state.step * run.pieces + i;
        const batch = await pieces.batch(index);
        const read = misread(batch.codes, { share: run.misread ?? 0, bins: model.lm.vocab_size, seed }, index);
        const conditions = dropConditions(batch.conditions, run.dropout, seed, index);
        parts.push(fed({ ...batch, conditions }, read));
      }
      const t = state.step + 1;
      const { loss, perCodebook, norm, next } = await step(t, state.tensors, parts, optimiser.fed(rate, t));
      const distance = next[distanceName];
      const numbers = {
        loss,
        ...byCodebook("ce", perCodebook),
        norm,
        rate,
        ...(distance && { distance: first(distance) }),
      };
      return { state: { step: t, tensors: next }, numbers };
    },
    async check(state) {
      checking ??= compile(runtime, { perCodebook: graph.perCodebook }, bind, options);
      return check(await checking, await pieces.heldOut(), (batch) => ({ ...weightsOf(state), ...fed(batch) }), shape);
    },
    async write(state, folder) {
      const factors = weightsOf(state);
      if (run.lora === undefined) await writeLm(folder, model, factors);
      else await writeAdapter(folder, { ...run.lora, factors });
    },
    sample,
  };
}

/** What learns, and its loss. */
export function graphOf({
  model: { lm, t5 },
  shape,
  learnText,
  lora,
}: Pick<LmRun, "model" | "shape" | "learnText" | "lora">): LmGraph {
  if (lora === undefined) return lmGraph(lm, t5, shape, learnText);
  return loraGraph((p) => lmGraph(lm, t5, shape, learnText, p), lora);
}

/** About how many bytes the process will hold that makes such steps. */
export function stepBytes(run: LmRun): number {
  const graph = graphOf(run);
  return residentBytes(stepGraphs(graph, choicesOf(run)), graph.learnt);
}

// --- internal ---

const choicesOf = (run: LmRun): StepChoices => ({
  clip: run.clip,
  optimiser: optimiserOf(run),
  averages: run.averages,
  pieces: run.pieces,
  recompute: run.recompute ?? false,
});

const first = ({ data }: Tensor): number => (data as Float32Array)[0]!;

const byCodebook = (name: string, values: ArrayLike<number>): Numbers =>
  Object.fromEntries(Array.from(values, (value, k) => [`${name}.${k}`, value]));

const optimiserOf = ({ optimiser }: LmRun): Optimiser =>
  optimiser.kind === "adamw" ? adamwOptimiser(optimiser) : dadaptOptimiser(optimiser);

/** Cross-entropy on what is held out: told the text alone, told nothing, and told text and melody. */
async function check(
  session: Session,
  heldOut: readonly Batch[],
  fed: (batch: Batch) => Readonly<Record<string, Tensor>>,
  { melody }: LmShape,
): Promise<Numbers> {
  const told: Record<string, (item: ItemCondition) => ItemCondition> = {
    "valid.loss": ({ text }) => ({ text }),
    "valid.untold": (item) => ({ ...item, dropped: true }),
    ...(melody === undefined ? {} : { "valid.melody": (item: ItemCondition) => item }),
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
    if (name === "valid.loss") Object.assign(numbers, byCodebook("valid.ce", means));
  }
  return numbers;
}

/** Everything that decides what the weights become. */
function settingsOf({ model, shape, schedule, optimiser, averages, dropout, ...run }: LmRun, from: Json): Settings {
  const { lm, t5, melody } = model;
  return {
    what: "lm",
    layout: lm.crossAttention ? "musicgen" : "musicgen_melody",
    lm: { ...lm },
    text: { ...t5 },
    melody: melody === undefined ? null : { ...melody.config, length: melody.length },
    seconds: model.window,
    ...{ batch: shape.batch, pieces: run.pieces, frames: shape.frames, tokens: shape.tokens },
    ...(run.recompute && { recompute: true }),
    from: run.from ?? null,
    learnText: run.learnText,
    lora: run.lora === undefined ? null : { ...run.lora },
    dropout: { ...dropout },
    ...(run.misread && { misread: run.misread }),
    schedule: { ...schedule },
    clip: run.clip,
    // JSON has no infinity.
    optimiser: Object.fromEntries(Object.entries(optimiser).filter(([, value]) => value !== Number.POSITIVE_INFINITY)),
    averages: averages === undefined ? null : { ...averages },
    data: from,
    seed: run.seed,
  };
}
