/** @file How long a step takes beside PyTorch, and how much memory: both in turn, each in a process of its own. */

import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { peakMemory } from "../src/bench/peak-memory.js";
import { median, type Row, row } from "../src/bench/row.js";
import { compile } from "../src/graph/compile.js";
import { graphOf } from "../src/graph/onnx.js";
import type { Value } from "../src/graph/value.js";
import { createRuntime } from "../src/platform/node.js";
import type { Tensor } from "../src/tensor.js";

/** Counted steps, after a first that is not; and threads. */
export interface Stepping {
  readonly steps: number;
  readonly threads: number;
}

/** What both sides print. */
interface Measured {
  /** Of each step: how long it took, and of all threads together. */
  readonly seconds: readonly number[];
  readonly cpu: readonly number[];
  /** Bytes held at most. */
  readonly peak: number;
  /** Of each step, the first included: a number that says that it was computed. */
  readonly losses: readonly number[];
}

/** What we and PyTorch measured, run by run. */
export type Both = readonly [ours: readonly Measured[], theirs: readonly Measured[]];

const rounds = 3;

/** Runs `bench/${name}.ts` and `.py` in turn, on all cores and on one; nothing where PyTorch is not installed. */
export async function inTurn(name: string, setting: object): Promise<{ many: Both; one: Both } | undefined> {
  const python = await pythonWithTorch();
  if (python === undefined) {
    console.error(
      `${name}: left out, there is no python3 with torch (Debian: apt-get install python3-torch libopenblas0-pthread)`,
    );
    return undefined;
  }
  const ours: string[] = [process.execPath, fileURLToPath(new URL(`${name}.js`, import.meta.url))];
  const theirs: string[] = [python, fileURLToPath(new URL(`../../bench/${name}.py`, import.meta.url))];
  const run = async ([program, script]: string[], threads: number): Promise<Measured> => {
    const given = JSON.stringify({ ...setting, steps: 3, threads } satisfies Stepping);
    // Beside other work, PyTorch's threads would else wait for each other at work (ten times as long, in all).
    const waiting = { OMP_WAIT_POLICY: "PASSIVE" };
    const env = { ...process.env, ...waiting, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
    return JSON.parse((await promisify(execFile)(program!, [script!, given], { env })).stdout) as Measured;
  };
  const [many, one]: [Measured[], Measured[]][] = [
    [[], []],
    [[], []],
  ];
  for (let i = 0; i < rounds; i++)
    for (const [threads, [us, them]] of [
      [availableParallelism(), many!],
      [1, one!],
    ] as const) {
      us.push(await run(ours, threads));
      them.push(await run(theirs, threads));
    }
  return { many: many!, one: one! };
}

/** The medians of both sides. */
export const middle = ([us, them]: Both, of: (m: Measured) => readonly number[]) =>
  [us, them].map((runs) => median(runs.flatMap(of))) as [number, number];

/**
 * Rows of `bench/${name}.ts` beside `bench/${name}.py`, none where PyTorch is not installed.
 * `-time` is by the clock, on all cores; `-work` the processor's time on one, which other work on the machine changes
 * least; `-memory` the most that a process held.
 */
export async function besideTorch(name: string, setting: object): Promise<Row[]> {
  const measured = await inTurn(name, setting);
  if (measured === undefined) return [];
  const { many, one } = measured;
  const beside = (part: string, unit: string, [value, bound]: [number, number], note: string) =>
    row(`${name.replace(/-step$/, "")}-${part}`, value, unit, bound, `PyTorch's${note}`);
  return [
    beside(
      "time",
      "s",
      middle(many, (m) => m.seconds),
      ", a step",
    ),
    beside(
      "work",
      "s",
      middle(one, (m) => m.cpu),
      ", a step on one thread, processor time",
    ),
    beside(
      "memory",
      "MB",
      middle(many, (m) => [m.peak / 1e6]),
      "",
    ),
  ];
}

/** Runs steps, each from the numbers that the one before ended with, and prints what they took. */
export async function measureSteps(
  outputs: Readonly<Record<string, Value>>,
  start: Readonly<Record<string, Tensor>>,
  feeds: (step: number) => Readonly<Record<string, Tensor>>,
  { steps, threads }: Stepping,
): Promise<void> {
  const runtime = createRuntime();
  const session = await compile(runtime, outputs, async () => new Map(), { threads });
  const { inputs, weights } = graphOf(outputs);
  const needed = [...inputs.keys(), ...weights.keys()];
  let state = start;
  await measure({ steps, threads }, async (step) => {
    const fed = { ...state, ...feeds(step + 1) };
    const made = await session.run(Object.fromEntries(needed.map((name) => [name, fed[name]!])));
    state = { ...state, ...made };
    return (made.loss!.data as Float32Array)[0]!;
  });
  await runtime.dispose();
}

/** Prints what steps took; the first, which makes what later ones find made, is not counted. */
export async function measure({ steps }: Stepping, work: (step: number) => Promise<number>): Promise<void> {
  const measured = { seconds: [] as number[], cpu: [] as number[], losses: [] as number[] };
  for (let step = 0; step <= steps; step++) {
    const [begun, used] = [performance.now(), process.cpuUsage()];
    measured.losses.push(await work(step));
    const { user, system } = process.cpuUsage(used);
    if (step === 0) continue;
    measured.seconds.push((performance.now() - begun) / 1000);
    measured.cpu.push((user + system) / 1e6);
  }
  console.log(JSON.stringify({ ...measured, peak: peakMemory() } satisfies Measured));
}

/** Something to learn from. */
export const waves = (count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin(i * (1 + i / count)));

/**
 * The name of a Python that has PyTorch, computing with a BLAS worth the name: Debian's takes whatever is installed, and with
 * the reference BLAS a step takes 46 s of processor time in place of 3.
 */
export async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const found = await promisify(execFile)(python, ["-c", quickProduct]).catch(() => undefined);
    if (found === undefined) continue;
    if (Number(found.stdout) < 0.06) return python;
    console.error(
      `${python}: its torch multiplies with the reference BLAS (Debian: apt-get install libopenblas0-pthread)`,
    );
  }
  return undefined;
}

/** Prints the seconds of processor time that a product of 0.9 billion operations takes: 0.01, or 0.15 without OpenBLAS. */
const quickProduct =
  "import time, torch; torch.set_num_threads(1); a = torch.ones(768, 768); a @ a; t = time.process_time(); a @ a; print(time.process_time() - t)";
