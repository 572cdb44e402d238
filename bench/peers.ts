/**
 * @file Hocket beside others, in turn on one machine: steps of MusicGen small, its shapes with random weights, from the codes
 * of one column to those of the next. `npm run bench:peers -- [--steps N] [--columns N] [--only ...] [--markdown | --json]`
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { jsonLine, markdown, tableHead, tableLine } from "../src/bench/report.js";
import { type Row, row } from "../src/bench/row.js";
import { lmSizes } from "../src/bench/sizes.js";
import type { Precision } from "../src/precision.js";
import { decodeBesideTorch } from "./codec32-decode.js";
import { Contestant } from "./peers/contestant.js";
import type { Form } from "./peers/decoder.js";
import { writePeerModel } from "./peers/merged.js";
import type { TransformersJs } from "./peers/transformers-js.js";
import { pythonWithTorch } from "./train-step.js";

const version = "4.3.1";

/** Steps that one takes before it is the next one's turn. */
const turn = 5;

interface Peer {
  readonly id: string;
  /** Our precision that is most like it. */
  readonly alike: Precision;
  /** How many times faster int4 is to be. */
  readonly aim: number;
  /** The command that starts it, in a folder for what it needs; undefined where it cannot be had, which is said. */
  start(folder: string): Promise<readonly string[] | undefined>;
}

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "60" },
    columns: { type: "string", default: "0" },
    threads: { type: "string", default: "0" },
    only: { type: "string" },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [steps, columns, threads] = [values.steps, values.columns, values.threads].map(Number) as [
  number,
  number,
  number,
];

const transformersJs = (form: Form, alike: Precision, aim: number): Peer => ({
  id: `transformersjs-${form}`,
  alike,
  aim,
  start: async (folder) => {
    const library = await installed();
    if (library === undefined) return undefined;
    writePeerModel(folder, [form]);
    const told: TransformersJs = { library, folder, form, threads };
    return [process.execPath, program("transformers-js.js"), JSON.stringify(told)];
  },
});

const peers: readonly Peer[] = [
  transformersJs("fp32", "fp32", 8),
  transformersJs("q8", "int8", 4),
  transformersJs("q4", "int4", 4),
  {
    id: "pytorch-fp32",
    alike: "fp32",
    aim: 10,
    start: async () => {
      const python = await pythonWithTorch();
      if (python === undefined) {
        console.error(
          "pytorch-fp32: left out, there is no python3 with torch (Debian: apt-get install python3-torch libopenblas0-pthread)",
        );
        return undefined;
      }
      const {
        hidden_size: width,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        ffn_dim: wide,
      } = lmSizes.small;
      const told = { width, layers, heads, wide, bins: 2048, threads: threads || availableParallelism() };
      return [python, fileURLToPath(new URL("../../bench/peers/torch-loop.py", import.meta.url)), JSON.stringify(told)];
    },
  },
];

const rows: Row[] = [];
const show = (more: readonly Row[]) => {
  if (!values.markdown && !values.json) for (const each of more) console.log(tableLine(each));
  rows.push(...more);
};
const isWanted = (id: string) => values.only?.split(",").some((start) => id.startsWith(start)) ?? true;
console.error(`load before: ${loadavg()[0]!.toFixed(1)}; each beside ours, ${turn} steps at a time, ${steps} of each`);
if (!values.markdown && !values.json) console.log(tableHead);
for (const peer of peers) if (isWanted(peer.id)) show(await beside(peer));
if (isWanted("codec32-decode-pytorch")) show(await decodeBesideTorch());
if (values.markdown) console.log(markdown(rows));
if (values.json) console.log(jsonLine(rows, threads));
console.error(`load after: ${loadavg()[0]!.toFixed(1)}`);

// --- internal ---

function program(name: string): string {
  return fileURLToPath(new URL(`./peers/${name}`, import.meta.url));
}

/** Means over all steps: int4 against the peer, and what is most like the peer. */
async function beside(peer: Peer): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "hocket-peers-"));
  const contestants: Contestant[] = [];
  try {
    const command = await peer.start(folder);
    if (command === undefined) return [];
    const enter = async (name: string, command: readonly string[]) => {
      const made = new Contestant(name, command, columns, { TMPDIR: folder });
      contestants.push(made);
      await made.ready();
      await made.run(1, false); // compiles, and reads what is before
      return made;
    };
    const ours = (precision: Precision) =>
      enter(precision, [process.execPath, program("ours.js"), JSON.stringify({ precision, threads })]);
    const theirs = await enter(peer.id, command);
    const int4 = await ours("int4");
    const alike = peer.alike === "int4" ? int4 : await ours(peer.alike);
    for (let done = 0; done < steps; done += turn)
      for (const each of contestants) await each.run(Math.min(turn, steps - done));
    const against = ({ times, name }: Contestant, id: string, aim: string) => {
      const says = `${(mean(theirs.times) / mean(times)).toPrecision(3)} times faster${aim}`;
      const note = `${peer.id}'s; ours in ${name}, mean of ${steps} steps after ${columns} columns`;
      return row(id, mean(times), "ms", mean(theirs.times), note, says);
    };
    const first = against(int4, peer.id, `, the aim is ${peer.aim}`);
    return alike === int4 ? [first] : [first, against(alike, `${peer.id}-${peer.alike}`, "")];
  } finally {
    for (const each of contestants) await each.end();
    await rm(folder, { recursive: true, force: true });
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Where the other library is: fetched when it is first needed, half a gigabyte in the folder for temporary files. */
async function installed(): Promise<string | undefined> {
  const folder = join(tmpdir(), `hocket-transformers.js-${version}`);
  const entry = join(folder, "node_modules/@huggingface/transformers/dist/transformers.node.mjs");
  if (existsSync(entry)) return entry;
  console.error(`fetching @huggingface/transformers ${version} into ${folder} (474 MB on disk)`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), "{}");
  // Without scripts: they would fetch what a GPU needs.
  const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", `@huggingface/transformers@${version}`];
  try {
    await promisify(execFile)("npm", install, { cwd: folder, shell: process.platform === "win32" });
    return entry;
  } catch (error) {
    console.error(`transformersjs: left out, npm install failed (${(error as Error).message.split("\n")[0]})`);
    return undefined;
  }
}
