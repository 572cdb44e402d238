/**
 * @file How fast this machine reads memory: the bound of everything that decodes. Measured by the same runtime, with the
 * same threads, as a sum over an array that no cache holds.
 */

import { compile } from "../src/graph/compile.js";
import * as ops from "../src/graph/ops.js";
import { input } from "../src/graph/value.js";
import type { Runtime } from "../src/platform/platform.js";
import { tensor } from "../src/tensor.js";
import { timed } from "./row.js";

const [rows, columns] = [64, 1 << 21]; // 512 MB

/** @returns a function that reads once: bytes per millisecond. Read beside what is measured, so that both see the same machine. */
export async function bandwidthMeter(runtime: Runtime): Promise<() => Promise<number>> {
  const x = input("x", "float32", [rows, columns]);
  const session = await compile(runtime, { sum: ops.reduceSum(x, [1]) }, async () => new Map());
  const numbers = tensor("float32", [rows, columns]);
  numbers.data.fill(1e-3); // untouched memory would all be one page of zeros
  const state = await session.open({ x: numbers }, []);
  const read = () => session.run({}, state);
  return async () => {
    await read(); // other sessions' threads look for work a while after theirs, and would take the cores from a first reading
    return numbers.data.byteLength / (await timed(read));
  };
}
