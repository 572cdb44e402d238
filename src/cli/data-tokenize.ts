/** @file `hocket data tokenize`: the recordings of a data folder as codes, made once and kept for training. */

import type { Runtime } from "#platform";
import { tokenFormat } from "../data/token-cache.js";
import { tokenize } from "../data/tokenize.js";
import { HocketError } from "../errors.js";
import { type CodecModel, loadCodec } from "../model.js";
import type { RedisEncoder } from "../server/redis-encoder.js";
import type { Command, Given } from "./command.js";
import { findModel, withModel } from "./models.js";
import { clear, progress, say } from "./report.js";

export const dataTokenizeCommand: Command = {
  name: "data tokenize",
  summary: "encode the recordings of a data folder, once, for training a language model",
  operand: { name: "DIR", help: "a data folder, as 'hocket data make' and 'hocket data scan' make them" },
  options: {
    codec: { kind: "text", value: "MODEL", help: "a run of 'hocket train codec', or any model with a codec" },
    threads: { kind: "number", value: "N", help: "threads that decode, beside those that encode; default 1" },
    queue: {
      kind: "text",
      value: "URL",
      help: "let workers encode ('hocket worker --codec MODEL'), by the Redis at this address",
    },
    json: { kind: "flag", help: "print one line of JSON with what was made" },
  },
  examples: [
    "hocket data tokenize data/synth --codec runs/codec",
    "hocket data tokenize data/synth --codec runs/codec --queue redis://localhost:6379",
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const codec = given.text("codec");
  const bad = (what: string) => new HocketError("bad-request", `${what}; see 'hocket data tokenize --help'`);
  if (codec === undefined) throw bad("--codec is missing: name a run of 'hocket train codec', or a model");
  const threads = given.number("threads") ?? 1;
  if (!(Number.isInteger(threads) && threads >= 1)) throw bad(`--threads: ${threads} is not a whole number above 0`);
  const { folder, name } = await findModel(codec, signal);
  const load = (runtime: Runtime) => loadCodec(folder, name, runtime);
  await withModel("cpu", load, async (model) => {
    const url = given.text("queue");
    const workers = url === undefined ? undefined : await openWorkers(url, model, codec);
    try {
      await show(tokenize(given.operand, model, { threads, encoder: workers, signal }), given);
    } finally {
      await workers?.close();
    }
  });
}

async function openWorkers(url: string, model: CodecModel, codec: string): Promise<RedisEncoder> {
  const { openRedisEncoder } = await import("../server/redis-encoder.js");
  const workers = await openRedisEncoder(url, (await tokenFormat(model)).key, say);
  if ((await workers.workers()) === 0)
    say(`no worker has this codec yet; on any machine: hocket worker --queue URL --codec ${codec}`);
  return workers;
}

async function show(steps: ReturnType<typeof tokenize>, given: Given): Promise<void> {
  const began = performance.now();
  let step = await steps.next();
  let total = 0;
  for (; !step.done; step = await steps.next()) {
    const { done, recordings, seconds, skipped } = step.value;
    total = recordings;
    if (skipped !== undefined) say(`left out ${skipped}`);
    const speed = (1000 * seconds) / (performance.now() - began);
    progress(`${done} of ${recordings} recordings, ${speed.toFixed(0)} times real time`);
  }
  clear();
  const { seconds, skipped } = step.value;
  const already =
    seconds === 0 ? ", which had been encoded before" : `, ${(seconds / 60).toFixed(1)} minutes encoded now`;
  say(`${total - skipped} recordings${already}${skipped === 0 ? "" : `; ${skipped} left out`}`);
  if (given.flag("json"))
    process.stdout.write(`${JSON.stringify({ data: given.operand, recordings: total - skipped, seconds, skipped })}\n`);
}
