/** @file Work on one of many recordings: what is wrong with it is a result, since the others are worked on all the same. */

import { HocketError } from "../errors.js";

/** Why a recording cannot be used. */
export interface Refused {
  readonly reason: string;
}

/** What `work` makes, or why its recording cannot be used; any other error is thrown. */
export async function orReason<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (isUnusable(error)) return { reason: error.message };
    throw error;
  }
}

/** Whether an error is about the file that was read, and not about this machine or us. */
export const isUnusable = (error: unknown): error is HocketError =>
  error instanceof HocketError && (error.code === "bad-file" || error.code === "unsupported");
