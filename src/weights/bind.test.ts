import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openFolder } from "#platform";
import { memoryFolder } from "../../test/memory.js";
import { HocketError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { type BoundWeight, bindWeights } from "./bind.js";
import { type Checkpoint, openCheckpoint } from "./checkpoint.js";
import { prefixOf } from "./names.js";
import { writeSafetensors } from "./safetensors.js";

const golden = (name: string) => new URL(`../../../test/golden/${name}`, import.meta.url).pathname;

const checkpointOf = (tensors: Record<string, Tensor>) =>
  openCheckpoint(memoryFolder({ "model.safetensors": writeSafetensors(tensors) }));

async function goldenTensors(folder: string): Promise<Record<string, Tensor>> {
  const checkpoint = await openCheckpoint(await openFolder(golden(folder)));
  const tensors: Record<string, Tensor> = {};
  for (const name of checkpoint.tensors.keys()) tensors[name] = await checkpoint.read(name);
  await checkpoint.close();
  return tensors;
}

/** What the model description would declare for these tensors: everything but what only training uses. */
const declaredIn = (tensors: Record<string, Tensor>) =>
  Object.entries(tensors)
    .filter(([name]) => !/(inited|cluster_size|embed_avg|embed_positions\.weights)$/.test(name))
    .map(([name, { shape }]) => ({ name, shape }));

/** The numbers that a runtime would see. */
async function numbersOf(weight: BoundWeight, checkpoint: Checkpoint): Promise<Float32Array> {
  assert.equal(weight.dtype, "float32");
  const { data } = weight;
  if (data instanceof Uint8Array) return new Float32Array(data.slice().buffer);
  const stored = [...checkpoint.tensors.values()].find(({ offset }) => offset === data.offset)!;
  return (await checkpoint.read(stored.name)).data as Float32Array;
}

/** weight = g v / |v|, the norm over every axis but the first. */
function effective(g: Float32Array, v: Float32Array): Float32Array {
  const width = v.length / g.length;
  const norms = Array.from(g, (_, row) => Math.hypot(...v.subarray(row * width, (row + 1) * width)));
  return v.map((x, i) => (g[Math.floor(i / width)]! * x) / norms[Math.floor(i / width)]!);
}

const codec = await goldenTensors("encodec_tiny_mono");
const renames: Record<string, string> = JSON.parse(
  readFileSync(golden("encodec_tiny_mono/weight_norm_names.json"), "utf8"),
);
const pairs = Object.keys(renames).flatMap((name) => (name.endsWith("_g") ? [name.slice(0, -2)] : []));

const spellings: Record<string, Record<string, Tensor>> = {
  "weight_g, weight_v": codec,
  "parametrizations.weight.original0, 1": Object.fromEntries(
    Object.entries(codec).map(([name, value]) => [renames[name] ?? name, value]),
  ),
  "a plain weight": {
    ...Object.fromEntries(Object.entries(codec).filter(([name]) => !(name in renames))),
    ...Object.fromEntries(
      pairs.map((name) => {
        const [g, v] = [codec[`${name}_g`]!, codec[`${name}_v`]!] as Tensor<"float32">[];
        return [name, { ...v!, data: effective(g!.data, v!.data) } as Tensor];
      }),
    ),
  },
};

assert.equal(pairs.length, Object.keys(renames).length / 2);
for (const [spelling, tensors] of Object.entries(spellings))
  for (const prefix of ["", "audio_encoder."])
    test(`weight norm spelled as ${spelling}, prefix "${prefix}", gives the same weights`, async () => {
      const renamed = Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
      const checkpoint = await checkpointOf(renamed);
      assert.equal(prefixOf("audio_encoder", checkpoint.tensors.keys()), prefix);
      const bound = await bindWeights(declaredIn(codec), checkpoint, { prefix, whole: true });
      for (const { name, shape } of declaredIn(codec)) assert.deepEqual(bound.get(name)!.shape, shape);
      for (const name of pairs) {
        const [g, v] = [bound.get(`${name}_g`)!, bound.get(`${name}_v`)!];
        const ours = effective(await numbersOf(g, checkpoint), await numbersOf(v, checkpoint));
        const theirs = effective(codec[`${name}_g`]!.data as Float32Array, codec[`${name}_v`]!.data as Float32Array);
        for (const [i, weight] of theirs.entries())
          assert(Math.abs(weight - ours[i]!) < 1e-6, `${name}[${i}]: ${ours[i]} is not ${weight}`);
      }
    });

test("a plain weight with a row of zeros stays zero there", async () => {
  const checkpoint = await checkpointOf({ "c.weight": tensor("float32", [2, 2, 1], new Float32Array([3, 4, 0, 0])) });
  const declared = [
    { name: "c.weight_g", shape: [2, 1, 1] },
    { name: "c.weight_v", shape: [2, 2, 1] },
  ];
  const bound = await bindWeights(declared, checkpoint, { whole: true });
  const [g, v] = [bound.get("c.weight_g")!, bound.get("c.weight_v")!];
  assert.deepEqual(
    [...effective(await numbersOf(g, checkpoint), await numbersOf(v, checkpoint))].map(Math.fround),
    [3, 4, 0, 0].map(Math.fround),
  );
});

test("T5's embedding is found under either name, with or without its copy and its decoder", async () => {
  const t5 = await goldenTensors("t5_tiny");
  const { "shared.weight": embedding, ...rest } = t5;
  const other = { ...rest, "encoder.embed_tokens.weight": embedding! };
  const more = {
    "decoder.embed_tokens.weight": embedding!,
    "decoder.block.0.layer.0.SelfAttention.q.weight": embedding!,
    "decoder.final_layer_norm.weight": embedding!,
    "lm_head.weight": embedding!,
  };
  for (const held of [t5, other, { ...t5, ...other }, { ...t5, ...other, ...more }])
    for (const declared of [declaredIn({ ...rest, "shared.weight": embedding! }), declaredIn(other)])
      for (const prefix of ["", "text_encoder."]) {
        const checkpoint = await checkpointOf(
          Object.fromEntries(Object.entries(held).map(([n, x]) => [prefix + n, x])),
        );
        assert.equal(prefixOf("text_encoder", checkpoint.tensors.keys()), prefix);
        const bound = await bindWeights(declared, checkpoint, { prefix, whole: true });
        assert.equal(bound.size, declared.length);
        const ours = await numbersOf(bound.get(declared.at(-1)!.name)!, checkpoint);
        assert.deepEqual(ours, embedding!.data);
      }
});

test("every part of every golden model binds in place, and nothing is left over", async () => {
  for (const folder of ["musicgen_tiny", "musicgen_tiny_stereo", "musicgen_melody_tiny", "encodec_tiny_stereo48"]) {
    const checkpoint = await openCheckpoint(await openFolder(golden(folder)));
    const declared = declaredIn(Object.fromEntries(checkpoint.tensors) as unknown as Record<string, Tensor>);
    const bound = await bindWeights(declared, checkpoint, { whole: true });
    for (const [name, weight] of bound) {
      const { location, offset, length } = checkpoint.tensors.get(name)!;
      assert.deepEqual(weight.data, { location, offset, length });
    }
    assert.equal(prefixOf("decoder", checkpoint.tensors.keys()), folder.startsWith("musicgen") ? "decoder." : "");
    await checkpoint.close();
  }
});

const held = {
  "d.a": tensor("float32", [256, 128, 10]),
  "d.b": tensor("float16", [2]),
  "d.n": tensor("int64", [2]),
  "e.x": tensor("float32", [1]),
};
const a = { name: "a", shape: [256, 128, 10] };
const b = { name: "b", shape: [2] };
const n = { name: "n", shape: [2] };

test("a wrong shape names the tensor and both shapes", async () => {
  await refuses([{ name: "a", shape: [256, 128, 8] }, b], false, [
    "d.a: the model described by config.json needs [256, 128, 8], model.safetensors holds [256, 128, 10]",
  ]);
  await refuses(
    [
      { name: "a", shape: [1] },
      { name: "b", shape: [] },
    ],
    false,
    ["d.a:", "(and 1 more)"],
  );
});

test("missing tensors are named, the first few, and counted", async () => {
  const layers = Array.from({ length: 5 }, (_, i) => ({ name: `layers.${i}`, shape: [1] }));
  await refuses([a, ...layers], false, ["needs d.layers.0, d.layers.1, d.layers.2 and 2 more, not found"]);
});

test("tensors that nothing uses are refused where the whole is asked for", async () => {
  await refuses([a], true, ["has no use for d.b, d.n"]);
  const bound = await bindWeights([a, b], await checkpointOf(held), { prefix: "d." });
  assert.equal(bound.get("b")!.dtype, "float16");
});

test("whole numbers are no weights", () => refuses([a, b, n], true, ["d.n: model.safetensors holds int64"]));

async function refuses(declared: { name: string; shape: number[] }[], whole: boolean, parts: string[]) {
  await assert.rejects(bindWeights(declared, await checkpointOf(held), { prefix: "d.", whole }), (error: unknown) => {
    assert(error instanceof HocketError && error.code === "bad-checkpoint");
    assert(!error.message.includes("\n"));
    for (const part of parts) assert(error.message.includes(part), `${error.message} lacks "${part}"`);
    return true;
  });
}
