/** @file How rows are shown: lines of a table for a terminal, a table in Markdown, one line of JSON. */

import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Row } from "./row.js";

const idWidth = 30;

export const tableHead = `${"row".padEnd(idWidth)}${"value".padStart(8)}     ratio   of the bound`;

/** `small-int4-ctx64   38.2 ms   1.31 of   29.1 ms (reading ...): 26.2 steps/s`. */
export function tableLine({ id, value, unit, bound, ratio, note, says }: Row): string {
  const told = says === undefined ? "" : `: ${says}`;
  return `${id.padEnd(idWidth)}${digits(value).padStart(8)} ${unit.padEnd(3)}${digits(ratio).padStart(6)} of${digits(bound).padStart(8)} ${unit.padEnd(3)} (${note})${told}`;
}

/** To be pasted into docs/benchmarks.md. */
export const markdown = (rows: readonly Row[]): string =>
  [
    "| row | value | ratio | held against |",
    "|---|--:|--:|---|",
    ...rows.map(({ id, value, unit, bound, ratio, note, says }) => {
      const told = says === undefined ? "" : ` (${says})`;
      return `| \`${id}\` | ${digits(value)} ${unit}${told} | **${digits(ratio)}** | ${digits(bound)} ${unit}: ${note} |`;
    }),
  ].join("\n");

export const jsonLine = (rows: readonly Row[], threads: number): string =>
  JSON.stringify({ machine: machine(threads), rows });

// --- internal ---

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));

function machine(threads: number) {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    threads: threads === 0 ? availableParallelism() : threads,
    memory: Math.round(totalmem() / 1e9),
    node: process.version,
    onnxruntime: version,
  };
}
