/** @file `hocket train lm`: MusicGen from scratch, on from another, or an adapter for one, from folders of tokens. */

import { resolve } from "node:path";
import { isFolder } from "#platform";
import { HocketError } from "../errors.js";
import { musicgenAdamw } from "../train/adamw.js";
import { musicgenDAdapt } from "../train/dadapt.js";
import { musicgenEma } from "../train/ema.js";
import { initialWeights } from "../train/initial.js";
import { type LmBase, lmBase } from "../train/lm-base.js";
import { stepBytes } from "../train/lm-memory.js";
import { type Layout, type LmPreset, layouts, lmPresets } from "../train/lm-presets.js";
import { graphOf, type LmRun, lmLearner } from "../train/train-lm.js";
import type { Command, Given, Option } from "./command.js";
import { findModel } from "./models.js";
import { say } from "./report.js";
import { counted, dataOperand, positive, runOptions, runTraining, sourcesOf, whole } from "./train-run.js";

const number = (value: string, help: string): Option => ({ kind: "number", value, help });

export const trainLmCommand: Command = {
  name: "train lm",
  summary: "teach a language model to write a codec's codes, from words and melodies",
  operand: { ...dataOperand, help: `${dataOperand.help}; tokenized with the same codec ('hocket data tokenize')` },
  options: {
    codec: { kind: "text", value: "RUN", help: "the codec whose codes it learns; with --from, the model's own" },
    preset: { kind: "text", choices: Object.keys(lmPresets), help: "size and schedule; default mini" },
    ...runOptions,
    layout: {
      kind: "text",
      choices: layouts,
      help: "text attended to in every layer; or, the default, melody and text before the codes",
    },
    layers: number("N", "of the language model; default: the preset's"),
    width: number("N", "of the language model; default: the preset's"),
    heads: number("N", "of the language model; default: one for 64 of its width"),
    vocabulary: number("N", "pieces that captions are cut into, at most; default: the preset's"),
    seconds: number("S", "of each clip that it learns from; default: the preset's, or the model's"),
    accumulate: number("N", "batches whose gradients are summed to one step; default: the preset's"),
    optimiser: { kind: "text", choices: ["adamw", "dadapt"], help: "dadapt finds its own rate; --rate is then around 1" },
    drop: number("P", "how often an item learns without text and melody, as guidance needs; default 0.2"),
    "drop-melody": number("P", "how often an item learns from its text alone; default 0.5"),
    "drop-words": number("P", "how often a word is left out; default 0"),
    from: { kind: "text", value: "MODEL", help: "begin with this model: its size, words and codec" },
    lora: number("RANK", "with --from: learn an adapter of this rank, and leave the model as it is"),
    "learn-text": { kind: "flag", help: "with --from: let the text encoder learn too" },
  },
  examples: [
    "hocket train lm data/synth --codec runs/codec --out runs/lm",
    "hocket train lm data/mine --from facebook/musicgen-small --lora 16 --seconds 10 --out runs/mine",
  ],
  patience: 120,
  run,
};
