/** @file What people see while they wait: lines on stderr, and one that changes where stderr is a terminal. */

import { stripVTControlCharacters } from "node:util";

/** A line for people. File names and prompts in it cannot move the cursor, nor fill the screen. */
export function say(line: string): void {
  clear();
  const whole = printable(line);
  process.stderr.write(`${whole.length > longest ? `${whole.slice(0, longest)}…` : whole}\n`);
}

/** Replaces the line that changes. Nothing where stderr is a file or a pipe. */
export function progress(line: string): void {
  if (!process.stderr.isTTY) return;
  const now = performance.now();
  if (now - shownAt < 100) return;
  shownAt = now;
  process.stderr.write(`\r\x1b[2K${printable(line).slice(0, (process.stderr.columns ?? 80) - 1)}`);
  shown = true;
}

/** Takes the changing line away. */
export function clear(): void {
  if (shown) process.stderr.write("\r\x1b[2K");
  shown = false;
  shownAt = Number.NEGATIVE_INFINITY;
}

/** A file that was made: a line for people, and its name as data for whatever stdout leads to. */
export function wrote(path: string, facts: string): void {
  say(`${path}: ${facts}`);
  if (!process.stdout.isTTY) process.stdout.write(`${path}\n`);
}

export const megabytes = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

// --- internal ---

/** In characters. A path may have four thousand. */
const longest = 6000;

let shown = false;
let shownAt = Number.NEGATIVE_INFINITY;

const printable = (text: string): string => stripVTControlCharacters(text).replace(/\s*\p{Cc}\s*/gu, " ");
