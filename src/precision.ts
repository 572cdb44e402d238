/** @file How many bits the language model's matrices have while it composes, and what that costs (docs/benchmarks.md). */

import { cacheFolder } from "#platform";
import type { Binder, Declared } from "./graph/compile.js";
import { type CacheSteps, measureCacheSteps } from "./lm/cache-steps.js";
import type { LanguageModel } from "./lm/lm.js";
import { elementCount } from "./tensor.js";
import type { TextEncoder as TextStates } from "./text/encoder.js";
import type { Checkpoint } from "./weights/checkpoint.js";
import { encoded, hex, keptTensors, stateOf } from "./weights/kept.js";
import type { Coding } from "./weights/quantise.js";
import { quantised } from "./weights/quantised.js";

/** Of the weights. Inputs of their products are rounded to 8 bits with them; all else is computed in float32. */
export const precisions = ["fp32", "int8", "int4"] as const;
export type Precision = (typeof precisions)[number];

export interface PrecisionOptions {
  /** fp32 unless another is asked for; "auto": the fastest at full quality. */
  readonly precision?: Precision | "auto" | undefined;
  /** The folder where quantised weights are kept; beside the hub's cache unless another is named. */
  readonly cache?: string | undefined;
  /** While weights are quantised, which is once for a model: of `all` numbers, so many are. */
  readonly onQuantising?: ((done: number, all: number) => void) | undefined;
}

const eight: Coding = { bits: 8, size: 32, search: false };

/**
 * How a matrix is coded at a precision; undefined: not at all. What a step multiplies by is coded; what a condition passes
 * through once stays as it is.
 */
export const codings: Readonly<Record<Precision, (weight: Declared) => Coding | undefined>> = {
  fp32: () => undefined,
  int8: ({ name }) => (isOfSteps(name) ? eight : undefined),
  // The heads say the odds themselves: in four bits they cost as much as all attention does, and are a fortieth of a step.
  int4: ({ name }) => {
    if (name.includes("lm_heads")) return eight;
    return isOfSteps(name) ? { bits: 4, size: 32, search: true } : undefined;
  },
};

/**
 * Full quality: what "auto" may cost, in nats: the mean KL divergence of the guided odds of the next code from those in float32. (int8
 * costs 0.0004 of them, int4 0.015.)
 */
export const fullQuality = 0.001;

/**
 * The precision to compute with. "auto" takes int8 where reading the weights is what a step waits for: a model of fewer
 * numbers fits the processor's caches, and gains less in a piece than loading it takes longer. (Of 10.5 million numbers, 8
 * layers x 256, a step took 2.8 in place of 4.1 ms of processor time; loading 0.12 s more, which 2 s of sound pay for.)
 */
export function chosenPrecision(asked: Precision | "auto", checkpoint: Checkpoint): Precision {
  if (asked !== "auto") return asked;
  return lmNumbers(checkpoint) < worthInt8 ? "fp32" : "int8";
}

/** How many numbers the language model in a checkpoint has. */
export const lmNumbers = ({ tensors }: Pick<Checkpoint, "tensors">): number =>
  [...tensors.values()].filter(({ name }) => isOfSteps(name)).reduce((sum, { shape }) => sum + elementCount(shape), 0);

/** Binds what `bind` does, at that precision. */
export async function atPrecision(
  bind: Binder,
  precision: Precision,
  { cache, onQuantising, threads }: PrecisionOptions & { readonly threads?: number | undefined },
): Promise<Binder> {
  if (precision === "fp32") return bind;
  const folder = cache ?? (await cacheFolder());
  return quantised(bind, { coding: codings[precision], folder, threads, onProgress: onQuantising });
}

/** Prompts of what the range of keys and values is measured on: unlike each other. */
const various = [
  "slow solo piano, calm",
  "fast electronic dance music with loud drums",
  "a rock band with electric guitars",
];

/**
 * The steps that keys and values are kept in, where they are not kept in float32: measured once for a model, and kept
 * beside its quantised weights. With an adapter they are measured at each load.
 */
export async function cacheSteps(
  lm: LanguageModel,
  text: TextStates,
  checkpoint: Checkpoint,
  precision: Precision,
  { cache, adapted }: { readonly cache: string | undefined; readonly adapted: boolean },
): Promise<CacheSteps> {
  const measure = async () =>
    measureCacheSteps(lm, await Promise.all(various.map(async (prompt) => ({ text: await text.encode(prompt) }))));
  return adapted ? measure() : keptSteps(checkpoint, precision, cache, measure);
}

/** Those that are kept for a model, which `measure` finds if there are none. */
export async function keptSteps(
  checkpoint: Checkpoint,
  precision: Precision,
  cache: string | undefined,
  measure: () => Promise<CacheSteps>,
): Promise<CacheSteps> {
  const weights = [...checkpoint.tensors.values()].map(({ dtype, shape, location, offset, length }) => {
    return { dtype, shape, data: { location, offset, length } };
  });
  const name = (await hex(encoded([precision, weights]))).slice(0, 32);
  const path = `${cache ?? (await cacheFolder())}/${name}.steps.safetensors`;
  return (await keptTensors(path, await stateOf(weights), measure)) as CacheSteps;
}

// --- internal ---

const isOfSteps = (name: string): boolean => name.startsWith("decoder.");

/** Numbers of a language model. */
const worthInt8 = 2 ** 23;
