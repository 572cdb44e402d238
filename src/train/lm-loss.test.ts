import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fromAudiocraft } from "../../test/audiocraft-names.js";
import { floats, integers, largestDifference, named, readGolden } from "../../test/golden.js";
import { type Codes, codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import { flatten, linear, rowsOf, unflatten } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { adamwAll, clipped, musicgenAdamw, rateInputs, rateTensors, zeroMoments } from "./adamw.js";
import { lmBatch, lmLoss } from "./lm-loss.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const folder = "audiocraft_lm_tiny";
const inputs = readGolden(folder, "inputs.safetensors");
const expected = readGolden(folder);
const config = lmConfig(
  { vocab_size: 64, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 4, ffn_dim: 192, num_codebooks: 4 },
  true,
  folder,
);
const [batch, frames, tokens] = [3, 12, 7];

/** Every parameter but T5's, which is frozen. */
const p = new Scope();
const states = input("states", "float32", [batch, tokens, 32]);
const keep = input("keep", "float32", [batch, tokens, 1]);
const unmasked = input("text.mask", "float32", [batch, 1, 1, tokens]); // the reference attends to padding too
const projected = unflatten(linear(p.at("enc_to_dec_proj"), flatten(states), 48, { bias: true }), rowsOf(states));
const { loss, perCodebook } = lmLoss(p.at("decoder"), { states: ops.mul(projected, keep), mask: unmasked }, config, {
  batch,
  frames,
  tokens,
});
const names = [...p.weights.keys()];
const weights = [...p.weights.values()];
const slopes = differentiate(loss, weights);

const start = fromAudiocraft(readGolden(folder, "model.safetensors"));
const mask = Float32Array.from(integers(expected, "cond.attention_mask"));
const items: Codes[] = Array.from({ length: batch }, (_, b) =>
  codes(
    Array.from({ length: 4 }, (_, k) =>
      integers(inputs, "codes").subarray((b * 4 + k) * frames, (b * 4 + k + 1) * frames),
    ),
  ),
);
const fed = {
  ...lmBatch(items, config),
  states: named(expected, "cond.t5_last_hidden_state"),
  keep: tensor("float32", [batch, tokens, 1], mask),
  "text.mask": tensor("float32", [batch, 1, 1, tokens]),
};
const family = (prefix: string) =>
  fromAudiocraft(
    new Map(
      [...expected].flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
    ),
  );
const asRecord = (values: readonly Value[], prefix: string) =>
  Object.fromEntries(values.map((value, i) => [`${prefix}${names[i]}`, value]));

test("the loss, and the slope of it in every parameter, are the reference's", async () => {
  const session = await compile(runtime, { loss, perCodebook, ...asRecord(slopes, "d ") }, async () => new Map());
  const result = await session.run({ ...fed, ...Object.fromEntries(start) });
  assert.ok(largestDifference(result.loss!.data as Float32Array, floats(expected, "loss.ce")) < 1e-6);
  assert.ok(
    largestDifference(result.perCodebook!.data as Float32Array, floats(expected, "loss.ce_per_codebook")) < 2e-6,
  );
  const reference = family("grad.");
  assert.equal(reference.size, names.length);
  for (const name of names) {
    const ours = result[`d ${name}`]!.data as Float32Array;
    const theirs = reference.get(name)!.data as Float32Array;
    for (const [i, slope] of ours.entries())
      assert.ok(
        Math.abs(slope - theirs[i]!) < 1e-6 + 1e-4 * Math.abs(theirs[i]!),
        `${name}[${i}]: ${slope}, reference ${theirs[i]}`,
      );
  }
});

test("three steps of AdamW end at the reference's parameters", async () => {
  const { gradients, norm } = clipped(slopes, 1);
  const outputs = { loss, norm, ...adamwAll(p.weights, gradients, rateInputs(), musicgenAdamw) };
  const session = await compile(runtime, outputs, async () => new Map());
  let state: Record<string, Tensor> = { ...zeroMoments(p.weights), ...Object.fromEntries(start) };
  for (let step = 1; step <= 3; step++) {
    const { loss, norm, ...next } = await session.run({ ...fed, ...state, ...rateTensors(1e-3, step, musicgenAdamw) });
    assert.ok(
      Math.abs((loss!.data as Float32Array)[0]! - floats(expected, "train.loss_before_step")[step - 1]!) < 2e-5,
    );
    assert.ok(
      Math.abs((norm!.data as Float32Array)[0]! - floats(expected, "train.grad_norm_before_clip")[step - 1]!) < 2e-5,
    );
    state = next as Record<string, Tensor>;
  }
  const reference = family("after3.");
  for (const name of names)
    assert.ok(
      largestDifference(state[name]!.data as Float32Array, reference.get(name)!.data as Float32Array) < 5e-5,
      name,
    );
});

test("nothing is learnt of what lies behind a recording's end, or of what is read in place of codes", () => {
  const lengths = [8, frames, 5];
  const other = items.map((grid, b) =>
    codes(grid.map((row) => row.map((code, t) => (t < lengths[b]! ? code : (code + 1) % 64)))),
  );
  const [whole, cut] = [lmBatch(items, config), lmBatch(items, config, items, lengths)];
  assert.deepEqual(lmBatch(other, config, items, lengths), cut);
  assert.notDeepEqual(lmBatch(other, config, items), whole);
  assert.deepEqual(cut.columns, whole.columns);
  const counted = (predicted: Tensor) => (predicted.data as Float32Array).reduce((sum, one) => sum + one, 0);
  assert.equal(counted(whole.predicted) - counted(cut.predicted), 4 * (4 + 7) - 6 * 2); // the pattern leaves out 0 + 1 + 2 + 3
  const read = lmBatch(items, config, other);
  assert.notDeepEqual(read.columns, whole.columns);
  assert.deepEqual([read.targets, read.predicted], [whole.targets, whole.predicted]);
});
