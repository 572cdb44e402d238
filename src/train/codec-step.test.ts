import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  assertClose,
  assertSlope,
  codebooks,
  codecWeights,
  config,
  discriminator,
  discriminatorWeights,
  expected,
  family,
  inputs,
} from "../../test/codec-training.js";
import { floats, named } from "../../test/golden.js";
import { compile } from "../graph/compile.js";
import { createRuntime } from "../platform/node.js";
import type { Tensor } from "../tensor.js";
import { encodecAdam, rateTensors } from "./adamw.js";
import { codecStep, encodecTraining } from "./codec-step.js";
import { rvqTraining } from "./rvq-training.js";

const runtime = createRuntime();
after(() => runtime.dispose());

test("two whole steps end at the reference's weights", async () => {
  const training = { ...encodecTraining, discriminator, rvq: { ...rvqTraining, deadBelow: 0 } };
  const step = codecStep(config, training, { batch: 2, samples: 4000, codebooks });
  const { losses, slope, next } = step;
  const session = await compile(runtime, { ...losses, slope, ...next }, async () => new Map());
  let state: Record<string, Tensor> = { ...step.start };
  for (const name of Object.keys(next)) state[name] ??= codecWeights.get(name) ?? named(discriminatorWeights, name);
  const theirs: Record<string, string> = {
    adversarial: "adv_msstftd",
    features: "feat_msstftd",
    l1: "l1",
    mel: "msspec",
    penalty: "penalty",
    discriminators: "d_loss",
    balanced: "g_loss_effective",
    "pull.adversarial": "ratio_adv_msstftd",
    "pull.features": "ratio_feat_msstftd",
    "pull.l1": "ratio_l1",
    "pull.mel": "ratio_msspec",
  };
  assert.deepEqual(Object.keys(theirs).sort(), Object.keys(losses).sort());
  for (const t of [1, 2]) {
    const result = await session.run({ sound: named(inputs, "x"), ...state, ...rateTensors(3e-4, t, encodecAdam) });
    for (const name of Object.keys(losses)) {
      const reference = floats(expected, `step${t}.${theirs[name]}`)[0]!;
      const ours = (result[name]!.data as Float32Array)[0]!;
      assert.ok(Math.abs(ours / reference - 1) < 2e-5, `step ${t}, ${name}: ${ours}, reference ${reference}`);
    }
    assertSlope(result.slope!, expected.get(`step${t}.grad_y`), `slope of step ${t}`);
    state = Object.fromEntries(Object.keys(next).map((name) => [name, result[name]!]));
  }
  const reference = family("after_step2.model.");
  assert.equal(reference.size, step.codec.size);
  for (const name of step.codec.keys()) assertClose(state[name], reference.get(name), 2e-5, name);
});
