import assert from "node:assert/strict";
import { after, test } from "node:test";
import { randomFactors } from "../../test/adapters.js";
import { bindTensors } from "../../test/models.js";
import { codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import type { Scope } from "../graph/value.js";
import { lmConfig } from "../lm/config.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { t5Config } from "../text/t5.js";
import { addUp, changed, factorNames } from "../weights/lora.js";
import { musicgenAdamw, rateTensors, zeroMoments } from "./adamw.js";
import { initialWeights } from "./initial.js";
import { textBatch } from "./lm-conditions.js";
import { lmGraph } from "./lm-graph.js";
import { lmBatch } from "./lm-loss.js";
import { stepOutputs } from "./lm-step.js";
import { isAdapted, loraGraph } from "./lora.js";
import { adamwOptimiser } from "./optimiser.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const lm = lmConfig(
  { vocab_size: 16, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, ffn_dim: 64, num_codebooks: 2 },
  true,
  "tiny",
);
const t5 = t5Config({ vocab_size: 8, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2 }, "tiny");
const describe = (p?: Scope) => lmGraph(lm, t5, { batch: 2, frames: 8, tokens: 3 }, true, p);
const base = describe();
const weights = initialWeights(base.learnt, 5);
const shapes = [...base.learnt].map(([name, { shape }]) => [name, shape as number[]] as const);
const adapted = shapes.filter(([name]) => isAdapted(name));
const config = { rank: 3, alpha: 6 };
const graph = loraGraph(describe, config);
const batch = {
  ...lmBatch(
    [0, 1].map((b) => codes([0, 1].map((k) => Int32Array.from({ length: 8 }, (_, t) => (b + 3 * k + t * t) % 16)))),
    lm,
  ),
  ...textBatch([{ text: [2, 1] }, { text: [3, 4, 1] }], 3, t5),
};
const bindBase = bindTensors(weights);
const bindFrozen: typeof bindBase = (declared) => bindBase(declared.filter(({ name }) => !graph.learnt.has(name)));
const lossOf = async (drawn: typeof base, bind: typeof bindBase, fed: Record<string, Tensor> = {}) => {
  const session = await compile(runtime, { perCodebook: drawn.perCodebook }, bind);
  return [...((await session.run({ ...batch, ...fed })).perCodebook!.data as Float32Array)];
};
const near = (a: readonly number[], b: readonly number[], most: number) =>
  a.every((x, i) => Math.abs(x - b[i]!) <= most);

test("every matrix of attention and feed-forward is adapted, and nothing else", () => {
  const kinds = new Set(adapted.map(([name]) => name.split(".").slice(-3, -1).join(".")));
  const attention = ["self_attn", "encoder_attn"].flatMap((a) =>
    ["q_proj", "k_proj", "v_proj", "out_proj"].map((b) => `${a}.${b}`),
  );
  assert.deepEqual([...kinds].sort(), [...attention, "0.fc1", "0.fc2", "1.fc1", "1.fc2"].sort());
  assert.equal(adapted.length, 2 * 10);
  assert.deepEqual([...graph.learnt.keys()].sort(), adapted.flatMap(([name]) => factorNames(name)).sort());
});

test("before it learns, an adapter changes nothing, bit for bit", async () => {
  const start = initialWeights(graph.learnt, 1);
  assert.deepEqual(await lossOf(graph, bindFrozen, Object.fromEntries(start)), await lossOf(base, bindBase));
  const [a] = factorNames(adapted[0]![0]);
  const size = Math.sqrt((start.get(a)!.data as Float32Array).reduce((sum, x) => sum + x * x, 0) / 96);
  assert.ok(Math.abs(size * Math.sqrt(3 * 32) - 1) < 0.3, `${size}`);
});

test("what training computes, what the runtime adds when it loads, and weights merged beforehand are the same", async () => {
  const factors = randomFactors(adapted, config.rank);
  const trained = await lossOf(graph, bindFrozen, factors);
  const changes = new Map(
    adapted.map(([name]) => {
      const [a, b] = factorNames(name);
      return [name, { up: factors[b] as Tensor<"float32">, down: factors[a] as Tensor<"float32"> }];
    }),
  );
  const adapter = { location: "", base: undefined, scale: config.alpha / config.rank, changes };
  const at = (strength: number) => lossOf(base, changed(bindBase, addUp([{ adapter, strength }])));
  const loaded = await at(1);
  const merged = new Map(weights);
  for (const [name, [out, depth]] of adapted) {
    const { up, down } = changes.get(name)!;
    const sum = Float32Array.from(weights.get(name)!.data as Float32Array, (w, i) => {
      const [row, column] = [Math.floor(i / depth!), i % depth!];
      let change = 0;
      for (let r = 0; r < 3; r++) change += up.data[row * 3 + r]! * down.data[r * depth! + column]!;
      return w + adapter.scale * change;
    });
    merged.set(name, tensor("float32", [out!, depth!], sum));
  }
  const before = await lossOf(base, bindBase);
  assert.ok(near(trained, loaded, 2e-6), `${trained} against ${loaded}`);
  assert.ok(near(await lossOf(base, bindTensors(merged)), loaded, 2e-6));
  assert.ok(!near(before, loaded, 1e-2), "and they are not the base");
  assert.ok(!near(await at(0.5), loaded, 1e-3) && !near(await at(0.5), before, 1e-3), "half is in between");
  assert.deepEqual(await at(0), before);
});

test("only the factors learn, and the loss falls", async () => {
  const choices = { clip: 1, optimiser: adamwOptimiser(musicgenAdamw), recompute: false };
  const session = await compile(runtime, stepOutputs(graph, choices), bindFrozen);
  let state: Record<string, Tensor> = {
    ...zeroMoments(graph.learnt),
    ...Object.fromEntries(initialWeights(graph.learnt, 1)),
  };
  const losses: number[] = [];
  for (let step = 1; step <= 30; step++) {
    const { loss, norm, perCodebook, ...next } = await session.run({
      ...batch,
      ...state,
      ...rateTensors(1e-2, step, musicgenAdamw),
    });
    losses.push((loss!.data as Float32Array)[0]!);
    assert.deepEqual(Object.keys(next).sort(), Object.keys(state).sort());
    state = next as Record<string, Tensor>;
  }
  assert.ok(losses.at(-1)! < losses[0]! / 2, `${losses[0]} to ${losses.at(-1)}`);
});
