/**
 * @file The loop in which the language model learns. `state` is exactly what a checkpoint holds, so resuming is loading it.
 */

import type { Codes } from "../codes.js";
import { HocketError } from "../errors.js";
import { type Binder, compile } from "../graph/compile.js";
import type { LmConfig } from "../lm/config.js";
import type { Runtime } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import type { T5Config } from "../text/t5.js";
import { type AdamwConfig, musicgenAdamw, rateTensors, zeroMoments } from "./adamw.js";
import { initialWeights } from "./initial.js";
import { conditionBatch, type ItemCondition } from "./lm-conditions.js";
import { type LmGraph, type LmShape, lmGraph, stepOutputs } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";
import { rateAt, type Schedule } from "./schedule.js";
import type { TrainState } from "./state.js";

export interface Batch {
  /** [B] of [K][T] */
  readonly codes: readonly Codes[];
  /** [B] */
  readonly conditions: readonly ItemCondition[];
}

export interface TrainConfig {
  readonly shape: LmShape;
  readonly schedule: Schedule;
  /** The longest that a gradient may be. */
  readonly clip: number;
  readonly adamw: AdamwConfig;
  /** Whether the text encoder learns too. */
  readonly learnText: boolean;
}

/** MusicGen's choices, where they do not depend on the machine. */
export const usualTraining = { clip: 1, adamw: musicgenAdamw, learnText: false } as const;

export interface TrainEvent {
  readonly type: "step";
  readonly state: TrainState;
  readonly loss: number;
  /** Cross-entropy of each codebook, [K]. */
  readonly perCodebook: Float32Array;
  /** Of the whole gradient, before it was clipped. */
  readonly gradientNorm: number;
  readonly rate: number;
}

/** Where training starts: from `weights` where they have one, else at random. */
export function startState(graph: LmGraph, seed: number, weights: ReadonlyMap<string, Tensor> = new Map()): TrainState {
  const random = initialWeights(new Map([...graph.learnt].filter(([name]) => !weights.has(name))), seed);
  const own = [...graph.learnt.keys()].map((name) => [name, weights.get(name) ?? random.get(name)!]);
  return { step: 0, tensors: { ...zeroMoments(graph.learnt), ...Object.fromEntries(own) } };
}

/**
 * Learns from `batches`, as many as there are or until `schedule.steps` are done.
 * @param bind finds the weights that do not learn
 * @throws HocketError "internal" when the loss is not a number: `state` of the last event is still good
 */
export async function* trainLm(
  runtime: Runtime,
  lm: LmConfig,
  t5: T5Config,
  start: TrainState,
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  config: TrainConfig,
  bind: Binder = async () => new Map(),
): AsyncGenerator<TrainEvent> {
  const graph = lmGraph(lm, t5, config.shape, config.learnText);
  const session = await compile(runtime, stepOutputs(graph, config.clip, config.adamw), async (declared) =>
    bind(declared.filter(({ name }) => !graph.learnt.has(name))),
  );
  let state = start;
  try {
    for await (const batch of batches) {
      if (state.step >= config.schedule.steps) return;
      const rate = rateAt(config.schedule, state.step);
      const { loss, norm, perCodebook, ...tensors } = await session.run({
        ...lmBatch(batch.codes, lm),
        ...conditionBatch(batch.conditions, config.shape, lm, t5),
        ...state.tensors,
        ...rateTensors(rate, state.step + 1, config.adamw),
      });
      const lost = (loss!.data as Float32Array)[0]!;
      const gradientNorm = (norm!.data as Float32Array)[0]!;
      if (!Number.isFinite(lost) || !Number.isFinite(gradientNorm)) throw blewUp(state, lost);
      state = { step: state.step + 1, tensors };
      yield { type: "step", state, loss: lost, perCodebook: perCodebook!.data as Float32Array, gradientNorm, rate };
    }
  } finally {
    await session.dispose();
  }
}

// --- internal ---

function blewUp({ step, tensors }: TrainState, loss: number): HocketError {
  const bad = Object.entries(tensors).find(([, { data }]) => (data as Float32Array).some((x) => !Number.isFinite(x)));
  const where = bad === undefined ? "every weight is still finite" : `${bad[0]} is not finite`;
  return new HocketError(
    "internal",
    `at step ${step + 1} the loss is ${loss} (${where}): lower the learning rate and go on from the last checkpoint`,
  );
}
