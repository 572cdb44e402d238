/** @file `hocket train lm`: MusicGen from scratch, on from another, or an adapter for one, from folders of tokens. */

import { resolve } from "node:path";
import { isFile, isFolder, openFolder, type Runtime } from "#platform";
import { openTokens } from "../data/lm-batches.js";
import { openDataset } from "../data/segments.js";
import { type TokenFormat, tokenFormat } from "../data/token-cache.js";
import { HocketError } from "../errors.js";
import { type CodecModel, loadCodec } from "../model.js";
import { readTokenizer } from "../model-files.js";
import type { Folder, SessionOptions } from "../platform/platform.js";
import { musicgenAdamw } from "../train/adamw.js";
import { musicgenDAdapt } from "../train/dadapt.js";
import { averagesFor } from "../train/ema.js";
import { firstWeights } from "../train/first-weights.js";
import { codecPart, type LmBase, lmBase, partTensors, tokenizerBytes } from "../train/lm-base.js";
import type { LmModel } from "../train/lm-files.js";
import { goldenLm } from "../train/lm-golden.js";
import { piecesOf, promptsOf, type Split } from "../train/lm-pieces.js";
import { configsFor, type LmSchedule, layouts, lmPresets, usualSchedule } from "../train/lm-presets.js";
import { writeSamples } from "../train/lm-samples.js";
import { usualMixing } from "../train/lm-text.js";
import { checkWords, fingerprint, learnVocabulary, roomFor, type Vocabulary } from "../train/lm-vocabulary.js";
import { graphOf, type LmRun, lmLearner, stepBytes } from "../train/train-lm.js";
import type { Command, Given, Option } from "./command.js";
import { findModel } from "./models.js";
import { say } from "./report.js";
import {
  counted,
  dataOperand,
  type Prepared,
  positive,
  processorOf,
  runOptions,
  runTraining,
  share,
  sourcesOf,
  whole,
} from "./train-run.js";

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
    recompute: { kind: "flag", help: "compute layers twice: two thirds of the memory, a seventh more time" },
    optimiser: {
      kind: "text",
      choices: ["adamw", "dadapt"],
      help: "dadapt finds its own rate; --rate is then around 1",
    },
    drop: number("P", "how often an item learns without text and melody, as guidance needs; default 0.2"),
    "drop-melody": number("P", "how often an item learns from its text alone; default 0.5"),
    "drop-words": number("P", "how often a word is left out; default 0"),
    misread: number("P", "how often an item's codes are misread on purpose, so that words matter more; default 0"),
    from: { kind: "text", value: "MODEL", help: "begin with this model: its size, words and codec" },
    lora: number("RANK", "with --from: learn an adapter of this rank, and leave the model as it is"),
    prompt: { kind: "text", many: true, value: "WORDS", help: "what samples are of; default: held-out captions" },
    "learn-text": { kind: "flag", help: "with --from: let the text encoder learn too" },
  },
  examples: [
    "hocket train lm data/synth --codec runs/codec --out runs/lm",
    "hocket train lm data/mine --from facebook/musicgen-small --lora 16 --seconds 10 --out runs/mine",
  ],
  patience: 120,
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const schedule = scheduleOf(given);
  await runTraining(given, schedule.steps, signal, (runtime, options, atEnd) =>
    prepare(given, { runtime, options, signal, atEnd }),
  );
}

// --- internal ---

const scheduleOf = (given: Given): LmSchedule =>
  usualSchedule(given.text("preset"), given.text("from") !== undefined, given.number("lora") !== undefined);

/** What a run is prepared with. */
interface Workplace {
  readonly runtime: Runtime;
  readonly options: SessionOptions;
  readonly signal: AbortSignal;
  atEnd(close: () => Promise<void>): void;
}

async function prepare(given: Given, place: Workplace): Promise<Prepared> {
  const { runtime, options } = place;
  const out = given.text("out")!;
  const start = await startOf(given, place);
  const { base, format } = start;
  const split = (name: "train" | "valid") => splitOf(given, name, format, place);
  const [train, valid] = [await split("train"), await split("valid")];
  const entries = train.dataset.places.map(({ entry }) => entry);
  const { wordless } = checkWords(entries);
  const words = await vocabularyOf(given, start, entries);
  const room = roomFor(entries, words.tokenizer);
  const run = await runOf(given, start, words, room.tokens);
  const { model, shape } = run;
  const from = {
    folders: sourcesOf(given).map(({ folder, share }) => (share === undefined ? folder : `${folder}:${share}`)),
    codec: format.key,
    words: await fingerprint(words),
    wordsDropped: share(given, "drop-words", 0),
  };
  const mixing = { ...usualMixing, word: from.wordsDropped };
  const seconds = shape.frames / model.frameRate;
  const reading = { shape, tokenizer: words.tokenizer, seconds, seed: run.seed, mixing, from };
  const pieces = piecesOf(train, valid, reading);
  const graph = graphOf(run);
  const learner = lmLearner(runtime, run, pieces, {
    options,
    given: async () => {
      if (base === undefined) return firstWeights(model, run.seed);
      return run.lora === undefined ? base.weights(graph.learnt.keys()) : new Map();
    },
    ...(base && { bind: base.bind }),
    async sample(state, folder) {
      await learner.write(state, out);
      const prompts = await promptsOf(valid, seconds, model.melody !== undefined, given.texts("prompt"));
      await writeSamples(processorOf(runtime), out, folder, prompts, { ...options, seconds, seed: run.seed });
    },
  });
  return {
    learner,
    golden: [() => goldenLm(run, base?.bind)],
    about: [
      `language model: ${counted(graph.learnt)} numbers learn${run.lora === undefined ? "" : " (an adapter)"}; ${model.lm.num_hidden_layers} layers of ${model.lm.hidden_size}, ${model.lm.num_codebooks} codebooks of ${model.lm.vocab_size}, layout ${model.melody === undefined ? "musicgen" : "musicgen_melody"}`,
      `a step reads ${shape.batch * run.pieces} clips of ${seconds} s with up to ${shape.tokens} tokens of text; ${entries.length} recordings to learn from, ${valid.dataset.places.length} held out`,
      ...(wordless === 0 ? [] : [`${wordless} recordings have no caption or tags: they teach without words`]),
      ...(room.cut === 0
        ? []
        : [`${(100 * room.cut).toPrecision(2)} % of the captions are longer than that, and are cut`]),
    ],
    memory: stepBytes(run),
    smaller: `--batch, --seconds or --width${run.recompute ? "" : ", or --recompute"}`,
  };
}

interface Start {
  readonly codec: { readonly folder: Folder; readonly model: CodecModel };
  readonly format: TokenFormat;
  readonly base: LmBase | undefined;
  readonly folder: Folder | undefined;
}

/** What the run is built on. @throws HocketError "bad-request" for options that contradict it */
async function startOf(given: Given, { runtime, signal, atEnd }: Workplace): Promise<Start> {
  const [from, named] = [given.text("from"), given.text("codec")];
  const bad = (what: string) => new HocketError("bad-request", what);
  if (from === undefined)
    for (const option of ["lora", "learn-text"])
      if (given.number(option) !== undefined || given.flag(option))
        throw bad(`--${option} is about a model to go on with: name one with --from`);
  const name = named ?? from;
  if (name === undefined) throw bad("--codec: name the codec whose codes are to be learnt, such as runs/codec");
  const found = from === undefined ? undefined : await findModel(from, signal);
  if (found !== undefined && found.adapters.length > 0)
    throw bad(`--from ${from} is an adapter: make a model of it first with 'hocket merge'`);
  const base = found && (await lmBase(found.folder));
  if (base !== undefined) {
    atEnd(() => base.close());
    checkAsked(given, base, from!);
  }
  const load = async (folder: Folder, name: string) => {
    const model = await loadCodec(folder, name, processorOf(runtime));
    atEnd(() => model.checkpoint.close());
    return model;
  };
  const { folder } = name === from ? found! : await findModel(name, signal);
  const codec = { folder, model: await load(folder, name) };
  const format = await tokenFormat(codec.model);
  if (found !== undefined && name !== from) {
    const own = await tokenFormat(await load(found.folder, from!));
    if (own.key !== format.key)
      throw bad(`--codec ${name} is not the codec that ${from} writes codes for: leave it out`);
  }
  if (base?.melody !== undefined && JSON.stringify(base.melody.config) !== JSON.stringify(format.chroma))
    throw bad(`${from} hears melodies in another way than the tokens do: only its text could be learnt`);
  return { codec, format, base, folder: found?.folder };
}

/** A model's size is its own: options may repeat it. */
function checkAsked(given: Given, { lm }: LmBase, from: string): void {
  const own = {
    layers: lm.num_hidden_layers,
    width: lm.hidden_size,
    heads: lm.num_attention_heads,
    layout: lm.crossAttention ? "musicgen" : "musicgen_melody",
  };
  for (const [option, value] of Object.entries(own)) {
    const asked = option === "layout" ? given.text(option) : given.number(option);
    if (asked !== undefined && asked !== value)
      throw new HocketError("bad-request", `--${option} ${asked}: ${from} has ${value}; leave the option out`);
  }
  if (given.number("vocabulary") !== undefined)
    throw new HocketError("bad-request", `--vocabulary: ${from} has its own words; leave the option out`);
}

async function splitOf(
  given: Given,
  split: "train" | "valid",
  format: TokenFormat,
  { atEnd }: Workplace,
): Promise<Split> {
  const dataset = await openDataset(sourcesOf(given), split, { ...format, warn: say });
  const tokens = await openTokens(dataset, format);
  atEnd(() => tokens.close());
  return { dataset, tokens };
}

/** The words of the model that it begins with, of the run that goes on, or those of the captions. */
async function vocabularyOf(
  given: Given,
  { folder }: Start,
  entries: Parameters<typeof learnVocabulary>[0],
): Promise<Vocabulary> {
  const out = given.text("out")!;
  const resumed = given.flag("resume") && (await isFile(`${out}/tokenizer.json`));
  const own = folder ?? (resumed ? await openFolder(out) : undefined);
  if (own !== undefined) return { tokenizer: await readTokenizer(own), files: await tokenizerBytes(own) };
  const { text } = lmPresets[given.text("preset") ?? "mini"]!;
  return learnVocabulary(entries, whole(given, "vocabulary", text.vocabulary));
}

async function runOf(
  given: Given,
  { base, codec, format, folder }: Start,
  words: Vocabulary,
  tokens: number,
): Promise<LmRun> {
  const preset = lmPresets[given.text("preset") ?? "mini"]!;
  const schedule = scheduleOf(given);
  const part = await codecPart(codec.folder);
  const { frameRate } = codec.model.codec;
  const seconds = positive(given, "seconds", base?.window ?? preset.seconds);
  const frames = Math.round(seconds * frameRate);
  if (frames < 1) throw new HocketError("bad-request", `--seconds ${seconds} is shorter than a frame of the codec`);
  const learnText = base === undefined || given.flag("learn-text");
  const sizes = base ?? fresh(given, format, codec.model, words.tokenizer.vocabSize, frames);
  const frozen = learnText ? {} : await partTensors(folder!, "text_encoder");
  const model: LmModel = {
    ...{ lm: sizes.lm, t5: sizes.t5, melody: sizes.melody, frameRate, codec: part.json, tokenizer: words.files },
    window: base?.window ?? seconds,
    frozen: { ...part.tensors, ...frozen },
    ...(base && { given: base.given }),
  };
  const steps = whole(given, "steps", schedule.steps);
  const own = given.text("optimiser") === "dadapt";
  const [rank, from] = [given.number("lora"), given.text("from")];
  return {
    model,
    shape: {
      ...{ batch: whole(given, "batch", schedule.batch), frames, tokens },
      ...(model.melody && { melody: { bins: model.melody.config.bins, length: model.melody.length } }),
    },
    schedule: {
      kind: "cosine",
      rate: positive(given, "rate", own ? 1 : schedule.rate),
      warmup: given.number("warmup") ?? schedule.warmup,
      steps,
    },
    clip: 1,
    optimiser: own
      ? { kind: "dadapt", ...musicgenDAdapt }
      : { kind: "adamw", ...musicgenAdamw, inLayers: schedule.inLayers },
    averages: averagesFor(steps),
    pieces: whole(given, "accumulate", schedule.pieces),
    recompute: given.flag("recompute"),
    dropout: { guidance: share(given, "drop", 0.2), melody: share(given, "drop-melody", 0.5) },
    misread: share(given, "misread", 0),
    learnText: learnText && rank === undefined,
    seed: given.number("seed") ?? 1,
    ...(from !== undefined && { from }),
    ...(rank !== undefined && {
      lora: {
        rank: whole(given, "lora", rank),
        alpha: 2 * rank,
        base: (await isFolder(from!)) ? resolve(from!) : from!,
      },
    }),
  };
}

/** The numbers of a model from scratch. */
function fresh(given: Given, format: TokenFormat, { codec, sides }: CodecModel, vocabulary: number, frames: number) {
  const preset = lmPresets[given.text("preset") ?? "mini"]!;
  const layout = (given.text("layout") ?? "musicgen_melody") as (typeof layouts)[number];
  const width = whole(given, "width", preset.width);
  const heads = width === preset.width || width % 64 !== 0 ? preset.heads : width / 64;
  const sizes = {
    ...{ width, text: preset.text },
    layers: whole(given, "layers", preset.layers),
    heads: whole(given, "heads", heads),
  };
  const { codebooks, config } = codec;
  const { lm, t5 } = configsFor(sizes, { codebooks, bins: config.codebook_size, sides }, layout, vocabulary);
  const length = 1 + Math.floor((frames * format.hop) / format.chroma.hop);
  return { lm, t5, melody: layout === "musicgen" ? undefined : { config: format.chroma, length } };
}
