/** @file How much memory this machine has for composing, and whether a model fits. */

import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import type { Fits } from "./wire-models.js";

export interface MachineMemory {
  /** Bytes, of the machine or of the container that this runs in. */
  readonly total: number;
  /** Bytes that nobody needs now; what composes here now makes room for another model. */
  readonly free: number;
}

/** @param composing the process that holds a model now */
export function machineMemory(composing?: number): MachineMemory {
  const limit = process.constrainedMemory?.() ?? 0; // 0, or more than there is, where there is none
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  // Elsewhere what counts as free leaves out what the system would give back at once.
  const free = process.platform === "linux" ? freemem() + heldBy(composing) : usuallyFree * total;
  return { total, free: Math.min(free, total) };
}

/** "tight": only if other programs let go of some. */
export const fits = (needed: number, { total, free }: MachineMemory): Fits =>
  needed > total - forTheSystem ? "no" : needed > free ? "tight" : "yes";

// --- internal ---

const usuallyFree = 0.7;

/** Bytes that are never to be had. */
const forTheSystem = 500e6;

function heldBy(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}
