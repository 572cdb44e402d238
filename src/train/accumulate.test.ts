import assert from "node:assert/strict";
import { after, test } from "node:test";
import { codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, Scope } from "../graph/value.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { addGradients, gradientName, noGradients, shareTensor, summedGradients } from "./accumulate.js";
import { adamwAll, clipped, musicgenAdamw, rateInputs, rateTensors, zeroMoments } from "./adamw.js";
import { initialWeights } from "./initial.js";
import { textBatch } from "./lm-conditions.js";
import { lmGraph } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const unbound = async () => new Map();
const alike = (ours: Tensor, whole: Tensor, what: string) => {
  const size = Math.sqrt((whole.data as Float32Array).reduce((sum, x) => sum + x * x, 0) / whole.data.length);
  for (const [i, x] of (ours.data as Float32Array).entries())
    assert.ok(Math.abs(x - (whole.data[i] as number)) <= 1e-5 * size + 1e-8, `${what}[${i}]: ${x}, ${whole.data[i]}`);
};

test("pieces of different sizes, each by its share, have the gradient of the whole", async () => {
  const numbers = Float32Array.from({ length: 8 * 3 }, (_, i) => Math.sin(i) * 2);
  const describe = (rows: number) => {
    const p = new Scope();
    const made = ops.tanh(ops.gemm(input("x", "float32", [rows, 3]), p.weight("w", [4, 3]), p.weight("b", [4])));
    const loss = ops.squeeze(ops.reduceMean(ops.mul(made, made), [0, 1]), [0, 1]);
    return { p, gradients: differentiate(loss, [...p.weights.values()]) };
  };
  const part = (start: number, rows: number) => ({
    x: tensor("float32", [rows, 3], numbers.slice(start * 3, (start + rows) * 3)),
  });
  const whole = describe(8);
  const drawn = (shape: number[], size: number) =>
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: size }, (_, i) => Math.cos(3 * i)),
    );
  const weights = { w: drawn([4, 3], 12), b: drawn([4], 4) };
  const [dw, db] = whole.gradients;
  const expected = await (await compile(runtime, { dw: dw!, db: db! }, unbound)).run({ ...part(0, 8), ...weights });
  let sums = noGradients(whole.p.weights);
  let start = 0;
  for (const rows of [5, 1, 2]) {
    const { p, gradients } = describe(rows);
    const session = await compile(runtime, addGradients(p.weights, gradients), unbound);
    sums = { ...(await session.run({ ...part(start, rows), ...weights, ...sums, ...shareTensor(rows / 8) })) };
    start += rows;
  }
  alike(sums[gradientName("w")]!, expected.dw!, "w");
  alike(sums[gradientName("b")]!, expected.db!, "b");
});

test("a step of the language model from two half batches is a step from the batch", async () => {
  const lm = lmConfig(
    { vocab_size: 16, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 64, num_codebooks: 2 },
    true,
    "tiny",
  );
  const t5 = t5Config({ vocab_size: 8, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2 }, "tiny");
  const items = [0, 1, 2, 3].map((b) =>
    codes([0, 1].map((k) => Int32Array.from({ length: 10 }, (_, t) => (b + 3 * k + t * t) % 16))),
  );
  const prompts = [[2, 1], [3, 4, 1], [], [5, 1]];
  const describe = (batch: number) => lmGraph(lm, t5, { batch, frames: 10, tokens: 3 }, true);
  const fed = (from: number, to: number) => ({
    ...lmBatch(items.slice(from, to), lm),
    ...textBatch(
      prompts.slice(from, to).map((text) => ({ text })),
      3,
      t5,
    ),
  });
  const [whole, half] = [describe(4), describe(2)];
  const weights = initialWeights(whole.learnt, 7);
  const learning = { ...zeroMoments(whole.learnt), ...rateTensors(1e-3, 1, musicgenAdamw) };
  const steps = async (outputs: Parameters<typeof compile>[1]) => compile(runtime, outputs, unbound);

  const direct = clipped(differentiate(whole.loss, [...whole.learnt.values()]), 0.5);
  const once = await steps({
    norm: direct.norm,
    ...adamwAll(whole.learnt, direct.gradients, rateInputs(), musicgenAdamw),
  });
  const expected = await once.run({ ...fed(0, 4), ...Object.fromEntries(weights), ...learning });

  const piece = await steps(addGradients(half.learnt, differentiate(half.loss, [...half.learnt.values()])));
  const summed = clipped(summedGradients(half.learnt), 0.5);
  const learn = await steps({
    norm: summed.norm,
    ...adamwAll(half.learnt, summed.gradients, rateInputs(), musicgenAdamw),
  });
  let sums: Record<string, Tensor> = noGradients(half.learnt);
  for (const from of [0, 2])
    sums = {
      ...(await piece.run({ ...fed(from, from + 2), ...Object.fromEntries(weights), ...sums, ...shareTensor(0.5) })),
    };
  const made = await learn.run({ ...sums, ...Object.fromEntries(weights), ...learning });
  for (const name of ["norm", ...whole.learnt.keys()]) {
    if (name !== "norm") alike(made[`${name}.mean`]!, expected[`${name}.mean`]!, `${name}.mean`);
    else alike(made.norm!, expected.norm!, name);
  }
  assert.ok((expected.norm!.data[0] as number) > 0.5, "the length is shortened, of the sum and not of the pieces");
});
