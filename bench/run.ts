/**
 * @file Runs the benchmarks: a table for people and, as the last line, one line of JSON for programs.
 *   npm run bench -- [--only ID[,ID]] [--json]
 * Every question has a process to itself, so that neither memory nor threads of one are seen by another.
 */

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Row } from "./row.js";

/** Each question: how the ids of its rows start, and how it is answered. The order is that of a generation. */
const questions: Readonly<Record<string, () => Promise<Row[]>>> = {
  mini: async () => (await import("./mini.js")).miniRows(),
  t5: async () => (await import("./t5-base.js")).t5Rows(),
  small: async () => (await import("./lm-step.js")).lmStep(),
  quality: async () => (await import("./quality.js")).qualityRows(),
  codec32: async () => [
    ...(await (await import("./codec32.js")).codec32Rows()),
    ...(await (await import("./codec32-decode.js")).decodeBesideTorch()),
  ],
  load: async () => (await import("./load-memory.js")).loadMemory(),
  make: async () => (await import("./data-make.js")).dataMake(),
  memory: async () => (await import("./load-memory.js")).longMemory(),
  "train-lm": async () => (await import("./train-lm-step.js")).trainLmRows(),
  "train-codec": async () => (await import("./train-codec-step.js")).trainCodecRows(),
};

const { values } = parseArgs({
  options: { only: { type: "string" }, json: { type: "boolean" }, question: { type: "string" } },
});
if (values.question === undefined) await main(values.only?.split(","), values.json === true);
else console.log(JSON.stringify(await questions[values.question]!()));

// --- internal ---

async function main(only: readonly string[] | undefined, json: boolean): Promise<void> {
  const rows: Row[] = [];
  for (const question of Object.keys(questions)) {
    if (only !== undefined && !only.some((id) => id.startsWith(question) || question.startsWith(id))) continue;
    const found = (await answer(question)).filter(({ id }) => only?.some((wanted) => id.startsWith(wanted)) ?? true);
    if (!json) for (const each of found) console.log(line(each));
    rows.push(...found);
  }
  if (rows.length === 0)
    throw new Error(`no row is called ${only}: ids start with ${Object.keys(questions).join(", ")}`);
  console.log(JSON.stringify({ machine: machine(), rows }));
}

async function answer(question: string): Promise<Row[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(import.meta.url),
    "--question",
    question,
  ]);
  return JSON.parse(stdout) as Row[];
}

function line({ id, value, unit, bound, ratio, note }: Row): string {
  const number = (x: number) => (x >= 100 ? x.toFixed(0) : x.toPrecision(3)).padStart(8);
  return `${id.padEnd(28)}${number(value)} ${unit.padEnd(3)}${number(ratio)} of${number(bound)} ${unit.padEnd(3)} (${note})`;
}

function machine() {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 1e9),
    node: process.version,
    onnxruntime: version,
  };
}
