/**
 * @file How fast this machine reads memory: the bound of everything that decodes. Measured by the same runtime, with the
 * same threads, as a sum over an array that no cache holds.
 */

import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import type { Runtime } from "../platform/platform.js";
import { tensor } from "../tensor.js";
import type { Asked } from "./question.js";
import { fastest, median, type Row, row, timed } from "./row.js";

const [rows, columns] = [64, 1 << 21]; // 512 MB
const readings = 15;

/** @returns a function that reads once: bytes per millisecond. Read beside what is measured, so that both see the same machine. */
export async function bandwidthMeter(runtime: Runtime, threads: number): Promise<() => Promise<number>> {
  const x = input("x", "float32", [rows, columns]);
  const session = await compile(runtime, { sum: ops.reduceSum(x, [1]) }, async () => new Map(), { threads });
  const numbers = tensor("float32", [rows, columns]);
  numbers.data.fill(1e-3); // untouched memory would all be one page of zeros
  const state = await session.open({ x: numbers }, []);
  const read = () => session.run({}, state);
  return async () => {
    await read(); // other sessions' threads look for work a while after theirs, and would take the cores from a first reading
    return numbers.data.byteLength / (await timed(read));
  };
}

/** The usual reading against the best: how steady the machine is; and how fast. */
export async function bandwidthRow({ threads }: Asked): Promise<Row[]> {
  const runtime = createRuntime();
  const read = await bandwidthMeter(runtime, threads);
  const speeds: number[] = [];
  for (let i = 0; i < readings; i++) speeds.push(await read());
  await runtime.dispose();
  const [usual, best] = [median(speeds), fastest(speeds)];
  const says = `${(usual / 1e6).toFixed(1)} GB/s, at best ${(best / 1e6).toFixed(1)}`;
  return [row("memory-bandwidth", 1e9 / usual, "ms", 1e9 / best, "a gigabyte, at the fastest it was read", says)];
}
