import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  assertClose,
  assertSlope,
  discriminator,
  discriminatorWeights,
  expected,
  family,
  inputs,
} from "../../test/codec-training.js";
import { named } from "../../test/golden.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import { graphOf } from "../graph/onnx.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { adamwAll, encodecAdam, rateInputs, rateTensors, zeroMoments } from "./adamw.js";
import { passFor, soundAlike, tellApart } from "./adversarial.js";
import { discriminate, spectrograms } from "./discriminator.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const p = new Scope();
const sound = (name: string) => input(name, "float32", [2, 1, 4000]);
const [real, fake] = [sound("real"), sound("fake")];
const judged = (sound: Value, q = p, c = discriminator) => discriminate(q, spectrograms(sound, c), c);
const [ofReal, ofFake] = [judged(real), judged(fake)];
const weights = [...p.weights];
const feeds = {
  real: named(inputs, "real"),
  fake: named(inputs, "fake"),
  ...Object.fromEntries(weights.map(([name]) => [name, named(discriminatorWeights, name)])),
};
/** Feeds what the outputs depend on. */
const run = async (outputs: Record<string, Value>, rest = {}) => {
  const graph = graphOf(outputs);
  const fed = Object.entries(feeds).filter(([name]) => graph.inputs.has(name) || graph.weights.has(name));
  return (await compile(runtime, outputs, async () => new Map())).run({ ...Object.fromEntries(fed), ...rest });
};

test("logits and feature maps are the reference's", async () => {
  const outputs: Record<string, Value> = {};
  for (const [i, { logits, features }] of ofFake.entries()) {
    outputs[`disc.logits_fake.${i}`] = logits;
    outputs[`disc.logits_real.${i}`] = ofReal[i]!.logits;
    for (const [layer, map] of features.entries()) outputs[`disc.fmap_fake.${i}.${layer}`] = ops.slice(map, 0, 0, 1);
  }
  const result = await run(outputs);
  assert.equal(Object.keys(outputs).length, [...expected.keys()].filter((name) => name.startsWith("disc.")).length);
  for (const name of Object.keys(outputs)) assertClose(result[name], expected.get(name), 2e-5, name);
});

test("what the codec wants of the discriminators, and how to get there, is the reference's", async () => {
  const losses = { generator_hinge: passFor(ofFake), feature_matching: soundAlike(ofReal, ofFake) };
  for (const [name, loss] of Object.entries(losses)) {
    const [slope] = differentiate(loss, [fake]);
    const result = await run({ loss, slope: slope! });
    assertClose(result.loss, expected.get(`adv.${name}`), 1e-6, name);
    const theirs = named(expected, `adv.grad_${name}_wrt_fake`);
    const largest = (theirs.data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assertClose(result.slope, theirs, 1e-3 * largest, `slope of ${name}`);
  }
});

test("the discriminators' loss, its slopes, and one step of Adam, are the reference's", async () => {
  const loss = tellApart(ofReal, ofFake);
  const slopes = differentiate(
    loss,
    weights.map(([, weight]) => weight),
  );
  const next = adamwAll(p.weights, slopes, rateInputs(), encodecAdam);
  const outputs: Record<string, Value> = { loss, ...next };
  for (const [i, [name]] of weights.entries()) outputs[`d ${name}`] = slopes[i]!;
  const result = await run(outputs, {
    ...zeroMoments(p.weights),
    ...rateTensors(3e-4, 1, encodecAdam),
  });
  assertClose(result.loss, expected.get("adv.d_loss"), 1e-6, "loss");
  const [grad, moved] = [family("adv.d_grad."), family("adv.d_after1.")];
  assert.equal(grad.size, weights.length);
  for (const [name] of weights) {
    assertSlope(result[`d ${name}`]!, grad.get(name), name);
    assertClose(result[name], moved.get(name), 2e-5, name);
  }
});

test("stereo is heard on both sides", async () => {
  const both = judged(input("both", "float32", [2, 2, 4000]), new Scope());
  assert.deepEqual(both[0]!.features[0]!.shape, [2, 4, 28, 257]);
  const q = new Scope();
  const [one] = judged(input("both", "float32", [1, 2, 1000]), q, { ffts: [128], filters: 2 });
  const session = await compile(runtime, { logits: one!.logits }, async () => new Map());
  const constants = Object.fromEntries(
    [...q.weights].map(([name, { shape }]) => {
      const count = (shape as number[]).reduce((a, b) => a * b, 1);
      return [
        name,
        tensor(
          "float32",
          shape as number[],
          Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1)),
        ),
      ];
    }),
  );
  const heard = async (left: number, right: number) => {
    const both = Float32Array.from({ length: 2000 }, (_, i) => (i < 1000 ? left : right) * Math.sin(i ** 1.5));
    return (await session.run({ ...constants, both: tensor("float32", [1, 2, 1000], both) })).logits!.data;
  };
  assert.notDeepEqual(await heard(1, 0), await heard(0, 1));
  assert.notDeepEqual(await heard(1, 0), await heard(1, 1));
});
