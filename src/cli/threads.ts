/** @file `--threads`, for every command that computes. */

import { HocketError } from "../errors.js";
import type { Given, Option } from "./command.js";

export const threadsOption: Option = {
  kind: "number",
  value: "N",
  help: "threads to compute with; default: one a core",
};

/** Nothing where nothing was given: the runtime chooses. */
export function threadsFrom(given: Given): { readonly threads?: number } {
  const threads = given.number("threads");
  if (threads === undefined) return {};
  if (!Number.isInteger(threads) || threads < 1 || threads > 256)
    throw new HocketError("bad-request", "--threads: give a whole number from 1 to 256");
  return { threads };
}
