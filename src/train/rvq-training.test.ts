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
import { floats, integers, named } from "../../test/golden.js";
import { nearest } from "../codec/rvq.js";
import * as whole from "../codec/whole.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { kMeansStep, pickVectors, startCodebook } from "./k-means.js";
import { type Codebook, follow, quantizeAndLearn, type RvqTraining, rvqTraining } from "./rvq-training.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const asPublished: RvqTraining = { ...rvqTraining, deadBelow: 0 };
const session = (outputs: Record<string, Value>) => compile(runtime, outputs, async () => new Map());
const run = async (outputs: Record<string, Value>, feeds: Record<string, Tensor>) =>
  (await session(outputs)).run(feeds);

test("a forward in training, its penalty's slopes, and the codebooks after one and two, are the reference's", async () => {
  const p = new Scope();
  const latent = whole.encoder(p, input("x", "float32", [2, 1, 4000]), config);
  const encoder = new Map(p.weights);
  const { codes, quantized, commitment, penalty, next } = quantizeAndLearn(p, latent, codebooks, config, asPublished);
  const y = whole.decoder(p, quantized, config);
  const slopes = differentiate(penalty, [...encoder.values()]);
  const slopeOf = Object.fromEntries([...encoder.keys()].map((name, i) => [`d ${name}`, slopes[i]!]));
  const once = await session({ codes, quantized, commitment, penalty, y, ...next, ...slopeOf });
  const weights = Object.fromEntries([...p.weights.keys()].map((name) => [name, named(codecWeights, name)]));
  const first = await once.run({ x: named(inputs, "x"), ...weights });

  assert.deepEqual(Array.from(first.codes!.data, Number), [...integers(expected, "train.codes")]);
  assertClose(first.quantized, expected.get("train.quantized_ste"), 1e-6, "quantized");
  assertClose(first.y, expected.get("train.y_pred"), 5e-6, "y");
  assertClose(first.commitment, expected.get("train.commit_loss_per_codebook"), 1e-7, "commitment");
  assertClose(first.penalty, expected.get("train.penalty"), 1e-7, "penalty");
  const reference = family("grad_penalty.");
  assert.equal(reference.size, encoder.size);
  for (const name of encoder.keys()) assertSlope(first[`d ${name}`]!, reference.get(name), name);

  const learnt = Object.keys(next);
  assert.equal(learnt.length, 3 * codebooks);
  const second = await once.run({
    x: named(inputs, "x"),
    ...weights,
    ...Object.fromEntries(learnt.map((name) => [name, first[name]!])),
  });
  for (const name of learnt) {
    assertClose(first[name], family("ema1.").get(name), 1e-6, `${name} after one`);
    assertClose(second[name], family("ema2.").get(name), 1e-6, `${name} after two`);
  }
});

const old: Codebook = {
  embed: input("embed", "float32", [6, 4]),
  cluster_size: input("cluster_size", "float32", [6]),
  embed_avg: input("embed_avg", "float32", [6, 4]),
};
const vectors = input("vectors", "float32", [14, 4]);
const golden = (state: "alive" | "dead") => ({
  embed: named(inputs, "ecb.embed"),
  cluster_size: named(inputs, `ecb.cluster_size_${state}`),
  embed_avg: named(inputs, "ecb.embed_avg"),
  vectors: { ...named(inputs, "ecb.x"), shape: [14, 4] },
});

test("one codebook follows its vectors as the reference's does, also where the reference means to revive", async () => {
  for (const state of ["alive", "dead"] as const) {
    const chosen = nearest(vectors, old.embed);
    const quantized = ops.gather(old.embed, chosen);
    const result = await run({ chosen, quantized, ...follow(old, vectors, chosen, asPublished) }, golden(state));
    assert.deepEqual(Array.from(result.chosen!.data, Number), [...integers(expected, `ecb.${state}.codes`)]);
    const { data } = named(expected, `ecb.${state}.quantized`);
    assert.deepEqual(result.quantized!.data, data);
    for (const name of ["embed", "cluster_size", "embed_avg"]) {
      const theirs = named(expected, `ecb.${state}.${name}`);
      const largest = Math.max(...floats(expected, `ecb.${state}.${name}`).map(Math.abs));
      assertClose(result[name], theirs, 1e-6 * Math.max(1, largest), `${state} ${name}`);
    }
  }
});

test("a dead entry starts again at a vector of the batch, and the others stay as they were", async () => {
  const chosen = nearest(vectors, old.embed);
  const picks = pickVectors(6, 14, 7, 0, 0);
  const sizes = Float32Array.of(9, 0.001, 8, 0.001, 7, 9);
  // Nobody chooses 1 and 3: they are far away.
  const embed = tensor("float32", [6, 4], Float32Array.from(floats(inputs, "ecb.embed")));
  for (const j of [1, 3]) (embed.data as Float32Array).fill(100, 4 * j, 4 * j + 4);
  const feeds = { ...golden("alive"), embed, cluster_size: tensor("float32", [6], sizes) };
  const kept = await run({ ...follow(old, vectors, chosen, asPublished) }, feeds);
  const revived = await run(
    { ...follow(old, vectors, chosen, rvqTraining, input("picks", "int64", [6])) },
    { ...feeds, picks },
  );
  const row = (data: ArrayLike<number>, j: number) => Array.from({ length: 4 }, (_, d) => data[4 * j + d]!);
  for (let j = 0; j < 6; j++) {
    const dead = j === 1 || j === 3;
    const goal = dead
      ? row(feeds.vectors.data as Float32Array, Number(picks.data[j]))
      : row(kept.embed!.data as Float32Array, j);
    for (const [d, value] of row(revived.embed!.data as Float32Array, j).entries())
      assert.ok(Math.abs(value - goal[d]!) < 1e-3 * (1 + Math.abs(goal[d]!)), `entry ${j}: ${value}, not ${goal[d]}`);
  }
});

test("no codebook keeps a dead entry, and the codes of the step are those of the codebooks before it", async () => {
  const latent = named(expected, "train.embeddings");
  const p = new Scope();
  const learnt = quantizeAndLearn(p, input("latent", "float32", latent.shape), codebooks, config, rvqTraining);
  const feeds: Record<string, Tensor> = { latent };
  for (const name of p.weights.keys()) {
    const { shape, data } = named(codecWeights, name);
    const scarce = Float32Array.from(data as Float32Array, (value, i) => (i % 4 === 0 ? 0 : value));
    feeds[name] = name.endsWith("cluster_size") ? tensor("float32", shape, scarce) : named(codecWeights, name);
  }
  for (let k = 0; k < codebooks; k++) feeds[`picks.${k}`] = pickVectors(16, 50, 1, 0, k);
  const result = await run({ codes: learnt.codes, ...learnt.next }, feeds);
  assert.deepEqual(Array.from(result.codes!.data, Number), [...integers(expected, "train.codes")]);
  const sizes = Object.entries(result).flatMap(([name, { data }]) => (name.endsWith("size") ? [[...data]] : []));
  assert.equal(sizes.length, codebooks);
  for (const size of sizes as number[][]) assert.ok(Math.min(...size) > 0.05 * (size.reduce((a, b) => a + b, 0) / 16));
});

test("k-means moves entries to the means of their vectors, and leaves one that has none", async () => {
  const points = tensor("float32", [5, 2], Float32Array.of(0, 0, 0, 2, 10, 10, 12, 10, 14, 10));
  const starts = tensor("float32", [3, 2], Float32Array.of(1, 1, 11, 11, -50, 0));
  const step = kMeansStep(input("vectors", "float32", [5, 2]), input("embed", "float32", [3, 2]));
  const { embed, counts, residual } = await run(step, { vectors: points, embed: starts });
  assert.deepEqual([...(embed!.data as Float32Array)], [0, 1, 12, 10, -50, 0]);
  assert.deepEqual([...(counts!.data as Float32Array)], [2, 3, 0]);
  assert.deepEqual([...(residual!.data as Float32Array)], [-1, -1, -1, 1, -1, -1, 1, -1, 3, -1]);
});

test("a codebook that starts at the means stays there; as published it shrinks", async () => {
  const points = tensor(
    "float32",
    [4, 4],
    Float32Array.from({ length: 16 }, (_, i) => Math.sin(i) + (i < 8 ? 20 : -20)),
  );
  const far = tensor("float32", [2, 4], Float32Array.of(20, 20, 20, 20, -20, -20, -20, -20));
  const x = input("vectors", "float32", [4, 4]);
  const { embed, counts } = await run(kMeansStep(x, input("embed", "float32", [2, 4])), {
    vectors: points,
    embed: far,
  });
  const state = {
    embed: input("embed", "float32", [2, 4]),
    cluster_size: input("cluster_size", "float32", [2]),
    embed_avg: input("embed_avg", "float32", [2, 4]),
  };
  const after = await session({ ...follow(state, x, nearest(x, state.embed), asPublished) });
  const stays = await after.run({ vectors: points, ...startCodebook(embed!, counts!) });
  assertClose(stays.embed, embed, 1e-3, "embed");
  const shrinks = await after.run({ vectors: points, ...startCodebook(embed!, counts!, 1, true) });
  const share = 0.99 / 2 + 0.01; // of each entry, for the two vectors it has
  for (const [i, value] of (shrinks.embed!.data as Float32Array).entries())
    assert.ok(Math.abs(value / (embed!.data as Float32Array)[i]! - share) < 1e-4);
});

test("picks are different vectors while there are enough, and the seed's", () => {
  const picks = [...pickVectors(50, 50, 3, 1, 0).data].map(Number);
  assert.deepEqual(
    picks.toSorted((a, b) => a - b),
    [...Array(50).keys()],
  );
  assert.notDeepEqual(picks, [...Array(50).keys()]);
  assert.deepEqual(pickVectors(50, 50, 3, 1, 0), int64([50], picks));
  assert.notDeepEqual(pickVectors(50, 50, 3, 2, 0), int64([50], picks));
  const many = [...pickVectors(200, 3, 3, 1, 0).data].map(Number);
  assert.deepEqual([...new Set(many)].sort(), [0, 1, 2]);
});
