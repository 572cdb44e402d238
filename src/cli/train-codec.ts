/** @file `hocket train codec`: EnCodec from scratch, or on from another, from folders of sounds. */

import { type CodecConfig, codecConfig } from "../codec/config.js";
import { codecBatch } from "../data/codec-batches.js";
import { type Dataset, openDataset, type Source } from "../data/segments.js";
import { HocketError } from "../errors.js";
import { residentBytes } from "../graph/memory.js";
import { codecBase } from "../train/codec-base.js";
import { codecStep } from "../train/codec-step.js";
import { type CodecPreset, codecPresets } from "../train/presets.js";
import { type CodecRun, codecLearner, type Sounds } from "../train/train-codec.js";
import type { Command, Given } from "./command.js";
import { findModel } from "./models.js";
import { say } from "./report.js";
import { counted, dataOperand, positive, runOptions, runTraining, sourcesOf, whole } from "./train-run.js";

export const trainCodecCommand: Command = {
  name: "train codec",
  summary: "teach a codec to turn sound into codes and back",
  operand: dataOperand,
  options: {
    preset: { kind: "text", choices: Object.keys(codecPresets), help: "size and schedule; default mini" },
    ...runOptions,
    seconds: { kind: "number", value: "S", help: "of each clip it learns from; default: the preset's" },
    "judged-from": {
      kind: "number",
      value: "STEP",
      help: "when discriminators join; before, a step costs a fraction; default: the preset's",
    },
    filters: { kind: "number", value: "N", help: "channels of its outermost layer, for a preset of another width" },
    from: { kind: "text", value: "MODEL", help: "begin with this codec's weights instead of random ones" },
    "only-decoder": {
      kind: "flag",
      help: "with --from: codes keep their meaning, so that models which know them need not learn anew (see 'hocket merge')",
    },
  },
  examples: [
    "hocket train codec data/synth --out runs/codec",
    "hocket train codec data/synth:0.7 data/real:0.3 --out runs/codec --steps 20000",
  ],
  patience: 120,
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  if (given.flag("only-decoder") && given.text("from") === undefined)
    throw new HocketError(
      "bad-request",
      "--only-decoder needs --from: the codec whose codes are to keep their meaning",
    );
  const preset = codecPresets[given.text("preset") ?? "mini"]!;
  await runTraining(given, preset.steps, signal, async (runtime, options) => {
    const from = given.text("from");
    const base = from === undefined ? undefined : await codecBase((await findModel(from, signal)).folder);
    const filters = whole(given, "filters", preset.config.num_filters);
    const config = base?.config ?? codecConfig({ ...preset.config, num_filters: filters }, "--filters");
    const run = codecRun(given, preset, config, base?.codebooks);
    const { codec, discriminators, losses, next } = codecStep(config, run.training, run);
    return {
      learner: codecLearner(runtime, run, await soundsOf(sourcesOf(given), run), options, base?.weights),
      about: [
        `codec: ${counted(codec)} parameters, ${run.codebooks} codebooks of ${config.codebook_size}, ${config.sampling_rate} Hz; discriminators: ${counted(discriminators)}`,
        `a step hears ${run.batch} clips of ${run.samples / config.sampling_rate} s; discriminators join at step ${run.judgedFrom}`,
      ],
      memory: residentBytes([{ ...losses, ...next }]),
      smaller: "--batch, --seconds or --filters",
    };
  });
}

// --- internal ---

function codecRun(given: Given, preset: CodecPreset, config: CodecConfig, codebooks = preset.codebooks): CodecRun {
  const steps = whole(given, "steps", preset.steps);
  return {
    config,
    codebooks,
    batch: whole(given, "batch", preset.batch),
    samples: Math.round(positive(given, "seconds", preset.seconds) * config.sampling_rate),
    training: given.flag("only-decoder") ? { ...preset.training, onlyDecoder: true } : preset.training,
    schedule: {
      kind: "cosine",
      rate: positive(given, "rate", preset.rate),
      warmup: given.number("warmup") ?? preset.warmup,
      steps,
      floor: 0.02,
    },
    codedFrom: given.text("from") === undefined ? Math.round(preset.uncoded * steps) : 0,
    judgedFrom: given.number("judged-from") ?? Math.round(preset.unjudged * steps),
    seed: given.number("seed") ?? 1,
  };
}

/** Clips that are held out, and their length in seconds. */
const heldOut = { clips: 16, seconds: 3 };

async function soundsOf(sources: readonly Source[], run: CodecRun): Promise<Sounds> {
  const format = { sampleRate: run.config.sampling_rate, channels: run.config.audio_channels };
  const open = (split: "train" | "valid"): Promise<Dataset> => openDataset(sources, split, { ...format, warn: say });
  const [train, valid] = await Promise.all([open("train"), open("valid")]);
  const options = { batch: run.batch, seconds: run.samples / run.config.sampling_rate, seed: run.seed, augment: true };
  let ready: { step: number; batch: Promise<Float32Array> } | undefined;
  return {
    from: sources.map(({ folder, share }) => (share === undefined ? folder : `${folder}:${share}`)),
    batch(step) {
      const batch = ready?.step === step ? ready.batch : codecBatch(train, options, step);
      ready = { step: step + 1, batch: batch.then(() => codecBatch(train, options, step + 1)) };
      ready.batch.catch(() => {}); // asked for again when its turn comes
      return batch;
    },
    heldOut: await Promise.all(
      Array.from({ length: heldOut.clips }, async (_, i) => (await valid.segment(i, heldOut.seconds, 0)).samples),
    ),
  };
}
