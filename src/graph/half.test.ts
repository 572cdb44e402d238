import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference, readGolden, readGoldenJson } from "../../test/golden.js";
import { bindTensors } from "../../test/models.js";
import { lmConfig } from "../lm/config.js";
import { LanguageModel } from "../lm/lm.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { compile } from "./compile.js";
import { halved } from "./half.js";
import { flatten, layerNorm, linear } from "./layers.js";
import { graphOf } from "./onnx.js";
import * as ops from "./ops.js";
import { input, Scope } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) ** 3);

test("products are float16, what only moves stays so between them, and all else is float32", () => {
  const p = new Scope();
  const x = input("x", "float32", ["B", "S", 8]);
  const normed = layerNorm(p.at("norm"), flatten(x));
  const wide = ops.reshape(linear(p.at("fc1"), normed, 16), [-1, 2, 8], ["N", 2, 8]);
  const back = ops.reshape(wide, [-1, 16], ["N", 16]);
  const out = ops.add(flatten(x), linear(p.at("fc2"), ops.gelu(back), 8));
  const heads = linear(p.at("heads"), out, 4);
  const graph = graphOf(
    halved({ out, heads, wide }, { inputs: () => false, except: (name) => name.startsWith("heads") }),
  );
  const types = (op: string) => graph.nodes.filter((node) => node.op === op).map(({ outputs }) => outputs[0]!.dtype);
  assert.deepEqual(types("Gemm"), ["float16", "float16", "float32"]);
  assert.deepEqual(types("LayerNormalization"), ["float32"]);
  assert.deepEqual([types("Gelu"), types("Add")], [["float32"], ["float32"]]);
  // Into each product, out of each, and none between the reshapes.
  assert.deepEqual(types("Cast"), ["float16", "float32", "float16", "float32"]);
  assert.deepEqual(Object.fromEntries([...graph.weights].map(([name, { dtype }]) => [name, dtype])), {
    "norm.weight": "float32",
    "norm.bias": "float32",
    "fc1.weight": "float16",
    "fc2.weight": "float16",
    "heads.weight": "float32",
  });
  assert.equal(graph.outputs.get("wide")!.dtype, "float16");
});

test("a matrix that an adapter adds to is made half after the sum", async () => {
  const p = new Scope();
  const y = linear(p.at("fc"), input("x", "float32", ["N", 4]), 3);
  const added = {
    up: tensor("float32", [3, 1], Float32Array.of(1, 2, 3)),
    down: tensor("float32", [1, 4], Float32Array.of(1, -1, 0.5, 0)),
  };
  const data = new Uint8Array(wave(12, 1).buffer);
  const x = { x: tensor("float32", [2, 4], wave(8, 2)) };
  const run = async (outputs: { y: typeof y }) => {
    const session = await compile(
      runtime,
      outputs,
      async () => new Map([["fc.weight", { dtype: "float32", data, added }]]),
    );
    return (await session.run(x)).y!;
  };
  const half = halved({ y }, { inputs: () => false, except: () => false });
  const [whole, made] = [await run({ y }), await run({ y: ops.cast(half.y!, "float32") })];
  const off = largestDifference(made.data as Float32Array, whole.data as Float32Array);
  assert.ok(off > 0 && off < 5e-3, `${off}`);
});

const layouts = { musicgen_tiny: true, musicgen_melody_tiny: false } as const;
for (const [folder, crossAttention] of Object.entries(layouts))
  test(`steps of ${folder} in half precision say what steps in float32 say`, async () => {
    const json = readGoldenJson<{ text_encoder: { d_model: number }; decoder: unknown }>(folder);
    const bind = bindTensors(readGolden(folder, "model.safetensors"));
    const config = lmConfig(json.decoder, crossAttention, "test");
    const around = {
      textWidth: json.text_encoder.d_model,
      ...(crossAttention ? {} : { melody: { bins: 12, length: 5 } }),
    };
    // Two texts of unlike length: the shorter one's padding is hidden.
    const text = (length: number) =>
      tensor("float32", [1, length, around.textWidth], wave(length * around.textWidth, length));
    const melody = crossAttention ? {} : { melody: Int32Array.of(1, 2, 3, 4, 5) };
    const conditions = [
      { text: text(5), ...melody },
      { text: text(2), ...melody },
    ];
    const [whole, half] = await Promise.all(
      [false, true].map(async (half) => {
        const lm = new LanguageModel(config, around, runtime, bind, { threads: 1 }, half);
        const decoding = await lm.open(conditions, true, 8);
        const logits: Float32Array[] = [];
        for (const [i, count] of [5, 1, 1].entries()) {
          const columns = Int32Array.from({ length: config.num_codebooks * count }, (_, j) => (j * 37 + i * 101) % 512);
          logits.push(await decoding.step([columns, columns], count));
        }
        await lm.dispose();
        return logits;
      }),
    );
    for (const [i, step] of half!.entries()) {
      const largest = whole![i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const off = largestDifference(step, whole![i]!) / largest;
      assert.ok(off > 0 && off < 5e-3, `step ${i + 1}: off by ${off}`);
    }
  });
