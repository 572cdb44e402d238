/** @file How fast this machine multiplies: the bound of everything that works on many numbers at once. */

import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input } from "../graph/value.js";
import type { Runtime } from "../platform/platform.js";
import { tensor } from "../tensor.js";
import { timed } from "./row.js";

const size = 1024;

/** @returns a function that multiplies two square matrices once: operations (a multiplication or an addition) per millisecond */
export async function arithmeticMeter(runtime: Runtime, threads: number): Promise<() => Promise<number>> {
  const square = (name: string) => input(name, "float32", [size, size]);
  const product = ops.matmul(square("a"), square("b"));
  const session = await compile(runtime, { product }, async () => new Map(), { threads });
  const numbers = tensor("float32", [size, size]);
  numbers.data.fill(1e-3);
  const state = await session.open({ a: numbers, b: numbers }, []);
  return async () => (2 * size ** 3) / (await timed(() => session.run({}, state)));
}
