import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference, readGolden, readGoldenJson } from "../test/golden.js";
import { bindTensors } from "../test/models.js";
import { useSoftwareGpu } from "../test/software-gpu.js";
import { codecConfig } from "./codec/config.js";
import { Encodec } from "./codec/encodec.js";
import { codes } from "./codes.js";
import { HocketError } from "./errors.js";
import { compile } from "./graph/compile.js";
import { layerNorm } from "./graph/layers.js";
import * as ops from "./graph/ops.js";
import { input, Scope, type Value } from "./graph/value.js";
import { type LmConfig, lmConfig } from "./lm/config.js";
import { LanguageModel } from "./lm/lm.js";
import { createRuntime } from "./platform/node.js";
import type { Runtime } from "./platform/platform.js";
import { checkLm } from "./self-check.js";
import { tensor } from "./tensor.js";

const skip = useSoftwareGpu();
const cpu = createRuntime();
const gpu = createRuntime({ device: "webgpu" });
after(() => Promise.all([cpu.dispose(), gpu.dispose()]));

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) ** 3);

test("operators compute on WebGPU what they compute on the processor", { skip }, async () => {
  const x = input("x", "float32", ["N", 24]);
  const p = new Scope();
  const matrix = p.weight("matrix", [40, 24]);
  const normed = layerNorm(p.at("norm"), x);
  const filters = p.weight("filters", [5, 24, 3]);
  const outputs: Record<string, Value> = {
    product: ops.gemm(normed, matrix, undefined),
    elu: ops.elu(x),
    gelu: ops.gelu(x),
    softmax: ops.softmax(x),
    convolved: ops.conv(ops.unsqueeze(ops.transpose(x, [1, 0]), [0]), filters, undefined),
  };
  const bind = async (declared: readonly { name: string; shape: readonly number[] }[]) =>
    new Map(
      declared.map(({ name, shape }, i) => {
        const data = wave(
          shape.reduce((a, b) => a * b, 1),
          i,
        );
        return [name, { dtype: "float32" as const, data: new Uint8Array(data.buffer) }];
      }),
    );
  const fed = { x: tensor("float32", [7, 24], wave(7 * 24, 9)) };
  const run = async (on: Runtime) => (await compile(on, outputs, bind)).run(fed);
  const [here, there] = [await run(cpu), await run(gpu)];
  for (const name of Object.keys(outputs)) {
    assert.deepEqual(there[name]!.shape, here[name]!.shape);
    const off = largestDifference(there[name]!.data as Float32Array, here[name]!.data as Float32Array);
    assert.ok(off < 1e-5, `${name}: off by ${off}`);
  }
});

test("steps over a cache that stays on the GPU are the processor's", { skip }, async () => {
  const json = readGoldenJson<{ text_encoder: { d_model: number }; decoder: unknown }>("musicgen_tiny");
  const bind = bindTensors(readGolden("musicgen_tiny", "model.safetensors"));
  const config = { ...lmConfig(json.decoder, true, "test"), num_hidden_layers: 1 };
  const textWidth = json.text_encoder.d_model;
  const text = tensor("float32", [1, 3, textWidth], wave(3 * textWidth, 1));
  for (const conditions of [[{ text }], [{}]]) {
    const [here, there] = await Promise.all(
      [cpu, gpu].map(async (on) => {
        const decoding = await new LanguageModel(config, { textWidth }, on, bind).open(conditions, true, 12);
        const logits: Float32Array[] = [];
        for (const [i, count] of [5, 1, 1].entries()) {
          const columns = Int32Array.from({ length: config.num_codebooks * count }, (_, j) => (j * 37 + i * 101) % 512);
          logits.push(await decoding.step([columns], count));
        }
        await decoding.dispose();
        return logits;
      }),
    );
    for (const [i, step] of there!.entries()) assert.ok(largestDifference(step, here![i]!) < 3e-5, `step ${i + 1}`);
  }
});

test("half precision is near enough on the GPU, or refused where it has none", { skip }, async (t) => {
  const json = readGoldenJson<{ text_encoder: { d_model: number }; decoder: unknown }>("musicgen_tiny");
  const bind = bindTensors(readGolden("musicgen_tiny", "model.safetensors"));
  const config = { ...lmConfig(json.decoder, true, "test"), num_hidden_layers: 1 };
  const around = { textWidth: json.text_encoder.d_model };
  const make = (c: LmConfig, on: Runtime) => new LanguageModel(c, around, on, bind, {}, on !== cpu);
  try {
    await checkLm(make(config, gpu), make, cpu, "fp16");
  } catch (error) {
    assert.ok(error instanceof HocketError && error.code === "unsupported", `${error}`);
    assert.match(error.message, /does not compute in half precision; take --precision fp32/);
    t.diagnostic("this GPU has no half precision: not checked is what it would compute");
  }
});

test("a codec decodes on the GPU what it decodes on the processor", { skip }, async () => {
  const folder = "encodec_tiny_mono";
  const bind = bindTensors(readGolden(folder, "model.safetensors"));
  const grid = codes(
    Array.from({ length: 4 }, (_, k) => Int32Array.from({ length: 6 }, (_, i) => (i * 37 + k * 11) % 512)),
  );
  const [here, there] = await Promise.all(
    [cpu, gpu].map(async (on) => {
      const codec = new Encodec(codecConfig(readGoldenJson(folder), folder), 4, on, bind);
      return (await codec.decode([{ codes: [grid] }]))[0]![0]!;
    }),
  );
  assert.ok(largestDifference(there!, here!) < 1e-4);
});
