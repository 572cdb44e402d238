import assert from "node:assert/strict";
import { after, test } from "node:test";
import { codes } from "../codes.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { initialWeights } from "./initial.js";
import { lmGraph } from "./lm-graph.js";
import { rateAt } from "./schedule.js";
import type { TrainState } from "./state.js";
import { type Batch, startState, type TrainConfig, trainLm, usualTraining } from "./train-lm.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const lm = lmConfig(
  { vocab_size: 16, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 64, num_codebooks: 2 },
  true,
  "tiny",
);
const t5 = t5Config({ vocab_size: 8, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2 }, "tiny");
const shape = { batch: 4, frames: 10, tokens: 3 };
const config: TrainConfig = {
  ...usualTraining,
  shape,
  learnText: true,
  schedule: { kind: "cosine", rate: 1e-2, warmup: 5, steps: 60 },
};
const graph = lmGraph(lm, t5, shape, true);

/** Two tunes, told apart by their text alone: one goes up, the other down. */
function* tunes(from = 0): Generator<Batch> {
  for (let step = from; ; step++)
    yield {
      codes: [0, 1, 2, 3].map((b) =>
        codes([0, 1].map((k) => Int32Array.from({ length: 10 }, (_, t) => (b % 2 === 0 ? t + k : 15 - t - k) % 16))),
      ),
      conditions: [0, 1, 2, 3].map((b) => ({ text: [2 + (b % 2), 1], dropped: b === 3 && step % 4 === 0 })),
    };
}

async function train(start: TrainState, steps: number, batches: Iterable<Batch>, c = config) {
  const losses: number[] = [];
  let state = start;
  for await (const event of trainLm(runtime, lm, t5, start, batches, c)) {
    losses.push(event.loss);
    state = event.state;
    if (losses.length === steps) break;
  }
  return { state, losses };
}

const sameNumbers = (a: TrainState, b: TrainState) =>
  Object.entries(a.tensors).every(([name, { data }]) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(
      Buffer.from(b.tensors[name]!.data.buffer, b.tensors[name]!.data.byteOffset, data.byteLength),
    ),
  );

test("the model learns two tunes, and which text asks for which", async () => {
  const { losses, state } = await train(startState(graph, 1), 60, tunes());
  assert.ok(Math.abs(losses[0]! - Math.log(16)) < 1, `starts near a guess, at ${losses[0]}`);
  assert.ok(losses.at(-1)! < 0.2, `ends at ${losses.at(-1)}`);
  assert.equal(state.step, 60);
  // Told the other text, it expects the other tune.
  const [batch] = tunes(1);
  const swapped = { ...batch!, conditions: batch!.conditions.map(({ text }) => ({ text: [5 - text[0]!, 1] })) };
  const [right, wrong] = [await train(state, 1, [batch!], longer), await train(state, 1, [swapped], longer)];
  assert.ok(wrong.losses[0]! > 5 * right.losses[0]!, `${wrong.losses[0]} against ${right.losses[0]}`);
});
const longer = { ...config, schedule: { ...config.schedule, steps: 100 } };

test("stopping and going on gives the weights of an uninterrupted run, bit for bit", async () => {
  const whole = await train(startState(graph, 3), 6, tunes());
  const first = await train(startState(graph, 3), 2, tunes());
  const rest = await train(first.state, 4, tunes(2));
  assert.ok(sameNumbers(whole.state, rest.state));
  const other = await train(startState(graph, 4), 6, tunes());
  assert.ok(!sameNumbers(whole.state, other.state));
});

test("a frozen text encoder is bound and stays as it is", async () => {
  const frozen = lmGraph(lm, t5, shape, false);
  assert.ok([...frozen.learnt.keys()].every((name) => !name.startsWith("text_encoder.")));
  const all = initialWeights(frozen.scope.weights, 5);
  const asked: string[] = [];
  const events = trainLm(
    runtime,
    lm,
    t5,
    startState(frozen, 5),
    tunes(),
    { ...config, learnText: false },
    async (declared) => {
      asked.push(...declared.map(({ name }) => name));
      return new Map(
        declared.map(({ name }) => [
          name,
          { dtype: "float32" as const, data: new Uint8Array(all.get(name)!.data.buffer as ArrayBuffer) },
        ]),
      );
    },
  );
  const { value } = await events.next();
  await events.return(undefined);
  assert.ok(Number.isFinite((value as { loss: number }).loss));
  assert.ok(asked.length > 0 && asked.every((name) => name.startsWith("text_encoder.")));
});

test("a loss that is no number stops training and says what to do", async () => {
  const start = startState(graph, 1);
  const name = "decoder.lm_heads.0.weight";
  const broken: Tensor = tensor("float32", start.tensors[name]!.shape);
  (broken.data as Float32Array)[3] = Number.NaN;
  await assert.rejects(
    train({ step: 0, tensors: { ...start.tensors, [name]: broken } }, 1, tunes()),
    /at step 1 the loss is NaN \(decoder\.lm_heads\.0\.weight is not finite\): lower the learning rate/,
  );
});

test("starting weights: by name and seed, of the size that their place asks for", () => {
  const [a, b, c] = [initialWeights(graph.learnt, 1), initialWeights(graph.learnt, 1), initialWeights(graph.learnt, 2)];
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
