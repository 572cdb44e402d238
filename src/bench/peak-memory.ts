/** @file How much memory this process holds. */

import { readFileSync } from "node:fs";

/** Bytes, the most at once. Linux counts pages of files that are mapped, such as weights in place, as held. */
export function peakMemory(): number {
  // Where it can be had, the kernel's own mark: what `resourceUsage` says may be that of the process that started this one.
  return statusOf("VmHWM") ?? 1024 * process.resourceUsage().maxRSS;
}

/** Bytes, now: pages of files, which the system takes back when it needs them. 0 where it does not tell. */
export const mappedFiles = (): number => statusOf("RssFile") ?? 0;

// --- internal ---

function statusOf(field: string): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}
