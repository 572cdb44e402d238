import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tensor } from "../tensor.js";
import { readLog } from "./log.js";
import { type Intervals, type Learner, openRun, type RunEvent, train } from "./run.js";
import type { TrainState } from "./state.js";

const root = mkdtempSync(join(tmpdir(), "hocket-run-"));
after(() => rmSync(root, { recursive: true }));
let runs = 0;
const newFolder = () => join(root, `${runs++}`);

/** Learns x <- 1.5 x + step: what it is depends on every step before. */
const learner = (change: Partial<Learner> = {}): Learner => ({
  settings: { what: "toy", size: { width: 3 } },
  shapes: new Map([["x", [1]]]),
  start: async () => ({ step: 0, tensors: { x: tensor("float32", [1], Float32Array.of(1)) } }),
  async step({ step, tensors }) {
    const x = Math.fround(1.5 * ((tensors as TrainState["tensors"]).x!.data as Float32Array)[0]! + step) % 1000;
    return { state: { step: step + 1, tensors: { x: tensor("float32", [1], Float32Array.of(x)) } }, numbers: { x } };
  },
  read: async (state) => state as TrainState,
  release: async () => {},
  check: async ({ step }) => ({ "valid.step": step }),
  write: async ({ step }, folder) => writeFileSync(join(folder, "model"), `${step}`),
  sample: async ({ step }, folder) => writeFileSync(join(folder, "sound"), `${step}`),
  ...change,
});
const every: Intervals = { steps: 10, save: 4, check: 5, sample: 5 };
const still = new AbortController().signal;

async function run(folder: string, who = learner(), signal = still, each?: (event: RunEvent) => void) {
  const resume = readdirSync(root).includes(folder.slice(root.length + 1));
  await openRun(folder, who.settings, resume);
  let time = 0;
  for await (const event of train(who, folder, every, () => time++, signal)) each?.(event);
}
const stateOf = (folder: string) => readFileSync(join(folder, "state.safetensors"));
const logOf = (folder: string) => readFileSync(join(folder, "log.jsonl"), "utf8");

test("a run leaves its model, state, log, plots and samples", async () => {
  const folder = newFolder();
  await run(folder);
  assert.deepEqual(readdirSync(folder).sort(), [
    "log.jsonl",
    "model",
    "plots",
    "samples",
    "state.safetensors",
    "training.json",
  ]);
  assert.deepEqual(readdirSync(join(folder, "samples")), ["0000005", "0000010"]);
  assert.equal(readFileSync(join(folder, "model"), "utf8"), "10");
  assert.match(readFileSync(join(folder, "plots", "x.svg"), "utf8"), /^<svg [\s\S]*<polyline [\s\S]*10 steps/);
  const steps = (await readLog(folder)).map((line) => [line.step, line["valid.step"]]);
  assert.deepEqual(
    steps.filter(([, valid]) => valid !== undefined),
    [
      [5, 5],
      [10, 10],
    ],
  );
  assert.equal(steps.length, 12);
});

test("stopped anywhere and resumed, a run ends as if it had not been: state and log, to the byte", async () => {
  const whole = newFolder();
  await run(whole);
  for (const after of [1, 4, 7, 10]) {
    const folder = newFolder();
    const stop = new AbortController();
    await run(folder, learner(), stop.signal, (event) => {
      if (event.type === "step" && event.step === after) stop.abort();
    });
    await run(folder);
    assert.deepEqual(stateOf(folder), stateOf(whole), `stopped after ${after}`);
    assert.equal(logOf(folder), logOf(whole), `stopped after ${after}`);
  }
  // Killed: nothing is saved after step 4, and the log's last line is half-written.
  const killed = newFolder();
  await assert.rejects(
    run(killed, learner(), still, (event) => {
      if (event.type === "step" && event.step === 7) throw new Error("killed");
    }),
  );
  appendFileSync(join(killed, "log.jsonl"), '{"step":8,"x":');
  await run(killed);
  assert.deepEqual(stateOf(killed), stateOf(whole));
  assert.equal(logOf(killed), logOf(whole));
});

test("a number that is none stops the run, keeps the last good state and names the tensor", async () => {
  const folder = newFolder();
  const bad = learner({
    async step(state) {
      const next = await learner().step(state);
      if (state.step < 6) return next;
      const x = tensor("float32", [1], Float32Array.of(Number.NaN));
      return { state: { step: 7, tensors: { x } }, numbers: { loss: Number.NaN } };
    },
  });
  await assert.rejects(run(folder, bad), /at step 7 loss is NaN \(x is not finite\)\. The state of step 6 is saved/);
  const good = newFolder();
  const stop = new AbortController();
  await run(good, learner(), stop.signal, (event) => event.type === "step" && event.step === 6 && stop.abort());
  assert.deepEqual(stateOf(folder), stateOf(good));
});

test("a run is not begun over another, and goes on only with its own settings", async () => {
  const folder = newFolder();
  await run(folder);
  const { settings } = learner();
  await assert.rejects(openRun(folder, settings, false), /holds a run already: --resume to go on with it/);
  await assert.rejects(openRun(newFolder(), settings, true), /holds no run to resume/);
  await assert.rejects(
    openRun(folder, { what: "toy", size: { width: 4 } }, true),
    /begun with other settings: size\.width was 3, is 4/,
  );
});

test("a disk that fills up ends the run, and the state before is still there", async () => {
  const folder = newFolder();
  const full = learner({
    async write({ step }) {
      if (step > 4) throw new Error("the disk is full");
    },
  });
  await assert.rejects(run(folder, full), /the disk is full/);
  const good = newFolder();
  const stop = new AbortController();
  await run(good, learner(), stop.signal, (event) => event.type === "saved" && stop.abort());
  assert.deepEqual(stateOf(folder), stateOf(good));
});
