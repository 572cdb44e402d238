/** @file A graph that is run again and again on what it left the time before, which stays where it is computed. */

import { type Binder, compile } from "../graph/compile.js";
import type { Value } from "../graph/value.js";
import type { Fed, Runtime, SessionOptions, Wanted } from "../platform/platform.js";

/** Runs a graph: what it says of itself comes back, and what it leaves to the next stays where it is. */
export type Stepper = (fed: Fed) => Promise<Fed>;

/** @param said the outputs that come back */
export async function compileStepper(
  runtime: Runtime,
  outputs: Readonly<Record<string, Value>>,
  said: readonly string[],
  bind: Binder,
  options: SessionOptions,
): Promise<Stepper> {
  const session = await compile(runtime, outputs, bind, options);
  const wanted = wantedOf(outputs, said);
  return (fed) => session.leave(fed, wanted);
}

/** All outputs of a graph whose sizes are known: those `said` come back, and the others stay. */
export const wantedOf = (outputs: Readonly<Record<string, Value>>, said: readonly string[]): Wanted[] =>
  Object.entries(outputs).map(([output, { dtype, shape }]) => {
    return { output, dtype, shape: shape as readonly number[], stays: !said.includes(output) };
  });
