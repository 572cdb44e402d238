/** @file `hocket generate`: a prompt in, sound files out. */

import type { Runtime } from "#platform";
import { duration } from "../audio/waveform.js";
import { writeCodes } from "../codes-file.js";
import { HocketError } from "../errors.js";
import { loadModel, type MusicModel } from "../model.js";
import { generate } from "../musicgen.js";
import { checkPrecision, type Precision, precisions } from "../precision.js";
import { type FinishedPiece, type GenerateEvent, GenerateRequest, parseRequest, type Settings } from "../request.js";
import { regionFrom, regionOptions, sectionOption, sectionsFrom } from "./arranging.js";
import type { Command, Given, Option } from "./command.js";
import {
  adaptersFrom,
  deviceFrom,
  deviceOption,
  findModel,
  licenceNotice,
  loraOption,
  modelOption,
  withModel,
} from "./models.js";
import { checkOutputs, freeName, numbered, outputOption, overwriteOption, save, slug } from "./output.js";
import { clear, progress, say, wrote } from "./report.js";
import { software } from "./software.js";
import { readSound, type SoundFormat, soundBytes, soundFormat, soundOptions } from "./sound-files.js";
import { threadsFrom, threadsOption } from "./threads.js";

const asked = GenerateRequest.shape;
const number = (field: keyof typeof asked, value: string): Option => ({
  kind: "number",
  value,
  help: asked[field].description!,
});
const usual = { loudness: "loudness", bits: 16 } as const;

export const generateCommand: Command = {
  name: "generate",
  summary: "turn words into music",
  operand: { name: "PROMPT", help: `a prompt in quotes; "" leaves everything to the model`, optional: true },
  options: {
    output: outputOption("where to write; default: a new name made of prompt and seed; several pieces are numbered"),
    duration: number("duration", "SECONDS"),
    section: sectionOption,
    seed: number("seed", "N"),
    variations: number("variations", "N"),
    model: modelOption,
    lora: loraOption,
    guidance: number("guidance", "X"),
    temperature: number("temperature", "X"),
    "top-k": number("topK", "N"),
    "top-p": number("topP", "P"),
    greedy: { kind: "flag", help: asked.greedy.description! },
    melody: { kind: "text", value: "FILE", help: `${asked.melody.description}: wav, mp3, flac, ogg or opus` },
    continue: { kind: "text", value: "FILE", help: `${asked.continue.description}; it counts towards the duration` },
    ...regionOptions,
    stride: number("stride", "SECONDS"),
    ...soundOptions(usual),
    codes: { kind: "text", value: "FILE", help: "also write the codes, as `hocket encode` does" },
    precision: {
      kind: "text",
      choices: ["auto", ...precisions],
      help: "of the language model's weights while computing; default: auto, the fastest at full quality",
    },
    device: deviceOption,
    threads: threadsOption,
    overwrite: overwriteOption,
    json: { kind: "flag", help: "print one line of JSON with what was made and how fast" },
  },
  examples: [
    'hocket generate "warm lo-fi piano with soft drums" -o piano.wav --seed 7',
    'hocket generate "drop" --continue intro.wav --duration 12',
    'hocket generate "string quartet" --melody hum.wav --model facebook/musicgen-melody',
    'hocket generate --section "slow piano:8" --section "drums come in:8"',
    'hocket generate "slow piano" --regenerate piano.codes.safetensors --from 4 --to 6',
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  if (given.operands.length === 0 && given.texts("section").length === 0)
    throw new HocketError(
      "bad-request",
      "generate needs a prompt in quotes, or --section; see 'hocket generate --help'",
    );
  const words = requestFrom(given);
  const { sampleRate, ...region } = await regionFrom(given);
  // Everything that can be wrong without the model is said before it is loaded.
  const { prompt } = parseRequest({ ...words, ...region }, flagOf);
  const threads = threadsFrom(given);
  const precision = precisionFrom(given);
  const format = soundFormat(given, given.text("output"), usual);
  const codesPath = given.text("codes");
  const seed = words.seed ?? freshSeed();
  const count = words.variations ?? 1;
  const title = [slug([prompt].flat()[0]!), seed].filter((part) => part !== "").join("-");
  const output = given.text("output") ?? freeName(title, `.${format.format}`, count);
  const paths = numbered(output, count);
  const codesPaths = codesPath === undefined ? [] : numbered(codesPath, count);
  await checkOutputs([...paths, ...codesPaths], given.flag("overwrite"));
  const request = { ...words, ...region, seed, ...(await soundsFrom(given)) };
  parseRequest(request, flagOf); // also what does not go with a sound

  const started = performance.now();
  const added = await adaptersFrom(given.texts("lora"));
  const { folder, name, adapters } = await findModel(given.text("model"), signal);
  const called = [name, ...given.texts("lora")].join(" + ");
  const onQuantising = (done: number, all: number) =>
    progress(`quantising the weights, once for this model: ${Math.floor((100 * done) / all)} %`);
  const options = { ...threads, precision, onQuantising };
  const load = (runtime: Runtime) => loadModel(folder, called, runtime, options, [...adapters, ...added]);
  await withModel(deviceFrom(given), load, async (model, { device, whyNot }) => {
    signal.throwIfAborted();
    if (sampleRate !== undefined && sampleRate !== `${model.codec.sampleRate}`)
      throw new HocketError(
        "bad-request",
        `--regenerate: the codes are of sound at ${sampleRate} Hz, and ${model.name} makes it at ${model.codec.sampleRate} Hz: name the take's model`,
      );
    let settings: Settings | undefined;
    let notes: readonly string[] = [];
    for await (const event of generate(model, request, { signal })) {
      if (event.type === "start") ({ settings, notes } = event);
      if (event.type === "progress") showProgress(event);
      if (event.type !== "done") continue;
      const files = [];
      for (const [i, piece] of event.pieces.entries()) {
        const made = provenance(model, piece, settings!);
        files.push({ path: paths[i]!, bytes: await soundBytes(piece.waveform, format, made) });
        if (codesPaths[i] !== undefined) files.push({ path: codesPaths[i], bytes: codesFile(model, piece, settings!) });
      }
      await save(files, signal);
      // Said when there is something to use: whoever gets an error gets one line.
      for (const line of [licenceNotice(model.name, model.licence), ...notes]) say(line);
      if (precision === "auto" && (given.text("precision") !== undefined || model.precision !== "fp32"))
        say(`precision ${model.precision}: picked as the fastest for this model at full quality`);
      if (deviceFrom(given) === "auto")
        say(
          `device ${device}: picked, ${whyNot === undefined ? "it computes what the processor does" : `since ${whyNot}`}`,
        );
      const seconds = (performance.now() - started) / 1000;
      finish(event, { model, settings: settings!, paths, codesPaths, format, json: given.flag("json"), seconds });
    }
  });
}

// --- internal ---

/** Of `sections.1.duration` the second --section, of `regenerate.to` --to. */
function flagOf(field: string): string {
  const [first, second] = field.split(".") as [string, string?];
  if (first === "sections") return second === undefined ? "--section" : `--section ${Number(second) + 1}`;
  const name = first === "regenerate" && second !== undefined && second !== "take" ? second : first;
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const freshSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0]!;

/** The request's words and numbers; what was not given stays out, so that the model's defaults hold. */
function requestFrom(given: Given) {
  const all = {
    duration: given.number("duration"),
    seed: given.number("seed"),
    variations: given.number("variations"),
    guidance: given.number("guidance"),
    temperature: given.number("temperature"),
    topK: given.number("top-k"),
    topP: given.number("top-p"),
    stride: given.number("stride"),
    sections: sectionsFrom(given),
    greedy: given.flag("greedy") ? true : undefined,
  };
  const stated = Object.entries(all).filter(([, value]) => value !== undefined);
  return {
    ...(given.operands.length === 0 ? {} : { prompt: given.operand }),
    ...(Object.fromEntries(stated) as { [K in keyof typeof all]?: NonNullable<(typeof all)[K]> }),
  };
}

function precisionFrom(given: Given): Precision | "auto" {
  const asked = (given.text("precision") ?? "auto") as Precision | "auto";
  checkPrecision(asked, deviceFrom(given));
  return asked;
}

async function soundsFrom(given: Given) {
  const [melody, intro] = [given.text("melody"), given.text("continue")];
  return {
    ...(melody === undefined ? {} : { melody: await readSound(melody) }),
    ...(intro === undefined ? {} : { continue: await readSound(intro) }),
  };
}

function showProgress(event: GenerateEvent & { type: "progress" }): void {
  const { step, steps, stepsPerSecond, realTimeFactor, secondsLeft } = event;
  progress(
    `composing ${step}/${steps}, ${stepsPerSecond.toFixed(0)} steps/s, ${realTimeFactor.toFixed(1)} x real time, ${secondsLeft.toFixed(0)} s left`,
  );
}

const provenance = (model: MusicModel, piece: FinishedPiece, settings: Settings) => ({
  software,
  model: model.name,
  licence: model.licence ?? "not stated",
  prompt: piece.prompt,
  seed: piece.seed,
  settings: { ...settings },
});

const codesFile = (model: MusicModel, piece: FinishedPiece, { sections }: Settings): Uint8Array =>
  writeCodes([{ codes: [piece.codes] }], {
    sample_rate: `${model.codec.sampleRate}`,
    frame_rate: `${model.codec.frameRate}`,
    model: model.name,
    prompt: piece.prompt,
    ...(sections === undefined ? {} : { sections: JSON.stringify(sections) }),
    seed: `${piece.seed}`,
    software,
  });

interface Made {
  model: MusicModel;
  settings: Settings;
  paths: readonly string[];
  codesPaths: readonly string[];
  format: SoundFormat;
  json: boolean;
  seconds: number;
}

function finish(
  event: GenerateEvent & { type: "done" },
  { model, settings, paths, codesPaths, format, json, seconds }: Made,
): void {
  clear();
  if (!json) {
    for (const [i, piece] of event.pieces.entries())
      wrote(
        paths[i]!,
        `${duration(piece.waveform)} s, seed ${piece.seed}, composed at ${event.realTimeFactor.toFixed(1)} x real time`,
      );
    return;
  }
  const made = event.pieces.map((piece, i) => ({
    file: paths[i],
    ...(codesPaths[i] === undefined ? {} : { codes: codesPaths[i] }),
    prompt: piece.prompt,
    seed: piece.seed,
    duration: duration(piece.waveform),
    sampleRate: piece.waveform.sampleRate,
    channels: piece.waveform.channels.length,
  }));
  const speed = { composeSeconds: event.seconds, totalSeconds: seconds, realTimeFactor: event.realTimeFactor };
  process.stdout.write(
    `${JSON.stringify({ model: model.name, licence: model.licence, ...format, settings, pieces: made, ...speed })}\n`,
  );
}
