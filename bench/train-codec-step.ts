/** @file Does a step of the codec's training keep up with PyTorch? Run as a program, it measures our side. */

import type { Row } from "../src/bench/row.js";
import { codecConfig } from "../src/codec/config.js";
import * as whole from "../src/codec/whole.js";
import { differentiate } from "../src/graph/differentiate.js";
import * as ops from "../src/graph/ops.js";
import { input, Scope } from "../src/graph/value.js";
import { elementCount, tensor } from "../src/tensor.js";
import { adamwAll, encodecAdam, rateInputs, rateTensors, zeroMoments } from "../src/train/adamw.js";
import { l1 } from "../src/train/distance.js";
import { initialCodec } from "../src/train/initial-codec.js";
import { quantizeAndLearn, rvqTraining } from "../src/train/rvq-training.js";
import { melScales, multiScaleMel } from "../src/train/spectral.js";
import { besideTorch, measureSteps, type Stepping, waves } from "./train-step.js";

/** Seconds of sound, without discriminators. */
const setting = {
  filters: 16,
  ratios: [8, 5, 4, 2],
  rate: 16000,
  batch: 8,
  codebooks: 4,
  bins: 1024,
  width: 128,
  lstms: 2,
};

export const trainCodecRows = (): Promise<Row[]> => besideTorch("train-codec-step", setting);

if (process.argv[1] === import.meta.filename) await ours(JSON.parse(process.argv[2]!) as typeof setting & Stepping);

// --- internal ---

async function ours(s: typeof setting & Stepping): Promise<void> {
  const config = codecConfig(
    {
      sampling_rate: s.rate,
      num_filters: s.filters,
      upsampling_ratios: s.ratios,
      hidden_size: s.width,
      num_lstm_layers: s.lstms,
      codebook_size: s.bins,
      use_causal_conv: false,
      use_conv_shortcut: false,
    },
    "the benchmark",
  );
  const shape = [s.batch, 1, s.rate];
  const sound = input("sound", "float32", shape);
  const [p, tables] = [new Scope(), new Scope()];
  const coded = quantizeAndLearn(tables, whole.encoder(p, sound, config), s.codebooks, config, {
    ...rvqTraining,
    deadBelow: 0,
  });
  const made = whole.decoder(p, coded.quantized, config);
  const losses = [l1(made, sound), multiScaleMel(made, sound, melScales(s.rate)), coded.penalty];
  const loss = losses.reduce(ops.add);
  const slopes = differentiate(loss, [...p.weights.values()]);
  const books = [...tables.weights].map(([name, { shape }]) => {
    const size = shape as readonly number[];
    return [
      name,
      tensor(
        "float32",
        size,
        waves(elementCount(size)).map((x) => Math.abs(x) + 0.1),
      ),
    ] as const;
  });
  const fed = { sound: tensor("float32", shape, waves(elementCount(shape))) };
  await measureSteps(
    { loss, ...coded.next, ...adamwAll(p.weights, slopes, rateInputs(), encodecAdam) },
    { ...zeroMoments(p.weights), ...Object.fromEntries(initialCodec(p.weights, 1)), ...Object.fromEntries(books) },
    (step) => ({ ...fed, ...rateTensors(3e-4, step, encodecAdam) }),
    s,
  );
}
