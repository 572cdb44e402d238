/**
 * @file Whether a device learns as the processor does: a small step on both before a run begins. A wrong slope still learns
 * something, only worse, and nobody would hear why.
 */

import { type Binder, compile } from "../graph/compile.js";
import type { Value } from "../graph/value.js";
import type { Fed, Runtime, SessionOptions, Tensors } from "../platform/platform.js";
import { compare, summed } from "../self-check.js";
import { type Tensor, tensor } from "../tensor.js";
import { numbersOf, releaseTensors } from "./state.js";
import { wantedOf } from "./stepper.js";

/** A step, with everything that it is fed. */
export interface GoldenStep {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly fed: Tensors;
  /** Finds the weights that do not learn. */
  readonly bind?: Binder;
}

/**
 * Every number that the step makes is held against the processor's: losses, means of gradients, their squares, weights.
 * What it makes stays on the device and is read from there, as in a run.
 * @throws HocketError "unsupported" where they differ
 */
export async function checkStep(
  device: Runtime,
  processor: Runtime,
  step: GoldenStep,
  options: SessionOptions = {},
): Promise<void> {
  const expected = await made(processor, step, options);
  const got = await made(device, step, options);
  for (const [name, numbers] of expected) {
    const alike = [...expected].filter(([other]) => kind(other) === kind(name)).map(([, each]) => largest(each));
    const what = `after a step of training, ${name} is`;
    compare(device.device, what, got.get(name)!, numbers, summed, leastShare * Math.max(...alike));
  }
}

/** Averages of squares as if there had been steps before: a first step would move by the signs of slopes, however small. */
export const onesForSquares = (kept: Tensors): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(kept).map(([name, { shape, ...rest }]) => {
      if (!name.endsWith(".square")) return [name, { shape, ...rest } as Tensor];
      const ones = tensor("float32", shape);
      ones.data.fill(1);
      return [name, ones];
    }),
  );

// --- internal ---

/** What counts as small: a tensor whose largest number is less than this share of its like may be all rounding. */
const leastShare = 1e-4;

/** Means, squares, averages; weights and losses each alone. */
const kind = (name: string): string => /\.(mean|square|path)$/.exec(name)?.[1] ?? name;

const largest = (numbers: Float32Array): number => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

async function made(
  runtime: Runtime,
  { outputs, fed, bind = async () => new Map() }: GoldenStep,
  options: SessionOptions,
): Promise<Map<string, Float32Array>> {
  const session = await compile(runtime, outputs, bind, options);
  let left: Fed = {};
  try {
    left = await session.leave(fed, wantedOf(outputs, []));
    const numbers = new Map<string, Float32Array>();
    for (const [name, each] of Object.entries(left))
      numbers.set(name, (await numbersOf(runtime, each)).data as Float32Array);
    return numbers;
  } finally {
    await releaseTensors(runtime, left);
    await session.dispose();
  }
}
