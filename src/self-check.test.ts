import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readGolden, readGoldenJson } from "../test/golden.js";
import { bindTensors } from "../test/models.js";
import { codecConfig } from "./codec/config.js";
import { Encodec } from "./codec/encodec.js";
import { loadOn } from "./devices.js";
import { HocketError } from "./errors.js";
import { type LmConfig, lmConfig } from "./lm/config.js";
import { everything, LanguageModel } from "./lm/lm.js";
import { createRuntime } from "./platform/node.js";
import type { Fed, Runtime, Session, Tensors } from "./platform/platform.js";
import type { Precision } from "./precision.js";
import { checkCodec, checkLm } from "./self-check.js";

const cpu = createRuntime();
after(() => cpu.dispose());

/** A device whose runs give what `change` makes of the processor's. */
const device = (change: (outputs: Tensors, inputs: Fed) => void = () => {}): Runtime => ({
  ...cpu,
  device: "webgpu",
  async createSession(model, options) {
    const session = await cpu.createSession(model, options);
    const run: Session["run"] = async (inputs, state) => {
      const outputs = await session.run(inputs, state);
      change(outputs, inputs);
      return outputs;
    };
    const others = { leave: session.leave.bind(session), open: session.open.bind(session) };
    return { run, ...others, dispose: () => session.dispose() };
  },
});

const json = readGoldenJson<{ text_encoder: { d_model: number }; decoder: unknown }>("musicgen_tiny");
const weights = bindTensors(readGolden("musicgen_tiny", "model.safetensors"));
const make = (config: LmConfig, on: Runtime) =>
  new LanguageModel(config, { textWidth: json.text_encoder.d_model }, on, weights);
const checked = (on: Runtime, precision: Precision = "fp32") => {
  const lm = make(lmConfig(json.decoder, true, "test"), on);
  return checkLm(lm, make, cpu, precision);
};
const logits = (outputs: Tensors) => outputs.logits?.data as Float32Array | undefined;
const isRefused = (why: RegExp) => (error: Error) =>
  error instanceof HocketError && error.code === "unsupported" && why.test(error.message);

test("a device that computes what the processor does is trusted with everything", async () => {
  assert.equal(await checked(device()), everything);
});

test("a device whose language model is off is refused, be it one number or one that is none", async () => {
  const spoil = (value: (old: number) => number) =>
    device((outputs) => {
      const data = logits(outputs);
      if (data !== undefined) data[data.length - 1] = value(data.at(-1)!);
    });
  await assert.rejects(checked(spoil((old) => old + 1)), isRefused(/webgpu.*logits of step 1.*cpu/));
  await assert.rejects(checked(spoil(() => Number.NaN)), isRefused(/logits of step 1/));
});

test("a device that forgets what it read is refused at the step where that shows", async () => {
  let first: Float32Array | undefined;
  const forgetful = device((outputs) => {
    const data = logits(outputs);
    if (data === undefined) return;
    first ??= data.slice();
    data.set(first);
  });
  await assert.rejects(checked(forgetful), isRefused(/logits of step 2/));
});

test("rounded weights may differ by more", async () => {
  const nearly = () =>
    device((outputs) => {
      const data = logits(outputs);
      for (const i of data?.keys() ?? []) data![i]! *= 1.02;
    });
  assert.equal(await checked(nearly(), "int8"), everything);
  await assert.rejects(checked(nearly()), isRefused(/2\.0 %/));
});

test("a device that is wrong only where it reads much at once reads less at once", async () => {
  const long = device((outputs, inputs) => {
    if (inputs.columns !== undefined && inputs.columns.shape[2]! >= 32) logits(outputs)?.fill(0);
  });
  assert.equal(await checked(long), 31);
});

test("a first pass in pieces, and column by column after the first, says what one pass says", async () => {
  const lm = make(lmConfig(json.decoder, true, "test"), device());
  const count = 40;
  const columns = Int32Array.from({ length: lm.config.num_codebooks * count }, (_, i) => (i * 37) % 512);
  const read = async (atOnce: number) => {
    lm.atOnce = atOnce;
    const decoding = await lm.open([{}], false, count);
    return decoding.step([columns], count);
  };
  const [whole, pieces] = [await read(everything), await read(31)];
  for (const [i, value] of whole.entries()) assert.ok(Math.abs(value - pieces[i]!) < 3e-5);
  await lm.dispose();
});

test("a codec is refused where its sound is off", async () => {
  const folder = "encodec_tiny_mono";
  const bind = bindTensors(readGolden(folder, "model.safetensors"));
  const codec = (on: Runtime) => new Encodec(codecConfig(readGoldenJson(folder), folder), 4, on, bind);
  await checkCodec(codec(device()), () => codec(cpu), "webgpu");
  const louder = device((outputs) => {
    for (const { data } of Object.values(outputs))
      if (data instanceof Float32Array) for (const i of data.keys()) data[i]! *= 1.01;
  });
  await assert.rejects(
    checkCodec(codec(louder), () => codec(cpu), "webgpu"),
    isRefused(/sound.*webgpu|webgpu.*sound/),
  );
});

test("auto takes the processor where no GPU is, or where it is refused, and says why; other errors are told", async () => {
  const load = async (runtime: Runtime) => {
    if (runtime.device !== "cpu") throw new HocketError("unsupported", "other numbers");
    return runtime.device;
  };
  const asked = async (found: string | undefined) => {
    const { runtime, loaded, whyNot } = await loadOn("auto", load, async () => found);
    await runtime.dispose();
    return [loaded, whyNot];
  };
  assert.deepEqual(await asked("none here"), ["cpu", "none here"]);
  assert.deepEqual(await asked(undefined), ["cpu", "other numbers"]);
  const broken = async () => Promise.reject(new HocketError("bad-checkpoint", "torn"));
  await assert.rejects(
    loadOn("auto", broken, async () => undefined),
    /torn/,
  );
  const trusted = await loadOn(
    "auto",
    async ({ device }) => device,
    async () => undefined,
  );
  await trusted.runtime.dispose();
  assert.deepEqual([trusted.loaded, trusted.whyNot], ["webgpu", undefined]);
});
