/** @file How a codec learns: what its run does at a step, how it is checked, and what it leaves to be listened to. */

import { writeFileAtomically } from "#platform";
import { encodeAudio } from "../audio/encode.js";
import { type CodecConfig, codebooksFor, hop } from "../codec/config.js";
import type { Samples } from "../codec/decoder.js";
import { compile } from "../graph/compile.js";
import { graphOf } from "../graph/onnx.js";
import { uniform } from "../lm/random.js";
import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { rateTensors } from "./adamw.js";
import { codecChecker } from "./codec-check.js";
import { writeCodec } from "./codec-files.js";
import { startBooks, startCodec } from "./codec-start.js";
import { type CodecTraining, codecStep, type SoundBatch } from "./codec-step.js";
import { codebookUse, siSnr } from "./evaluate.js";
import { pickVectors } from "./k-means.js";
import type { Json, Learner } from "./run.js";
import { rateAt, type Schedule } from "./schedule.js";
import { spectrogramPng } from "./spectrogram.js";
import { shapesOf, type TrainState } from "./state.js";

export interface CodecRun {
  readonly config: CodecConfig;
  readonly codebooks: number;
  readonly batch: number;
  /** Samples of a clip. */
  readonly samples: number;
  readonly training: CodecTraining;
  readonly schedule: Schedule;
  /**
   * The step at which k-means makes the codebooks. Until then nothing is coded, so that there is something to code: what a
   * random encoder makes of all sounds is nearly the same, and codebooks made of that stay unused for long.
   */
  readonly codedFrom: number;
  /** The step from which discriminators judge; before it, a step costs a fraction. */
  readonly judgedFrom: number;
  readonly seed: number;
}

/** What a codec hears. */
export interface Sounds {
  /** Where they come from, as the run's settings say it. */
  readonly from: Json;
  /** The sounds of a step [B C N], always the same for the same step. */
  batch(step: number): Promise<Float32Array>;
  /** Clips that it does not learn from, [clip][C][N] of one length. */
  readonly heldOut: Samples;
}

/** @param given weights to begin with, by name */
export function codecLearner(
  runtime: Runtime,
  run: CodecRun,
  sounds: Sounds,
  options: SessionOptions,
  given?: ReadonlyMap<string, Tensor>,
): Learner {
  const { config: c, training: t, batch, samples, codebooks, seed, schedule } = run;
  const full: SoundBatch = { batch, samples, codebooks };
  const step = codecStep(c, t, full);
  const hear = async (index: number) =>
    tensor("float32", [batch, c.audio_channels, samples], Float32Array.from(await sounds.batch(index)));

  const steppers = new Map<string, Promise<Stepper>>();
  const stepperFor = (shape: SoundBatch): Promise<Stepper> => {
    const key = JSON.stringify(shape);
    const made = steppers.get(key) ?? compileStep(runtime, c, t, shape, options);
    steppers.set(key, made);
    return made;
  };
  let checker: ReturnType<typeof codecChecker> | undefined;
  const heard = async ({ tensors }: TrainState) => {
    checker ??= codecChecker(runtime, c, codebooks, sounds.heldOut, options);
    return (await checker)(tensors);
  };

  return {
    settings: { ...settingsOf(run), data: sounds.from },
    shapes: new Map([
      ...shapesOf(step.start),
      ...[...step.codec, ...step.discriminators, ...step.books].map(
        ([name, { shape }]) => [name, shape as readonly number[]] as const,
      ),
    ]),
    start: async () => startCodec(step, seed, given),
    async step({ step: done, tensors }) {
      const unjudged = done < run.judgedFrom;
      const books = done < run.codedFrom ? 0 : codebooksAt(run, done);
      const stepper = await stepperFor({ ...full, codebooks: books, unjudged });
      const before = { ...tensors };
      if (done === run.codedFrom && given === undefined)
        Object.assign(
          before,
          await startBooks(runtime, c, { shape: full, seed, weights: tensors }, (i) => hear(done + i), options),
        );
      // Once there are other losses, how large each usually is has to be found out again.
      if (done === run.judgedFrom) Object.assign(before, balancerOf(step.start));
      const rate = rateAt(schedule, done);
      const fed = {
        ...before,
        ...picksFor(run, done),
        ...rateTensors(rate, done + 1, t.adam),
        sound: await hear(done),
      };
      const { numbers, next } = await stepper(fed);
      return { state: { step: done + 1, tensors: { ...before, ...next } }, numbers: { ...numbers, rate } };
    },
    async check(state) {
      if (state.step <= run.codedFrom) return {};
      const { made, grids, mel } = await heard(state);
      const use = codebookUse(grids, c.codebook_size);
      return {
        "valid.si_snr": siSnr(made, sounds.heldOut, { sampleRate: c.sampling_rate }),
        "valid.mel": mel,
        ...Object.fromEntries(use.map(({ usage }, k) => [`valid.usage.${k}`, usage])),
        ...Object.fromEntries(use.map(({ perplexity }, k) => [`valid.perplexity.${k}`, perplexity])),
      };
    },
    write: ({ tensors }, folder) => writeCodec(folder, c, tensors),
    async sample(state, folder) {
      if (state.step <= run.codedFrom) return;
      const { made } = await heard(state);
      for (const [i, coded] of made.slice(0, shown).entries()) {
        const original = sounds.heldOut[i]!;
        for (const [name, channels] of Object.entries({ original, coded }))
          await writeFileAtomically(
            `${folder}/${i + 1}-${name}.wav`,
            await encodeAudio({ sampleRate: c.sampling_rate, channels }, { format: "wav" }),
          );
        await writeFileAtomically(`${folder}/${i + 1}.png`, spectrogramPng([original[0]!, coded[0]!]));
      }
    },
  };
}

// --- internal ---

/** Clips that are written to be listened to. */
const shown = 4;

function settingsOf({ config, codebooks, batch, samples, training, schedule, codedFrom, judgedFrom, seed }: CodecRun) {
  const plain = { config, codebooks, batch, samples, training, schedule, codedFrom, judgedFrom, seed };
  return { what: "codec", ...(JSON.parse(JSON.stringify(plain)) as { [name: string]: Json }) };
}

/** A codec of several bandwidths learns a random one at each step, so that it knows them all (EnCodec, section 3.2). */
function codebooksAt({ config, codebooks, seed }: CodecRun, step: number): number {
  const bandwidths = config.target_bandwidths;
  if (bandwidths.length === 1) return codebooks;
  const chosen = bandwidths[Math.floor(uniform(seed, step, bandwidthDraw) * bandwidths.length)]!;
  return codebooksFor(config, chosen, codebooks);
}

/** Where codebooks draw, this is one past the last. */
const bandwidthDraw = 1000;

/** The vectors of a step's sounds at which dead entries start again. */
function picksFor({ config, codebooks, batch, samples, training, seed }: CodecRun, step: number) {
  if (training.rvq.deadBelow === 0) return {};
  const vectors = batch * Math.ceil(samples / hop(config));
  return Object.fromEntries(
    Array.from({ length: codebooks }, (_, k) => [
      `picks.${k}`,
      pickVectors(config.codebook_size, vectors, seed, step + 1, k),
    ]),
  );
}

const balancerOf = (start: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(start).filter(([name]) => name.startsWith("balancer.")));

/** A step: what it is fed by name (more does no harm) -> its losses, and what it changes. */
type Stepper = (fed: Readonly<Record<string, Tensor>>) => Promise<{
  readonly numbers: Record<string, number>;
  readonly next: Record<string, Tensor>;
}>;

async function compileStep(
  runtime: Runtime,
  c: CodecConfig,
  t: CodecTraining,
  shape: SoundBatch,
  options: SessionOptions,
): Promise<Stepper> {
  const { losses, next } = codecStep(c, t, shape);
  const outputs = { ...losses, ...next };
  const { inputs, weights } = graphOf(outputs);
  const needed = [...inputs.keys(), ...weights.keys()];
  const session: Session = await compile(runtime, outputs, async () => new Map(), options);
  return async (fed) => {
    const made = await session.run(Object.fromEntries(needed.map((name) => [name, fed[name]!])));
    const names = (of: object) => Object.keys(of);
    return {
      numbers: Object.fromEntries(names(losses).map((name) => [name, (made[name]!.data as Float32Array)[0]!])),
      next: Object.fromEntries(names(next).map((name) => [name, made[name]!])),
    };
  };
}
