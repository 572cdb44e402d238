/** @file `hocket eval`: what a model, a codec or a data set is worth, in numbers, with how far they can be trusted. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRuntime, isFile, isFolder, makeFolder, openFolder, type Runtime, writeFileAtomically } from "#platform";
import { z } from "#zod";
import { HocketError } from "../errors.js";
import { anchorsOn } from "../eval/anchors.js";
import { ceilings } from "../eval/ceilings.js";
import { clipsOf, spread } from "../eval/clips.js";
import { type CodecScore, scoreCodec } from "../eval/codec-run.js";
import type { Progress } from "../eval/impressions.js";
import { lmText } from "../eval/lm-report.js";
import { evaluateLm } from "../eval/lm-run.js";
import { type CodecReport, codecText, dataText } from "../eval/report.js";
import { type CodecModel, loadCodec, loadModel } from "../model.js";
import { readConfig } from "../model-files.js";
import type { Command, Given } from "./command.js";
import { findFfmpeg } from "./ffmpeg.js";
import { findModel } from "./models.js";
import { clear, progress, say } from "./report.js";

export const evalCommand: Command = {
  name: "eval",
  summary: "measure a model, a codec, or how well a data set's truth can be heard",
  operand: { name: "FOLDER", help: "a run, a model, or a data set of 'hocket data make'" },
  options: {
    data: { kind: "text", value: "DIR", help: "the data set that judges; default: the one that a run was trained on" },
    real: { kind: "text", value: "DIR", help: "recordings, scanned, that a codec is also judged on" },
    codec: { kind: "text", value: "MODEL", help: "of a data set: also through this codec" },
    other: { kind: "text", value: "DIR", help: "of a data set: also the tests of another, of other fonts, say" },
    clips: { kind: "number", value: "N", help: "training clips that teach the judges, at most; default 3000" },
    tests: { kind: "number", value: "N", help: "test clips that are judged, at most; default 240" },
    prompts: { kind: "number", value: "N", help: "that a language model is asked, at most; default 240" },
    swaps: { kind: "number", value: "N", help: "pairs that differ in a word, of each of four kinds; default 16" },
    tunes: { kind: "number", value: "N", help: "that a melody model is given; default 16" },
    batch: { kind: "number", value: "N", help: "pieces composed at a time; default 16" },
    seconds: { kind: "number", value: "S", help: "of each clip; default 10" },
    threads: { kind: "number", value: "N", help: "clips heard at a time; default: one a processor core" },
    quick: { kind: "flag", help: "a tenth of it all: an impression, not a result" },
    json: { kind: "flag", help: "print JSON instead of tables" },
  },
  examples: [
    "hocket eval runs/lm",
    "hocket eval runs/codec --data data/synth --real data/real-eval",
    "hocket eval data/synth --codec runs/codec",
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const { operand } = given;
  const runtime = createRuntime();
  try {
    const isData = (await isFile(join(operand, "data.jsonl"))) || (await isFile(join(operand, "data.jsonl.gz")));
    const [kind, report, text] = isData
      ? await evalData(runtime, given, signal)
      : await evalModel(runtime, given, signal);
    clear();
    const json = `${JSON.stringify(report, null, 1)}\n`;
    if (await isFolder(operand)) {
      const folder = isData ? join(operand, "eval") : operand;
      const name = isData ? "ceilings" : "eval";
      await makeFolder(folder);
      for (const [ending, content] of [
        ["json", json],
        ["md", `# ${kind}\n\n${text}\n`],
      ] as const)
        await writeFileAtomically(join(folder, `${name}.${ending}`), new TextEncoder().encode(content));
      say(`kept in ${join(folder, `${name}.json`)} and ${name}.md`);
    }
    process.stdout.write(given.flag("json") ? json : `${text}\n`);
  } finally {
    clear();
    await runtime.dispose();
  }
}

// --- internal ---

/** Of training.json. */
const Folders = z.array(z.string());
const TrainedOn = z.object({
  data: z.union([Folders, z.object({ folders: Folders }).transform(({ folders }) => folders)]),
});

type Outcome = readonly [title: string, report: unknown, text: string];

async function evalData(runtime: Runtime, given: Given, signal: AbortSignal): Promise<Outcome> {
  const codec = given.text("codec");
  const model = codec === undefined ? undefined : await codecNamed(runtime, codec, signal);
  try {
    const options = { ...amounts(given), signal, codec: model, other: given.text("other") };
    const report = await shown(ceilings(runtime, given.operand, options));
    return ["What can be heard in true renders", report, dataText(report)];
  } finally {
    await model?.dispose();
  }
}

async function evalModel(runtime: Runtime, given: Given, signal: AbortSignal): Promise<Outcome> {
  const found = await findModel(given.operand, signal);
  const { model_type } = await readConfig(found.folder);
  if (model_type === "encodec") return evalCodec(runtime, given, signal);
  const [data] = await dataOf(given);
  if (data === undefined)
    throw new HocketError("bad-request", "--data: name the data set of 'hocket data make' that judges what is made");
  const quick = given.flag("quick");
  const model = await loadModel(found.folder, found.name, runtime, {}, found.adapters);
  try {
    const options = {
      ...amounts(given),
      signal,
      prompts: whole(given, "prompts", quick ? 24 : 240),
      swaps: whole(given, "swaps", quick ? 3 : 16),
      tunes: whole(given, "tunes", quick ? 2 : 16),
      batch: whole(given, "batch", 16),
      keep: (await isFolder(given.operand)) ? given.operand : undefined,
    };
    const report = await shown(evaluateLm(runtime, model, found.folder, data, options));
    return ["What the model makes of words", report, lmText(report)];
  } finally {
    await model.dispose();
  }
}

async function evalCodec(runtime: Runtime, given: Given, signal: AbortSignal): Promise<Outcome> {
  const { tests, seconds } = amounts(given);
  const sets = [
    ...(await dataOf(given)).map((folder) => ({ name: "held-out renders", folder })),
    ...(given.text("real") === undefined ? [] : [{ name: "real recordings", folder: given.text("real")! }]),
  ];
  if (sets.length === 0)
    throw new HocketError("bad-request", "name what the codec is judged on: --data DIR, --real DIR or both");
  const model = await codecNamed(runtime, given.operand, signal);
  try {
    const scores: CodecScore[] = [];
    for (const { name, folder } of sets) {
      const clips = spread(await clipsOf(folder, "test"), tests);
      const scoring = scoreCodec(model, name, clips, seconds, signal);
      let step = await scoring.next();
      for (; !step.done; step = await scoring.next()) progress(`${name}: ${step.value} of ${clips.length} clips`);
      scores.push(step.value);
    }
    progress("coding the last set with Opus and MP3");
    const last = spread(await clipsOf(sets.at(-1)!.folder, "test"), 16);
    const anchors = await anchorsOn(last, seconds, await findFfmpeg(), signal);
    const report: CodecReport = { kind: "codec", model: model.name, sets: scores, anchors };
    return ["What the codec keeps", report, codecText(report)];
  } finally {
    await model.dispose();
  }
}

async function codecNamed(runtime: Runtime, name: string, signal: AbortSignal): Promise<CodecModel> {
  const found = await findModel(name, signal);
  return loadCodec(found.folder, found.name, runtime);
}

/** --data, or the data set that the run's training.json names. */
async function dataOf(given: Given): Promise<string[]> {
  const named = given.text("data");
  if (named !== undefined) return [named];
  const file = (await isFolder(given.operand))
    ? await (await openFolder(given.operand)).open("training.json")
    : undefined;
  if (file === undefined) return [];
  try {
    const settings = JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
    const told = TrainedOn.safeParse(settings).data?.data[0];
    return told === undefined ? [] : [told.replace(/:[\d.]+$/, "")];
  } finally {
    await file.close();
  }
}

function amounts(given: Given) {
  const quick = given.flag("quick");
  return {
    clips: whole(given, "clips", quick ? 300 : 3000),
    tests: whole(given, "tests", quick ? 24 : 240),
    seconds: given.number("seconds") ?? 10,
    threads: whole(given, "threads", availableParallelism()),
  };
}

function whole(given: Given, option: string, usual: number): number {
  const value = given.number(option) ?? usual;
  if (!Number.isInteger(value) || value < 1)
    throw new HocketError("bad-request", `--${option}: ${value} is not a whole number above 0`);
  return value;
}

/** What a slow thing returns; meanwhile the line that changes says how far it is. */
async function shown<T>(work: AsyncGenerator<Progress, T>): Promise<T> {
  let step = await work.next();
  for (; !step.done; step = await work.next()) {
    const { what, done, of } = step.value;
    progress(`${what}: ${done} of ${of}`);
  }
  return step.value;
}
