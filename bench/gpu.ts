/**
 * @file How fast is a GPU? Steps of MusicGen's sizes with random weights at every precision, against reading once what a step
 * must read at the fastest that this GPU was seen to read; a step of training; and both beside PyTorch on the same GPU, where
 * there is one.
 *   node dist/bench/gpu.js [--device webgpu] [--sizes small,medium,large] [--precisions fp16,int8,int4,fp32]
 *     [--columns 64,1400] [--steps 50] [--megabytes 256] [--skip-training] [--markdown | --json]
 * `--sizes tiny --columns 8 --steps 2 --megabytes 1` tries it where there is no GPU (docs/devices.md).
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomWeights } from "../src/bench/random-weights.js";
import { jsonLine, markdown, tableHead, tableLine } from "../src/bench/report.js";
import { median, type Row, row, timed, timesRealTime } from "../src/bench/row.js";
import { cacheBytes, weightBytes } from "../src/bench/step-bounds.js";
import { HocketError } from "../src/errors.js";
import { compile } from "../src/graph/compile.js";
import * as ops from "../src/graph/ops.js";
import { input, type Value } from "../src/graph/value.js";
import { type LmConfig, lmConfig } from "../src/lm/config.js";
import { LanguageModel } from "../src/lm/lm.js";
import { createRuntime, freeSpace } from "../src/platform/node.js";
import type { Device, Runtime } from "../src/platform/platform.js";
import { type Precision, precisions } from "../src/precision.js";
import { lmSizes, t5Base } from "../src/published.js";
import { checkLm } from "../src/self-check.js";
import { tensor } from "../src/tensor.js";
import { Contestant } from "./peers/contestant.js";
import { stepsOfTraining, trainingSizes } from "./train-lm-step.js";
import { pythonWithTorch } from "./train-step.js";

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    sizes: { type: "string", default: "small,medium,large" },
    precisions: { type: "string", default: precisions.join() },
    columns: { type: "string", default: "64,1400" },
    steps: { type: "string", default: "50" },
    megabytes: { type: "string", default: "256" },
    "skip-training": { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const sizes = { ...lmSizes, tiny: { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 256 } };
const listed = (text: string) => text.split(",");
const [steps, contexts] = [Number(values.steps), listed(values.columns).map(Number)];
const device = values.device as Device;
/** Steps before those that count: they compile, and find memory. */
const unmeasured = 3;
/** Steps that are a second of sound. */
const frameRate = 50;

const rows: Row[] = [];
const show = (each: Row) => {
  rows.push(each);
  if (!values.markdown && !values.json) console.log(tableLine(each));
};
const runtime = createRuntime({ device });
const python = await torchOnGpu();
if (!values.markdown && !values.json) console.log(tableHead);
const speed = await bandwidth(runtime, Number(values.megabytes) * 1e6); // bytes a millisecond
show(
  row(
    "gpu-bandwidth",
    1e9 / speed,
    "ms",
    1e9 / speed,
    "a gigabyte read or written",
    `${(speed / 1e6).toFixed(1)} GB/s`,
  ),
);
for (const size of listed(values.sizes) as (keyof typeof sizes)[]) {
  const config = lmConfig(sizes[size], true, `MusicGen ${size}`);
  for (const precision of listed(values.precisions) as Precision[]) await ours(size, config, precision);
  if (python !== undefined) for (const half of [false, true]) await theirs(size, half);
}
if (!values["skip-training"]) await training();
if (values.markdown) console.log(markdown(rows));
if (values.json) console.log(jsonLine(rows, 0));
await runtime.dispose();

// --- internal ---

/** Bytes a millisecond, at the fastest of some rounds in which numbers are read, added to and written. */
async function bandwidth(on: Runtime, bytes: number): Promise<number> {
  const [passes, width] = [16, 1 << 10];
  const count = Math.ceil(bytes / 4 / width);
  const numbers = tensor("float32", [count, width]);
  let x: Value = input("x", "float32", [count, width]);
  for (let i = 0; i < passes; i++) x = ops.add(x, ops.scalar(1));
  const session = await compile(on, { some: ops.slice(x, 0, 0, 1) }, async () => new Map());
  const state = await session.open({ x: numbers }, []);
  const times: number[] = [];
  for (let i = 0; i < 8; i++) times.push(await timed(() => session.run({}, state)));
  await state.dispose();
  await session.dispose();
  return (2 * passes * numbers.data.byteLength) / Math.min(...times);
}

/** A row for each context, or a word about why there is none. */
async function ours(size: string, config: LmConfig, precision: Precision): Promise<void> {
  const needed = 1.05 * weightBytes(config, precision === "fp16" ? "fp32" : precision) + 5e8;
  if ((await freeSpace(tmpdir())) < needed)
    return console.error(`${size}-${precision}: left out, ${tmpdir()} has no room for ${(needed / 1e9).toFixed(1)} GB`);
  const weights = randomWeights();
  const make = (c: LmConfig, on: Runtime) => {
    const half = precision === "fp16" && on.device !== "cpu";
    return new LanguageModel(c, { textWidth: t5Base.d_model }, on, weights.at(precision), {}, half);
  };
  const lm = make(config, runtime);
  try {
    if (device !== "cpu") lm.atOnce = await checkLm(lm, make, runtime.beside(), precision);
    for (const context of contexts)
      show(await stepping(`gpu-${size}-${precision}-ctx${context}`, lm, precision, context));
  } catch (error) {
    if (!(error instanceof HocketError)) throw error;
    console.error(`${size}-${precision}: ${error.message}`);
  } finally {
    await lm.dispose();
    weights.dispose();
  }
}

async function stepping(id: string, lm: LanguageModel, precision: Precision, context: number): Promise<Row> {
  const text = tensor("float32", [1, 16, t5Base.d_model]);
  text.data.fill(0.1);
  const columns = (count: number) => [Int32Array.from({ length: 4 * count }, (_, i) => (i * 37) % 2048)];
  const decoding = await lm.open([{ text }], true, context + unmeasured + steps);
  await decoding.step(columns(context), context);
  const times: number[] = [];
  for (let i = 0; i < unmeasured + steps; i++) times.push(await timed(() => decoding.step(columns(1), 1)));
  await decoding.dispose();
  const value = median(times.slice(unmeasured));
  const cache = (precision === "fp16" ? 2 : 4) * cacheBytes(lm.config, context);
  const read = weightBytes(lm.config, precision) + cache;
  const says = `${(1000 / value).toPrecision(3)} steps/s, ${timesRealTime(1000 / frameRate, value)}`;
  return row(id, value, "ms", read / speed, `reading ${Math.round(read / 1e6)} MB once, cache included`, says);
}

/** The same step by PyTorch on its GPU, after each context; and ours at the same precision against it. */
async function theirs(size: keyof typeof sizes, half: boolean): Promise<void> {
  const { hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads, ffn_dim: wide } = sizes[size];
  const told = { width, layers, heads, wide, bins: 2048, threads: 1, device: "cuda", half };
  const script = fileURLToPath(new URL("../../bench/peers/torch-loop.py", import.meta.url));
  for (const context of contexts) {
    const peer = new Contestant("PyTorch", [python!, script, JSON.stringify(told)], context);
    await peer.ready();
    await peer.run(unmeasured, false);
    await peer.run(steps);
    await peer.end();
    const precision = half ? "fp16" : "fp32";
    const own = rows.find(({ id }) => id === `gpu-${size}-${precision}-ctx${context}`);
    if (own === undefined) continue;
    const note = `PyTorch's, in ${precision} on the same GPU`;
    show(row(`${own.id}-pytorch`, own.value, "ms", median(peer.times), note));
  }
}

/** A step of training, against PyTorch's on the same GPU where there is one. */
async function training(): Promise<void> {
  for (const [name, setting] of Object.entries(trainingSizes)) {
    if (listed(values.sizes).includes("tiny") !== (name === "tiny")) continue;
    const times = await stepsOfTraining(runtime, setting, { steps: Math.min(steps, 10), threads: 0 });
    const value = 1000 * median(times);
    if (python === undefined) {
      const tokens = setting.batch * setting.columns;
      const says = `${Math.round((1000 * tokens) / value)} columns a second`;
      show(row(`gpu-train-${name}`, value, "ms", value, "itself: there is no PyTorch for this GPU", says));
      continue;
    }
    const given = JSON.stringify({ ...setting, steps: Math.min(steps, 10), threads: 1, device: "cuda" });
    const script = fileURLToPath(new URL("../../bench/train-lm-step.py", import.meta.url));
    const { seconds } = JSON.parse(await printed(python, [script, given])) as { seconds: number[] };
    show(row(`gpu-train-${name}`, value, "ms", 1000 * median(seconds), "PyTorch's, in fp32 on the same GPU"));
  }
}

/** Python with a PyTorch that has a GPU; undefined, and a word, where there is none. */
async function torchOnGpu(): Promise<string | undefined> {
  const found = await pythonWithTorch();
  const has =
    found && (await printed(found, ["-c", "import torch; print(torch.cuda.is_available(), torch.__version__)"]));
  if (has?.startsWith("True")) return found;
  console.error(`without PyTorch: ${has === undefined ? "there is no python3 with torch" : "it has no GPU here"}`);
  return undefined;
}

async function printed(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (part) => (text += part));
  const [status] = (await once(child, "close")) as [number];
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with status ${status}`);
  return text;
}
