/** @file A model's matrices in few bits, for products: kept on disk where that can be done, else made at each load. */

import { inThreads, threadsAtOnce } from "#platform";
import { HocketError } from "../errors.js";
import type { Blocks } from "../graph/blocks.js";
import type { Binder, Declared } from "../graph/compile.js";
import type { StoredWeight } from "../graph/onnx.js";
import { elementCount } from "../tensor.js";
import { type Coded, type Coding, codedSize } from "./quantise.js";
import { type QuantiseTask, quantiseWeight } from "./quantise-task.js";
import { type Job, keep, type Numbers } from "./quantised-cache.js";

export interface Quantising {
  /** How a matrix is coded; undefined: not at all. */
  readonly coding: (weight: Declared) => Coding | undefined;
  /** As in `Blocks`. */
  readonly exact?: boolean;
  /** Where they are kept. */
  readonly folder: string;
  readonly threads?: number | undefined;
  /** While they are made: of `all` numbers, so many are. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/**
 * Binds what `bind` does; matrices that are only multiplied by come in blocks as well. What an adapter adds to a weight is
 * added before: adapters come and go, so those weights are made at each load.
 */
export const quantised =
  (bind: Binder, options: Quantising): Binder =>
  async (declared) => {
    const bound = new Map(await bind(declared));
    const jobs = declared.flatMap((weight) => {
      const coding = weight.multiplies === true ? options.coding(weight) : undefined;
      return coding === undefined ? [] : [jobFor(weight, bound.get(weight.name)!, coding)];
    });
    const isFiled = ({ data }: Job) => !(data instanceof Uint8Array);
    const passing = jobs.filter((job) => !isFiled(job) || job.added !== undefined);
    const made = new Map<string, Numbers>();
    const filed = jobs.filter(isFiled).map(({ added, ...job }): Job => job);
    const kept = filed.length === 0 ? [] : await keep(filed, options.folder, (wanted) => make(wanted, options));
    for (const [name, numbers] of kept ?? (await inMemory(filed, options))) made.set(name, numbers);
    for (const [name, numbers] of await inMemory(passing, options)) made.set(name, numbers);
    for (const { name, coding } of jobs) {
      const { bits, size } = coding;
      const blocks: Blocks = { bits, size, exact: options.exact === true, ...made.get(name)! };
      bound.set(name, { ...bound.get(name)!, blocks });
    }
    return bound;
  };

// --- internal ---

function jobFor({ name, shape }: Declared, { dtype, data, added }: StoredWeight, coding: Coding): Job {
  const matrix = { name, shape: shape as [number, number], dtype, data, coding };
  return added === undefined ? matrix : { ...matrix, added };
}

/** Numbers of which making threads costs less than what they save. */
const worthThreads = 2 ** 24;

/** The matrices in few bits, in the order of `jobs`. */
async function* make(jobs: readonly Job[], { threads, onProgress }: Quantising): AsyncGenerator<Coded> {
  const all = jobs.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const several = threads === undefined || threads === 0 ? threadsAtOnce() : threads;
  const module = new URL("./quantise-task.js", import.meta.url);
  const results =
    all < worthThreads || several === 1
      ? oneByOne(jobs)
      : inThreads<QuantiseTask, Coded>(module, "quantiseWeight", jobs, several);
  let done = 0;
  for await (const { item, result } of results) {
    if (result instanceof HocketError) throw result;
    done += elementCount(item.shape);
    onProgress?.(done, all);
    yield result;
  }
}

async function* oneByOne(jobs: readonly Job[]): AsyncGenerator<{ item: QuantiseTask; result: Coded }> {
  for (const item of jobs) yield { item, result: await quantiseWeight(item) };
}

/** What a graph can carry itself: its file has less than 2 GiB. */
const mostInMemory = 1.5e9;

async function inMemory(jobs: readonly Job[], options: Quantising): Promise<Map<string, Numbers>> {
  const sizes = jobs.map(({ shape, coding }) => codedSize(...shape, coding));
  const bytes = sizes.reduce((sum, { packed, scales }) => sum + packed + scales, 0);
  if (bytes > mostInMemory)
    throw new HocketError(
      "disk",
      `${options.folder} cannot be written, and ${(bytes / 1e9).toFixed(1)} GB of quantised weights must lie there: let HF_HOME name a folder that can, or compute with fp32`,
    );
  const made = new Map<string, Numbers>();
  let next = 0;
  for await (const { packed, scales } of make(jobs, options))
    made.set(jobs[next++]!.name, { packed, scales: new Uint8Array(scales.buffer) });
  return made;
}
