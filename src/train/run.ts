/**
 * @file A training run as a plain folder: its settings (`training.json`), the state that it goes on from
 * (`state.safetensors`), its diary (`log.jsonl`), plots, samples, and at every save the model itself, in the layout that
 * loads. Whatever ends a run, it goes on from its last state as if nothing had happened.
 */

import { isFolder, makeFolder, openFolder, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import { appendLine, type LogLine, rewindLog } from "./log.js";
import { writePlots } from "./plot.js";
import { type LiveState, loadState, type StateShapes, saveState, type TrainState } from "./state.js";

export type Numbers = Readonly<Record<string, number>>;
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Settings = Readonly<Record<string, Json>>;

/** What learns, as a run sees it. */
export interface Learner {
  /** Everything that decides what the weights become. */
  readonly settings: Settings;
  /** The number of a check by which the best state is kept, in `best/`: the smallest is best. */
  readonly goal?: string;
  /** What a state of it holds. */
  readonly shapes: StateShapes;
  /** The state before the first step. */
  start(): Promise<TrainState>;
  /** One step, and what it says of itself; each number must be finite. */
  step(state: LiveState): Promise<{ readonly state: LiveState; readonly numbers: Numbers }>;
  read(state: LiveState): Promise<TrainState>;
  /** The state `after` has come in the place of `before`, which will not be used again. */
  release(before: LiveState, after: LiveState): Promise<void>;
  /** How good the state is on what it does not learn from. */
  check(state: LiveState): Promise<Numbers>;
  /** Writes the state as a model that loads. */
  write(state: TrainState, folder: string): Promise<void>;
  /** Writes what the state can do, to be listened to. */
  sample(state: TrainState, folder: string): Promise<void>;
}

/** How often, in steps. */
export interface Intervals {
  readonly steps: number;
  readonly save: number;
  readonly check: number;
  readonly sample: number;
}

export type RunEvent =
  | { readonly type: "start"; readonly step: number }
  | { readonly type: "step"; readonly step: number; readonly numbers: Numbers; readonly seconds: number }
  | { readonly type: "check"; readonly step: number; readonly numbers: Numbers }
  | { readonly type: "saved"; readonly step: number };

/**
 * Learns until `every.steps` are done, or `signal` is aborted: then the state is saved first.
 * @param clock seconds, from whenever
 * @throws HocketError "internal" when a number is not finite any more (the last good state is saved), "disk" when it cannot
 * be written (the state before is still there)
 */
export async function* train(
  learner: Learner,
  run: string,
  every: Intervals,
  clock: () => number,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  const first = (await saved(run, learner.shapes)) ?? (await learner.start());
  let state: LiveState = first;
  const lines: LogLine[] = await rewindLog(run, state.step);
  const note = async (line: LogLine) => {
    lines.push(line);
    await appendLine(run, line);
  };
  const keep = async () => {
    const read = await learner.read(state);
    await learner.write(read, run);
    await saveState(`${run}/${stateName}`, read);
    await writePlots(run, lines);
  };
  yield { type: "start", step: state.step };
  if (state.step === 0) await saveState(`${run}/${stateName}`, first);
  let kept = state.step;
  while (state.step < every.steps && !signal.aborted) {
    const before = clock();
    const next = await learner.step(state);
    const wrong = Object.entries(next.numbers).find(([, value]) => !Number.isFinite(value));
    if (wrong !== undefined) {
      if (kept < state.step) await keep();
      throw blewUp(await learner.read(next.state), state.step, wrong);
    }
    await learner.release(state, next.state);
    state = next.state;
    const seconds = clock() - before;
    await note({ step: state.step, ...next.numbers, seconds: Number(seconds.toFixed(3)) });
    yield { type: "step", step: state.step, numbers: next.numbers, seconds };
    const due = (steps: number) => state.step % steps === 0 || state.step === every.steps;
    if (due(every.check)) {
      const numbers = await learner.check(state);
      const before = Math.min(...lines.flatMap((line) => line[learner.goal ?? ""] ?? []));
      await note({ step: state.step, ...numbers });
      if (learner.goal !== undefined && numbers[learner.goal]! < before) {
        await makeFolder(`${run}/best`);
        await learner.write(await learner.read(state), `${run}/best`);
      }
      yield { type: "check", step: state.step, numbers };
    }
    if (due(every.sample)) {
      const folder = `${run}/samples/${String(state.step).padStart(7, "0")}`;
      await makeFolder(folder);
      await learner.sample(await learner.read(state), folder);
    }
    if (due(every.save)) {
      await keep();
      kept = state.step;
      yield { type: "saved", step: kept };
    }
  }
  if (kept === state.step) return;
  await keep();
  yield { type: "saved", step: state.step };
}

/**
 * The settings that a run folder was begun with, or undefined where it holds no run.
 * @throws HocketError "bad-file" where they cannot be read
 */
export async function settingsOf(run: string): Promise<Settings | undefined> {
  if (!(await isFolder(run))) return undefined;
  const file = await (await openFolder(run)).open(settingsName);
  if (file === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, file.size))) as Settings;
  } catch (cause) {
    throw new HocketError("bad-file", `${run}/${settingsName} is not JSON: the run cannot go on`, { cause });
  } finally {
    await file.close();
  }
}

/**
 * Makes the run's folder with its settings, or finds it with the same.
 * @throws HocketError "bad-request" for a run that is there and not to be gone on with, or of other settings, all named
 */
export async function openRun(run: string, settings: Settings, resume: boolean): Promise<void> {
  const before = await settingsOf(run);
  if (before === undefined && resume)
    throw new HocketError("bad-request", `${run} holds no run to resume: leave --resume out to begin one`);
  if (before !== undefined && !resume)
    throw new HocketError("bad-request", `${run} holds a run already: --resume to go on with it, or another --out`);
  if (before === undefined) {
    await makeFolder(run);
    await writeFileAtomically(
      `${run}/${settingsName}`,
      new TextEncoder().encode(`${JSON.stringify(settings, null, 1)}\n`),
    );
    return;
  }
  const different = differences(before, settings);
  if (different.length > 0)
    throw new HocketError(
      "bad-request",
      `${run} was begun with other settings: ${different.join("; ")}. Give the same, or another --out`,
    );
}

// --- internal ---

const [settingsName, stateName] = ["training.json", "state.safetensors"];

async function saved(run: string, shapes: StateShapes): Promise<TrainState | undefined> {
  const file = await (await openFolder(run)).open(stateName);
  if (file === undefined) return undefined;
  try {
    return await loadState(file, shapes);
  } finally {
    await file.close();
  }
}

/** "a.b was 1, is 2" for everything that differs. */
function differences(before: Json, now: Json, name = ""): string[] {
  if (isObject(before) && isObject(now))
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      differences(before[key] ?? null, now[key] ?? null, name === "" ? key : `${name}.${key}`),
    );
  const [was, is] = [JSON.stringify(before), JSON.stringify(now)];
  return was === is ? [] : [`${name} was ${was}, is ${is}`];
}

const isObject = (json: Json): json is { readonly [name: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

function blewUp({ tensors }: TrainState, step: number, [name, value]: [string, number]): HocketError {
  const bad = Object.entries(tensors).find(
    ([, { data }]) => data instanceof Float32Array && data.some((x) => !Number.isFinite(x)),
  );
  const where = bad === undefined ? "every weight is still finite" : `${bad[0]} is not finite`;
  return new HocketError(
    "internal",
    `at step ${step + 1} ${name} is ${value} (${where}). The state of step ${step} is saved: begin again from it with a lower rate (--from, --rate)`,
  );
}
