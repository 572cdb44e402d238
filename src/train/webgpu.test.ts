import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference } from "../../test/golden.js";
import { useSoftwareGpu } from "../../test/software-gpu.js";
import { codecConfig } from "../codec/config.js";
import { codes } from "../codes.js";
import { HocketError } from "../errors.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import type { Runtime } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { musicgenAdamw } from "./adamw.js";
import { goldenCodec } from "./codec-golden.js";
import { encodecTraining } from "./codec-step.js";
import { checkStep } from "./golden-step.js";
import type { LmModel } from "./lm-files.js";
import { goldenLm } from "./lm-golden.js";
import type { LiveState } from "./state.js";
import type { CodecRun } from "./train-codec.js";
import { type LmRun, lmLearner } from "./train-lm.js";

const skip = useSoftwareGpu();
const cpu = createRuntime();
const gpu = createRuntime({ device: "webgpu" });
after(() => Promise.all([cpu.dispose(), gpu.dispose()]));

const sizes = { hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, ffn_dim: 64, num_codebooks: 2 };
const model: LmModel = {
  lm: lmConfig({ ...sizes, vocab_size: 16 }, true, "tiny"),
  t5: t5Config({ vocab_size: 8, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2 }, "tiny"),
  ...{ melody: undefined, window: 1, frameRate: 10, codec: {}, frozen: {}, tokenizer: {} },
};
const run: LmRun = {
  model,
  shape: { batch: 2, frames: 8, tokens: 3 },
  schedule: { kind: "constant", rate: 1e-2, warmup: 0, steps: 4 },
  clip: 1,
  optimiser: { kind: "adamw", ...musicgenAdamw },
  averages: { decay: 0.5, every: 2 },
  pieces: 2,
  dropout: { guidance: 0, melody: 0 },
  learnText: true,
  seed: 1,
};
const batch = async (index: number) => ({
  codes: [0, 1].map((b) =>
    codes([0, 1].map((k) => Int32Array.from({ length: 8 }, (_, t) => (t * (b + 2) + 3 * k + index) % 16))),
  ),
  conditions: [{ text: [2, 3, 1] }, { text: [5, 1] }],
});
const learner = (on: Runtime) =>
  lmLearner(on, run, { from: "", batch, heldOut: async () => [await batch(99)] }, { options: { threads: 1 } });

const codec: CodecRun = {
  config: codecConfig(
    {
      ...{ sampling_rate: 8000, num_filters: 2, hidden_size: 8, upsampling_ratios: [4, 2], num_lstm_layers: 1 },
      ...{ use_causal_conv: false, use_conv_shortcut: false, codebook_size: 16, target_bandwidths: [8] },
    },
    "test",
  ),
  ...{ codebooks: 2, batch: 1, samples: 1024, codedFrom: 0, judgedFrom: 0, seed: 3 },
  training: { ...encodecTraining, discriminator: { ffts: [64], filters: 2 } },
  schedule: { kind: "constant", rate: 3e-3, warmup: 0, steps: 8 },
};

test("a step whose numbers are off on a device is refused, whichever they are", async () => {
  const step = goldenLm({ ...run, pieces: 1 }, undefined);
  await checkStep(cpu, cpu, step);
  const offBy = (part: string): Runtime => ({
    ...cpu,
    device: "webgpu",
    async read(resident) {
      const tensor = await cpu.read(resident);
      // The first slope of the last weight that is read: one number of thousands.
      if (`${resident.shape}` === part) (tensor.data as Float32Array)[0]! += 0.5;
      return tensor;
    },
  });
  for (const shape of ["16,32", "32", "64,32", "2", ""])
    await assert.rejects(
      checkStep(offBy(shape), cpu, step),
      (error) => error instanceof HocketError && error.code === "unsupported" && /after a step/.test(error.message),
      `shape [${shape}]`,
    );
});

test("a language model passes its check on WebGPU", { skip }, () =>
  checkStep(gpu, cpu, goldenLm({ ...run, pieces: 1 }, undefined)),
);

test("a codec passes its check on WebGPU", { skip }, () => checkStep(gpu, cpu, goldenCodec(codec)));

test(
  "steps on WebGPU, in pieces, whose state stays there, are the processor's: resumed, checked and saved",
  { skip },
  async () => {
    const [here, there] = await Promise.all(
      [cpu, gpu].map(async (on) => {
        const one = learner(on);
        let state: LiveState = await one.start();
        const losses: number[] = [];
        for (let i = 0; i < 4; i++) {
          const next = await one.step(state);
          await one.release(state, next.state);
          state = i === 1 ? await one.read(next.state) : next.state; // as a run that goes on from what was saved
          losses.push(next.numbers.loss!, next.numbers.norm!);
        }
        return { losses, checked: await one.check(state), tensors: (await one.read(state)).tensors };
      }),
    );
    for (const [i, value] of there!.losses.entries()) assert.ok(Math.abs(value / here!.losses[i]! - 1) < 1e-5, `${i}`);
    for (const [name, value] of Object.entries(there!.checked))
      assert.ok(Math.abs(value / here!.checked[name]! - 1) < 1e-4, name);
    const numbers = ({ data }: Tensor) => data as Float32Array;
    for (const [name, tensor] of Object.entries(there!.tensors))
      assert.ok(largestDifference(numbers(tensor), numbers(here!.tensors[name]!)) < 1e-3, name);
  },
);
