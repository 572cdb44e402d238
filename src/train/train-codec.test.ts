import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createRuntime, openFolder } from "#platform";
import { codecConfig } from "../codec/config.js";
import { loadCodec } from "../model.js";
import type { Tensor } from "../tensor.js";
import { codecBase } from "./codec-base.js";
import { codecChecker } from "./codec-check.js";
import { encodecTraining } from "./codec-step.js";
import { type Intervals, type Learner, openRun, settingsOf, train } from "./run.js";
import { loadState, type TrainState } from "./state.js";
import { type CodecRun, codecLearner, type Sounds } from "./train-codec.js";

const root = mkdtempSync(join(tmpdir(), "hocket-codec-"));
const runtime = createRuntime();
after(async () => {
  await runtime.dispose();
  rmSync(root, { recursive: true });
});

const config = codecConfig(
  {
    sampling_rate: 8000,
    num_filters: 2,
    hidden_size: 8,
    upsampling_ratios: [4, 2],
    num_lstm_layers: 1,
    use_causal_conv: false,
    use_conv_shortcut: false,
    codebook_size: 16,
    target_bandwidths: [4, 8],
  },
  "test",
);
const run: CodecRun = {
  config,
  codebooks: 2,
  batch: 2,
  samples: 512,
  training: { ...encodecTraining, discriminator: { ffts: [64], filters: 2 } },
  schedule: { kind: "cosine", rate: 3e-3, warmup: 2, steps: 8 },
  codedFrom: 2,
  judgedFrom: 5,
  seed: 3,
};

/** Tones: of another pitch for every clip. */
const tone = (index: number, samples: number) =>
  Float32Array.from({ length: samples }, (_, n) => 0.5 * Math.sin((0.05 + 0.03 * (index % 7)) * n));
const sounds: Sounds = {
  from: ["tones"],
  batch: async (step) => {
    const both = new Float32Array(2 * run.samples);
    for (const b of [0, 1]) both.set(tone(2 * step + b, run.samples), b * run.samples);
    return both;
  },
  heldOut: Array.from({ length: 5 }, (_, i) => [tone(i, 1024)]),
};
const every: Intervals = { steps: 8, save: 3, check: 8, sample: 8 };
const learner = (change: Partial<CodecRun> = {}, given?: ReadonlyMap<string, Tensor>) =>
  codecLearner(runtime, { ...run, ...change }, sounds, { threads: 1 }, given);
const usual = learner(); // one for all tests: its graphs are compiled once

/** Up to a step of a run in `folder`, which is begun or gone on with. */
async function learn(folder: string, who: Learner, until = every.steps): Promise<TrainState> {
  const stop = new AbortController();
  await openRun(folder, who.settings, (await settingsOf(folder)) !== undefined);
  let now = 0;
  for await (const event of train(who, folder, every, () => now++, stop.signal))
    if (event.type === "step" && event.step === until) stop.abort();
  const file = await (await openFolder(folder)).open("state.safetensors");
  const state = await loadState(file!, who.shapes);
  await file!.close();
  return state;
}

test("stopped before, between and after its stages and resumed, a codec ends at the same bits", async () => {
  const whole = await learn(join(root, "whole"), usual);
  assert.equal(whole.step, 8);
  for (const stop of [2, 5]) {
    const folder = join(root, `stopped-${stop}`);
    await learn(folder, usual, stop);
    assert.deepEqual(await learn(folder, usual), whole, `stopped after ${stop}`);
  }
});

test("nothing is coded at first; then codebooks lie among the vectors, and judges learn only when it is their turn", async () => {
  const folder = join(root, "stages");
  const changed = (before: TrainState, now: TrainState, which: RegExp) =>
    Object.keys(now.tensors).some(
      (name) => which.test(name) && `${before.tensors[name]!.data}` !== `${now.tensors[name]!.data}`,
    );
  const at: TrainState[] = [];
  for (const step of [1, 2, 3, 4, 5, 6]) at.push(await learn(folder, usual, step));
  const [one, two, three, , five, six] = at as [TrainState, TrainState, TrainState, TrainState, TrainState, TrainState];
  assert.ok(changed(one, two, /^encoder\..*weight_v$/));
  assert.ok(!changed(one, two, /codebook/));
  assert.ok(changed(two, three, /codebook\.embed$/));
  assert.ok(!changed(two, five, /^discriminators/));
  assert.ok(changed(five, six, /^discriminators.*weight_v$/));
  const sizes = three.tensors["quantizer.layers.0.codebook.cluster_size"]!.data as Float32Array;
  assert.ok(sizes.filter((size) => size > 0).length > 8, `most entries are in use: ${sizes}`);
});

test("what a run writes loads as a codec, codes as training does, and is where another run can begin", async () => {
  const folder = join(root, "whole");
  const model = await loadCodec(await openFolder(folder), folder, runtime);
  const [chunk] = await model.codec.encode(sounds.heldOut);
  const base = await codecBase(await openFolder(folder));
  const heard = await (await codecChecker(runtime, config, 2, sounds.heldOut, {}))(Object.fromEntries(base.weights));
  assert.deepEqual(chunk!.codes, heard.grids);
  await model.dispose();

  assert.deepEqual([base.config, base.codebooks], [{ ...config, codebook_dim: config.hidden_size }, 2]);
  const start = await learner({ codedFrom: 0 }, base.weights).start();
  const trained = await learn(folder, usual);
  for (const [name, value] of Object.entries(trained.tensors))
    if (/^(encoder|decoder|quantizer)\./.test(name) && !/\.(mean|square)$/.test(name))
      assert.deepEqual(start.tensors[name], value, name);
});

test("where only the decoder learns, codes keep their meaning and sound changes", async () => {
  const trained = await learn(join(root, "whole"), usual);
  const base = await codecBase(await openFolder(join(root, "whole")));
  const training = { ...run.training, onlyDecoder: true };
  const after = await learn(join(root, "decoder"), learner({ codedFrom: 0, training }, base.weights));
  for (const [name, value] of Object.entries(after.tensors)) {
    if (/\.(mean|square)$/.test(name)) continue;
    if (/^(encoder|quantizer)\./.test(name)) assert.deepEqual(value, trained.tensors[name], name);
    if (/^decoder\..*weight_v$/.test(name)) assert.notDeepEqual(value, trained.tensors[name], name);
  }
});
