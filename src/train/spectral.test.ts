import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  assertClose,
  assertSlope,
  codebooks,
  codecWeights,
  config,
  expected,
  family,
  inputs,
} from "../../test/codec-training.js";
import { floats, named } from "../../test/golden.js";
import { dequantize, quantize } from "../codec/rvq.js";
import * as whole from "../codec/whole.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import type { Tensor } from "../tensor.js";
import { l1 } from "./distance.js";
import * as spectral from "./spectral.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const run = async (outputs: Record<string, Value>, feeds: Record<string, Tensor>) =>
  (await compile(runtime, outputs, async () => new Map())).run(feeds);

const [x, y] = [input("x", "float32", [2, 1, 4000]), input("y", "float32", [2, 1, 4000])];
const sounds = { x: named(inputs, "x"), y: named(expected, "train.y_pred") };
const scales = spectral.melScales(16_000);
const mel = { fft: 1024, hop: 256, sampleRate: 16_000, bands: 64, low: 64 };

test("spectrograms are the reference's", async () => {
  const upright = (scale: spectral.Mel) => ops.transpose(spectral.melSpectrogram(x, scale), [0, 1, 3, 2]);
  const linear = scales.map(upright);
  const outputs = { log: spectral.logMel(upright(mel)), ...Object.fromEntries(linear.entries()) };
  const result = await run(outputs, { x: sounds.x });
  const check = (ours: Tensor, name: string, most: number) => {
    const theirs = named(expected, name);
    assert.deepEqual([2, 1, ...theirs.shape.slice(1)], [...ours.shape]);
    assertClose({ ...ours, shape: theirs.shape }, theirs, most, name);
  };
  for (const i of scales.keys()) check(result[i]!, `msspec.linear_mel_of_x.${i}`, 1e-4);
  check(result.log!, "mel.log10_mel_of_x", 2e-4);
});

test("distances of two sounds, and the slope of what the codec learns from, are the reference's", async () => {
  const losses = {
    l1: l1(y, x),
    msspec: spectral.multiScaleMel(y, x, scales),
    mel: spectral.melDistance(y, x, mel),
    mrstft: spectral.multiResolution(y, x),
  };
  const [slope] = differentiate(ops.add(losses.l1, losses.msspec), [y]);
  const result = await run({ ...losses, slope: slope! }, sounds);
  for (const name of Object.keys(losses)) {
    const [ours, theirs] = [(result[name]!.data as Float32Array)[0]!, floats(expected, `loss.${name}`)[0]!];
    assert.ok(Math.abs(ours / theirs - 1) < 1e-5, `${name}: ${ours}, reference ${theirs}`);
  }
  assertSlope(result.slope!, named(expected, "grad_l1_msspec_wrt_y"), "y");
});

test("the slope of it in every weight of the codec is the reference's", async () => {
  const p = new Scope();
  const latent = whole.encoder(p, x, config);
  const codes = quantize(p, latent, codebooks, config);
  const quantized = dequantize(p, codes, codebooks, config);
  // Straight through: what the quantiser changed is taken as given.
  const made = whole.decoder(p, ops.add(latent, ops.detach(ops.sub(quantized, latent))), config);
  const loss = ops.add(l1(made, x), spectral.multiScaleMel(made, x, scales));
  const learnt = [...p.weights].filter(([name]) => !name.startsWith("quantizer"));
  const slopes = differentiate(
    loss,
    learnt.map(([, weight]) => weight),
  );
  const outputs = Object.fromEntries(learnt.map(([name], i) => [`d ${name}`, slopes[i]!]));
  const result = await run(outputs, {
    x: sounds.x,
    ...Object.fromEntries([...p.weights.keys()].map((name) => [name, codecWeights.get(name)!])),
  });
  const reference = family("grad_l1_msspec.");
  assert.equal(reference.size, learnt.length);
  for (const [name] of learnt) assertSlope(result[`d ${name}`]!, reference.get(name), name);
});
