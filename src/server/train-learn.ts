/**
 * @file One run at work: its recordings become codes, then the model learns, each in a process of its own. The latter is
 * `hocket train lm`, with arguments that are made here; what it does is read from its log.
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isFile } from "#platform";
import { onwards } from "../train/lm-presets.js";
import { Problem } from "./problems.js";
import { LogReader } from "./train-diary.js";
import type { Heard } from "./train-heard.js";
import { listenProgram } from "./train-music.js";
import { type Ended, TrainProcess } from "./train-process.js";
import type { Running } from "./train-runs.js";
import type { RunRecord } from "./train-trained.js";
import type { RunState } from "./train-wire.js";

export interface Task {
  /** Of the run, and of the data that it learns from. */
  readonly folder: string;
  readonly data: string;
  readonly record: RunRecord;
  /** The file that is `hocket`. */
  readonly program: string;
  readonly threads: number | undefined;
  /** The folder of the model that learns. */
  base(): Promise<string>;
  onChange(change: Partial<RunRecord>): Promise<void>;
  /** Something has changed: so many steps are done, if that is known. */
  onNews(step?: number): void;
}

export interface Work {
  readonly running: Readonly<Running>;
  /** How it ended. */
  readonly over: Promise<Pick<RunRecord, "state" | "error">>;
  /** After the step that it is at. */
  stop(): void;
  end(milliseconds: number): Promise<void>;
}

export const isOver = (state: RunState): boolean => state === "stopped" || state === "done" || state === "failed";

export function learn(task: Task): Work {
  const { record, folder, data, threads } = task;
  const running: Running = { listened: null, secondsPerStep: null };
  const said: string[] = [];
  let process: TrainProcess | undefined;
  let [unwanted, patience, last] = [false, Number.POSITIVE_INFINITY, 0];

  let base = "";
  const begin = (module: string, args: readonly string[], of: string, onMessage: (message: unknown) => void) => {
    const onLine = (line: string) => {
      said.push(withoutPaths(line, task, base));
      void task.onChange({ said: said.slice(-lines) });
    };
    process = new TrainProcess(module, args, of, { onLine, onMessage });
    if (unwanted) void (patience < Number.POSITIVE_INFINITY ? process.end(patience) : process.stop());
    return process.ended;
  };

  const work = async (): Promise<Pick<RunRecord, "state" | "error">> => {
    base = await task.base();
    if (unwanted) return stopped;
    await task.onChange({ state: "listening", started: record.started ?? Date.now() });
    const encoding = await begin(listenProgram, ["encode", data, base, `${threads ?? ""}`], data, (message) => {
      const { done, recordings } = message as Heard & { type: "encoded" };
      running.listened = { done, recordings };
      task.onNews();
    });
    running.listened = null;
    if (unwanted) return stopped;
    if (encoding.code !== 0) return broken(encoding, said);
    await task.onChange({ state: "learning" });
    const ended = begin(task.program, await argsOf(task, base), folder, () => {});
    const reading = watch(folder, ended, running, (step) => {
      last = step;
      task.onNews(step);
    });
    const { code, ...how } = await ended;
    await reading;
    if (code === 0 && last >= record.settings.steps) return { state: "done", error: null };
    return unwanted || stopCodes.includes(code ?? -1) ? stopped : broken({ code, ...how }, said);
  };
  const over = work().catch(
    (error): Pick<RunRecord, "state" | "error"> => ({
      state: "failed",
      error: Problem.of(error).toJSON(),
    }),
  );
  return {
    running,
    over,
    stop() {
      unwanted = true;
      process?.stop();
    },
    async end(milliseconds) {
      [unwanted, patience] = [true, milliseconds];
      await process?.end(milliseconds);
    },
  };
}

// --- internal ---

/** That are remembered of what it says. */
const lines = 12;
/** Of a command that somebody else has stopped. */
const stopCodes: readonly number[] = [0, 130, 143];
const stopped = { state: "stopped", error: null } as const;

/** The words of the command line. What of them was in a request are numbers, and words to be sung. */
async function argsOf({ folder, data, record, threads }: Task, base: string): Promise<string[]> {
  const { steps, rate, rank, batch, seconds, seed, prompts } = record.settings;
  const often = Math.max(leastOften, Math.ceil(steps / checks));
  const given: Readonly<Record<string, string | number>> = {
    ...{ from: base, out: folder, steps, rate, batch, seconds, seed },
    warmup: Math.min(onwards.warmup, Math.floor(steps / 10)),
    ...(rank !== null && { lora: rank }),
    ...(threads !== undefined && { threads }),
    ...{ "save-every": often, "check-every": often, "sample-every": 2 * often },
  };
  const begun = await isFile(join(folder, "training.json"));
  return [
    ...["train", "lm", data, ...(begun ? ["--resume"] : [])],
    ...Object.entries(given).map(([option, value]) => `--${option}=${value}`),
    ...prompts.map((prompt) => `--prompt=${prompt}`),
  ];
}

/** Over a run; and not more often than after so many steps: a check takes as long as several. */
const checks = 20;
const leastOften = 5;

/** Reads the log as it grows, until the process has ended and all of it was read. */
async function watch(
  folder: string,
  ended: Promise<Ended>,
  running: Running,
  onStep: (step: number) => void,
): Promise<void> {
  const reader = new LogReader(folder);
  const began = Date.now();
  const paces: number[] = [];
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (;;) {
    const last = over;
    let more = await reader.more();
    // What a run before has left is not new.
    for (; more !== undefined; more = await reader.more()) {
      for (const { seconds } of more.lines) if (seconds !== undefined) paces.push(seconds);
      paces.splice(0, paces.length - settled);
      const written = (await stat(join(folder, "log.jsonl"))).mtimeMs >= began;
      if (written && paces.length > 1) running.secondsPerStep = paces.reduce((sum, x) => sum + x, 0) / paces.length;
      const line = more.lines.at(-1);
      if (line !== undefined) onStep(line.step);
    }
    if (last) return;
    await Promise.race([sleep(rest), ended]);
  }
}

/** Milliseconds between two looks at the log. */
const rest = 250;
/** Steps whose mean is the pace. */
const settled = 20;

function broken({ code, how }: Ended, said: readonly string[]): Pick<RunRecord, "state" | "error"> {
  if (code === undefined) {
    const detail = `the process that learns was ended (${how}): it may need more memory than there is`;
    return { state: "stopped", error: new Problem("internal", detail).toJSON() };
  }
  const detail = said.at(-1) ?? `the process that learns ended (${how})`;
  return { state: "failed", error: new Problem(code === 2 ? "unusable" : "internal", detail).toJSON() };
}

/** Where things lie is nobody's business; an option is called here what it is called there, without dashes. */
const withoutPaths = (line: string, { folder, data, record }: Task, base: string): string =>
  line
    .replaceAll(base, record.model)
    .replaceAll(folder, record.name)
    .replaceAll(data, record.music.name)
    .replace(/--([a-z])/g, "$1");
