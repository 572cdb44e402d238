import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeFolder, openFolder } from "#platform";
import { largestDifference } from "../../test/golden.js";
import { bindTensors } from "../../test/models.js";
import { codes } from "../codes.js";
import { HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { factorNames, readAdapter } from "../weights/lora.js";
import { musicgenAdamw } from "./adamw.js";
import { musicgenDAdapt } from "./dadapt.js";
import { initialWeights } from "./initial.js";
import type { LmModel } from "./lm-files.js";
import { lmGraph } from "./lm-graph.js";
import { train } from "./run.js";
import { rateAt } from "./schedule.js";
import type { LiveState, TrainState } from "./state.js";
import { type Batch, type LmRun, lmLearner, stepBytes } from "./train-lm.js";

const options = { threads: 1 };
const folder = mkdtempSync(join(tmpdir(), "hocket-train-lm-"));
const runtime = createRuntime();
after(async () => {
  await runtime.dispose();
  rmSync(folder, { recursive: true });
});

const sizes = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 64, num_codebooks: 2 };
const t5 = t5Config({ vocab_size: 8, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2 }, "tiny");
const model: LmModel = {
  lm: lmConfig({ ...sizes, vocab_size: 16 }, false, "tiny"),
  t5,
  melody: { config: { sampleRate: 32000, fftSize: 16384, hop: 4096, bins: 12 }, length: 3 },
  window: 1,
  frameRate: 10,
  codec: {},
  frozen: {},
  tokenizer: {},
};
const run: LmRun = {
  model,
  shape: { batch: 4, frames: 10, tokens: 3, melody: { bins: 12, length: 3 } },
  schedule: { kind: "cosine", rate: 1e-2, warmup: 5, steps: 60 },
  clip: 1,
  optimiser: { kind: "adamw", ...musicgenAdamw },
  pieces: 1,
  dropout: { guidance: 0.1, melody: 0.5 },
  learnText: true,
  seed: 1,
};

/** Two tunes, told apart by text and melody: one goes up, the other down. */
const tunes = (other = false): Batch => ({
  codes: [0, 1, 2, 3].map((b) =>
    codes([0, 1].map((k) => Int32Array.from({ length: 10 }, (_, t) => (b % 2 === 0 ? t + k : 15 - t - k) % 16))),
  ),
  conditions: [0, 1, 2, 3].map((b) => {
    const which = other ? 1 - (b % 2) : b % 2;
    return { text: [2 + which, 1], melody: Int32Array.of(which, 4, 7) };
  }),
});
const pieces = { from: "two tunes", batch: async () => tunes(), heldOut: async () => [tunes()] };
const learner = (changed: Partial<LmRun> = {}) => lmLearner(runtime, { ...run, ...changed }, pieces, { options });

async function learn(steps: number, which = learner(), from?: TrainState) {
  let state: LiveState = from ?? (await which.start());
  const losses: number[] = [];
  while (losses.length < steps) {
    const next = await which.step(state);
    await which.release(state, next.state);
    state = next.state;
    losses.push(next.numbers.loss!);
  }
  return { state: await which.read(state), losses };
}

const bytesOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const sameNumbers = (a: TrainState, b: TrainState) =>
  Object.entries(a.tensors).every(([name, numbers]) => bytesOf(numbers).equals(bytesOf(b.tensors[name]!)));

test("the model learns two tunes, and which text and which melody ask for which", async () => {
  const whole = learner();
  const { losses, state } = await learn(60, whole);
  assert.ok(Math.abs(losses[0]! - Math.log(16)) < 1, `starts near a guess, at ${losses[0]}`);
  const right = await whole.check(state);
  assert.ok(right["valid.loss"]! < 0.2, `ends at ${right["valid.loss"]}`);
  assert.ok(right["valid.melody"]! < 0.2);
  // Told nothing, it cannot know the first code; told of the other tune, it expects that.
  assert.ok(right["valid.untold"]! > right["valid.loss"]! + 0.03, `${right["valid.untold"]}`);
  const wrong = await lmLearner(runtime, run, { ...pieces, heldOut: async () => [tunes(true)] }).check(state);
  for (const name of ["valid.loss", "valid.melody"] as const)
    assert.ok(wrong[name]! > 3 * right[name]!, `${name}: ${wrong[name]} against ${right[name]}`);
  const [first, second] = [right["valid.ce.0"]!, right["valid.ce.1"]!];
  assert.ok(Math.abs((first + second) / 2 - right["valid.loss"]!) < 1e-6);
});

test("stopping and going on gives the weights of an uninterrupted run, bit for bit", async () => {
  const usual = learner();
  const whole = await learn(6, usual);
  const begun = await learn(2, usual);
  const rest = await learn(4, learner(), begun.state);
  assert.ok(sameNumbers(whole.state, rest.state));
  const [first, other] = [await learn(1, usual), await learn(1, learner({ seed: 2 }))];
  assert.ok(!sameNumbers(first.state, other.state));
  // What is left out decides what is learnt.
  const { state: all } = await learn(1, learner({ dropout: { guidance: 0, melody: 0 } }));
  assert.ok(!sameNumbers(first.state, all));
});

test("a run folder that was stopped at any step ends with the same state and diary", async () => {
  const every = { steps: 5, save: 2, check: 2, sample: 100 };
  const bare = { ...learner(), write: async () => {} };
  const go = async (name: string, stopAt?: number) => {
    const stop = new AbortController();
    for await (const event of train(bare, join(folder, name), every, () => 0, stop.signal))
      if (event.type === "step" && event.step === stopAt) stop.abort();
  };
  const files = (name: string) =>
    ["state.safetensors", "log.jsonl"].map((file) => readFileSync(join(folder, name, file)));

  await makeFolder(join(folder, "whole"));
  await makeFolder(join(folder, "stopped"));
  await go("whole");
  await go("stopped", 3);
  await go("stopped", 4);
  await go("stopped");
  assert.deepEqual(files("stopped"), files("whole"));
});

test("a batch in two pieces teaches what it teaches at once", async () => {
  const halves = (index: number): Batch => {
    const { codes, conditions } = tunes();
    const half = <T>(items: readonly T[]) => items.slice(2 * (index % 2), 2 * (index % 2) + 2);
    return { codes: half(codes), conditions: half(conditions) };
  };
  const whole = { ...run, dropout: { guidance: 0, melody: 0 } };
  const inPieces = { ...whole, pieces: 2, shape: { ...run.shape, batch: 2 } };
  const pieced = lmLearner(runtime, inPieces, { from: "", batch: async (i) => halves(i), heldOut: async () => [] });
  const [one, two] = [await learn(3, learner(whole)), await learn(3, pieced)];
  for (const [i, loss] of one.losses.entries()) assert.ok(Math.abs(loss - two.losses[i]!) < 1e-5);
  for (const [name, { data }] of Object.entries(one.state.tensors))
    assert.ok(largestDifference(data as Float32Array, two.state.tensors[name]!.data as Float32Array) < 1e-4, name);
});

test("layers computed again on the way back teach what layers that are kept do, and hold less", async () => {
  const again = learner({ recompute: true });
  const [kept, recomputed] = [await learn(3, learner()), await learn(3, again)];
  for (const [i, loss] of kept.losses.entries()) assert.ok(Math.abs(loss - recomputed.losses[i]!) < 1e-5);
  for (const [name, { data }] of Object.entries(kept.state.tensors))
    assert.ok(largestDifference(data as Float32Array, recomputed.state.tensors[name]!.data as Float32Array) < 1e-4);
  const large = { ...run, shape: { ...run.shape, batch: 4096 } };
  assert.ok(stepBytes({ ...large, recompute: true }) < stepBytes(large));
  assert.ok(stepBytes(large) > stepBytes(run));
  // It decides the last bits, so a run does not change it on the way; one that never had it says nothing of it.
  assert.deepEqual([again.settings.recompute, "recompute" in learner().settings], [true, false]);
});

test("D-Adapt finds a rate and learns; what is checked is the average of the weights", async () => {
  const own = learner({
    optimiser: { kind: "dadapt", ...musicgenDAdapt, distance: 1e-4 },
    averages: { decay: 0.5, every: 2 },
    schedule: { kind: "constant", rate: 1, warmup: 0, steps: 24 },
  });
  const { state, losses } = await learn(24, own);
  assert.ok(losses.at(-1)! < losses[0]! - 0.5, `${losses[0]} to ${losses.at(-1)}`);
  const averaged = await own.check(state);
  const name = "decoder.lm_heads.0.weight";
  const swapped = { ...state.tensors, [name]: state.tensors[`${name}.average`]! };
  assert.deepEqual(await own.check({ ...state, tensors: swapped }), averaged);
  const other = { ...state.tensors, [`${name}.average`]: tensor("float32", state.tensors[name]!.shape) };
  assert.notDeepEqual(await own.check({ ...state, tensors: other }), averaged);
});

test("a frozen text encoder is bound and stays as it is", async () => {
  const all = initialWeights(lmGraph(model.lm, t5, run.shape, false).scope.weights, 5);
  const asked = new Set<string>();
  const learnerWith = (bind: Binder) =>
    lmLearner(runtime, { ...run, learnText: false }, pieces, {
      options,
      bind: async (declared) => {
        for (const { name } of declared) asked.add(name);
        return bind(declared);
      },
    });
  const frozen = learnerWith(bindTensors(all));
  assert.ok([...frozen.shapes.keys()].every((name) => !name.startsWith("text_encoder.")));
  const { losses } = await learn(1, frozen);
  assert.ok(asked.size > 0 && [...asked].every((name) => name.startsWith("text_encoder.")));
  // With other numbers bound, the same step has another loss: they are used.
  const zeros = new Map([...all].map(([name, { shape }]) => [name, tensor("float32", shape)]));
  assert.notEqual((await learn(1, learnerWith(bindTensors(zeros)))).losses[0], losses[0]);
});

test("an adapter learns on weights that stay, and is written as one", async () => {
  const { state: base } = await learn(1);
  const weights = new Map(Object.entries(base.tensors));
  const lora = { rank: 4, alpha: 8, base: "some/model" };
  const adapted = lmLearner(runtime, { ...run, lora }, pieces, { options, bind: bindTensors(weights) });
  assert.ok([...adapted.shapes.keys()].every((name) => name.includes(".lora_")));
  const { losses, state } = await learn(20, adapted);
  assert.ok(losses.at(-1)! < losses[0]! - 0.2, `${losses[0]} to ${losses.at(-1)}`);
  const path = join(folder, "adapter");
  await makeFolder(path);
  await adapted.write(state, path);
  const read = await readAdapter(await openFolder(path));
  assert.equal(read.base, "some/model");
  const [name, change] = [...read.changes][0]!;
  assert.deepEqual(change.down.data, state.tensors[factorNames(name)[0]]!.data);
});

test("a loss that is no number stops the run, names the tensor and keeps the state before", async () => {
  const name = "decoder.lm_heads.0.weight";
  const sound = learner();
  const broken = {
    ...sound,
    write: async () => {},
    async step(state: LiveState) {
      const next = await sound.step(state);
      if (state.step < 2) return next;
      const read = await sound.read(next.state);
      (read.tensors[name]!.data as Float32Array)[3] = Number.NaN;
      return sound.step(read);
    },
  };

  const path = join(folder, "broken");
  await makeFolder(path);
  const events = train(broken, path, { steps: 9, save: 100, check: 100, sample: 100 }, () => 0, AbortSignal.any([]));
  await assert.rejects(async () => {
    for await (const _ of events);
  }, /at step 3 loss is NaN \(.* is not finite\)\. The state of step 2 is saved/);
  const { state } = await learn(2);
  const file = readFileSync(join(path, "state.safetensors"));
  assert.ok(file.includes(bytesOf(state.tensors[name]!)));
});

test("a disk that is full stops the run, and the state before is still there", async () => {
  const path = join(folder, "full");
  await makeFolder(path);
  let room = 2;
  const bare = {
    ...learner(),
    async write() {
      if (room-- === 0) throw new HocketError("disk", "there is no room left");
    },
  };
  const go = async () => {
    const every = { steps: 4, save: 1, check: 100, sample: 100 };
    for await (const _ of train(bare, path, every, () => 0, new AbortController().signal));
  };
  await assert.rejects(go(), /no room left/);
  const { state } = await learn(2);
  const name = "decoder.lm_heads.0.weight";
  assert.ok(readFileSync(join(path, "state.safetensors")).includes(bytesOf(state.tensors[name]!)));
  room = 100;
  await go();
  const done = await learn(4);
  assert.ok(readFileSync(join(path, "state.safetensors")).includes(bytesOf(done.state.tensors[name]!)));
});

test("starting weights: by name and seed, of the size that their place asks for", () => {
  const { learnt } = lmGraph(model.lm, t5, run.shape, true);
  const [a, b, c] = [initialWeights(learnt, 1), initialWeights(learnt, 1), initialWeights(learnt, 2)];
  const deviation = (name: string) => {
    const data = a.get(name)!.data as Float32Array;
    return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
  };
  const query = (layer: number) => `decoder.model.decoder.layers.${layer}.self_attn.q_proj.weight`;
  assert.deepEqual(a, b);
  assert.notDeepEqual(a.get(query(0)), c.get(query(0)));
  assert.ok(Math.abs(deviation("decoder.lm_heads.0.weight") / 32 ** -0.5 - 1) < 0.1);
  assert.ok(Math.abs(deviation(query(0)) / (32 * 2) ** -0.5 - 1) < 0.1);
  assert.ok(Math.abs(deviation(query(1)) / (32 * 4) ** -0.5 - 1) < 0.1);
  assert.ok((a.get("decoder.model.decoder.layer_norm.weight")!.data as Float32Array).every((x) => x === 1));
});

test("the rate rises over the warm-up, then follows its curve", () => {
  const cosine = { kind: "cosine", rate: 2, warmup: 10, steps: 110 } as const;
  assert.deepEqual(
    [0, 5, 10, 60, 110, 200].map((step) => Number(rateAt(cosine, step).toFixed(9))),
    [0, 1, 2, 1, 0, 0],
  );
  const root = { ...cosine, kind: "inverse-sqrt" } as const;
  assert.deepEqual(
    [5, 10, 40].map((step) => rateAt(root, step)),
    [1, 2, 1],
  );
  assert.equal(rateAt({ ...cosine, kind: "constant" }, 90), 2);
});
