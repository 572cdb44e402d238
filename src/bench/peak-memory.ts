/** @file The most memory that this process has held at once. */

import { readFileSync } from "node:fs";

/** Bytes. Linux counts pages of files that are mapped, such as weights in place, as held. */
export function peakMemory(): number {
  // Where it can be had, the kernel's own mark: what `resourceUsage` says may be that of the process that started this one.
  const mark = process.platform === "linux" ? /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null;
  return 1024 * Number(mark?.[1] ?? process.resourceUsage().maxRSS);
}
