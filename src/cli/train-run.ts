/** @file What the training commands share: the options of a run, its plan before it starts, and its progress. */

import { freemem } from "node:os";
import type { Runtime } from "#platform";
import type { Source } from "../data/segments.js";
import { type DeviceChoice, devices, loadOn } from "../devices.js";
import { HocketError } from "../errors.js";
import type { Value } from "../graph/value.js";
import type { SessionOptions } from "../platform/platform.js";
import { elementCount } from "../tensor.js";
import { checkStep, type GoldenStep } from "../train/golden-step.js";
import { type Intervals, type Learner, type Numbers, openRun, train } from "../train/run.js";
import type { Command, Given, Option } from "./command.js";
import { clear, megabytes, progress, say } from "./report.js";

export const dataOperand: NonNullable<Command["operand"]> = {
  name: "DATA",
  help: "folders made by 'hocket data'; FOLDER:0.3 gives one three tenths of what is heard",
  many: true,
};

const number = (value: string, help: string): Option => ({ kind: "number", value, help });

/** Options that every training has. */
export const runOptions: Readonly<Record<string, Option>> = {
  out: { kind: "text", value: "RUN", help: "the run's folder: model, state, log, plots, samples" },
  resume: { kind: "flag", help: "go on with the run in --out from where it was; the other options as before" },
  steps: number("N", "how many steps to learn; default: the preset's"),
  batch: number("N", "clips a step; default: the preset's"),
  rate: number("R", "highest learning rate; default: the preset's"),
  warmup: number("N", "steps over which the rate rises; default: the preset's"),
  seed: number("N", "of the first weights and of everything drawn; default 1"),
  threads: number("N", "threads to compute with; default: one a core. Another number changes the last bits"),
  device: {
    kind: "text",
    choices: devices,
    help: "where to compute (docs/devices.md); default: cpu. Another one changes the last bits",
  },
  "save-every": number("N", "steps from one save to the next; default 200"),
  "check-every": number("N", "steps from one check on held-out data to the next; default 500"),
  "sample-every": number("N", "steps from one set of samples to the next; default 1000"),
};

/** What a command makes of its options. */
export interface Prepared {
  readonly learner: Learner;
  /** Small steps, of which a device must take one as the processor does. */
  readonly golden: readonly (() => GoldenStep)[];
  /** Lines that say what will happen. */
  readonly about: readonly string[];
  /** Bytes that a step takes, where that is known. */
  readonly memory?: number;
  /** What to change where that does not fit. */
  readonly smaller: string;
}

/** Lets go of what was opened for a run. */
type Close = () => Promise<void>;

/**
 * Prepares a run, says what will happen, and learns until it is done or stopped.
 * @param prepare is told how to have what it opens closed, however the run ends
 */
export async function runTraining(
  given: Given,
  steps: number,
  signal: AbortSignal,
  prepare: (runtime: Runtime, options: SessionOptions, atEnd: (close: Close) => void) => Promise<Prepared>,
): Promise<void> {
  const out = given.text("out");
  if (out === undefined)
    throw new HocketError("bad-request", "--out: name the folder that the run shall be kept in, such as runs/first");
  const every: Intervals = {
    steps: whole(given, "steps", steps),
    save: whole(given, "save-every", 200),
    check: whole(given, "check-every", 500),
    sample: whole(given, "sample-every", 1000),
  };
  const threads = given.number("threads");
  const options = threads === undefined ? {} : { threads: whole(given, "threads", threads) };
  const asked = (given.text("device") ?? "cpu") as DeviceChoice;
  const open: Close[] = [];
  let runtime: Runtime | undefined;
  try {
    const found = await loadOn(asked, async (runtime) => {
      const prepared = await prepare(runtime, options, (close) => open.push(close));
      if (runtime.device !== "cpu") await checkDevice(runtime, prepared, options);
      return prepared;
    });
    ({ runtime } = found);
    if (asked === "auto" && found.whyNot !== undefined) say(`on the processor, since ${found.whyNot}`);
    const { learner, about } = found.loaded;
    for (const line of about) say(line);
    checkMemory(found.loaded);
    await openRun(out, learner.settings, given.flag("resume"));
    await follow(learner, out, every, signal);
  } finally {
    clear();
    await runtime?.dispose();
    await Promise.all(open.map((close) => close()));
  }
}

/** What computes beside a step: all that a run does besides learning. */
export const processorOf = (runtime: Runtime): Runtime => (runtime.device === "cpu" ? runtime : runtime.beside());

/** A whole number of at least 1. */
export function whole(given: Given, option: string, usual: number): number {
  const value = given.number(option) ?? usual;
  if (!Number.isSafeInteger(value) || value < 1)
    throw new HocketError("bad-request", `--${option}: give a whole number of at least 1, not ${value}`);
  return value;
}

/** A number above 0. */
export function positive(given: Given, option: string, usual: number): number {
  const value = given.number(option) ?? usual;
  if (!(value > 0 && Number.isFinite(value)))
    throw new HocketError("bad-request", `--${option}: give a number above 0, not ${value}`);
  return value;
}

/** A number from 0 to 1. */
export function share(given: Given, option: string, usual: number): number {
  const value = given.number(option) ?? usual;
  if (!(value >= 0 && value <= 1))
    throw new HocketError("bad-request", `--${option}: give a number from 0 to 1, not ${value}`);
  return value;
}

/** The data folders of a command line, each with its share where one is given. */
export const sourcesOf = ({ operands }: Given): Source[] =>
  operands.map((word) => {
    const [, folder, share] = /^(.+):(\d*\.?\d+)$/.exec(word) ?? [];
    return folder === undefined ? { folder: word } : { folder, share: Number(share) };
  });

const numbersIn = (weights: ReadonlyMap<string, Value>): number =>
  [...weights.values()].reduce((sum, { shape }) => sum + elementCount(shape as readonly number[]), 0);

/** "2.7 M" */
export function counted(weights: ReadonlyMap<string, Value>): string {
  const count = numbersIn(weights);
  return count < 1e6 ? `${Math.round(count / 1e3)} k` : `${(count / 1e6).toFixed(1)} M`;
}

// --- internal ---

/** A device may choose another of two codes that are equally near: then another step must show that it is no other error. */
async function checkDevice(runtime: Runtime, { golden }: Prepared, options: SessionOptions): Promise<void> {
  progress(`a step of training on ${runtime.device}, and the same on the processor`);
  for (const [i, step] of golden.entries())
    try {
      await checkStep(runtime, runtime.beside(), step(), options);
      say(`device ${runtime.device}: a step of training computes what the processor computes`);
      return;
    } catch (error) {
      if (i === golden.length - 1 || !(error instanceof HocketError && error.code === "unsupported")) throw error;
    }
}

function checkMemory({ memory, smaller }: Prepared): void {
  if (memory === undefined) return;
  say(`memory: about ${megabytes(memory)}; this machine has ${megabytes(freemem())} free`);
  if (memory > freemem())
    throw new HocketError("bad-request", `the run does not fit into memory: give a smaller ${smaller}`);
}

/** Steps after which the time that is left is said: the first ones compile and warm up. */
const settled = 5;
/** Seconds between lines where stderr is no terminal. */
const quiet = 60;

async function follow(learner: Learner, out: string, every: Intervals, signal: AbortSignal): Promise<void> {
  const clock = () => performance.now() / 1000;
  let [first, said, told] = [0, clock(), false];
  let pace: number | undefined; // seconds a step
  for await (const event of train(learner, out, every, clock, signal)) {
    if (event.type === "start") {
      first = event.step;
      say(
        `${first === 0 ? "begins" : `goes on at step ${first}`}; ${every.steps} steps, saved every ${every.save} in ${out}`,
      );
    } else if (event.type === "step") {
      const done = event.step - first;
      // The first step compiles; then a mean that forgets slowly.
      if (done > 1) pace = pace === undefined ? event.seconds : 0.95 * pace + 0.05 * event.seconds;
      const left = pace === undefined ? "" : `, ${spelled((every.steps - event.step) * pace)} left`;
      const line = `step ${event.step} of ${every.steps}${left}: ${listed(event.numbers)}`;
      progress(line);
      if (done >= settled && !told && pace !== undefined) {
        say(`${pace.toPrecision(2)} s a step: ${spelled((every.steps - event.step) * pace)} to go`);
        told = true;
      }
      if (!process.stderr.isTTY && clock() - said > quiet) {
        say(line);
        said = clock();
      }
    } else if (event.type === "check") say(`step ${event.step}, on held-out data: ${listed(event.numbers)}`);
  }
  say(signal.aborted ? `stopped; go on with --resume` : `done: ${out}`);
}

const listed = (numbers: Numbers): string =>
  Object.entries(numbers)
    .map(([name, value]) => `${name.replace(/^valid\./, "")} ${Number(value.toPrecision(3))}`)
    .join(", ");

function spelled(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
