import assert from "node:assert/strict";
import { after, test } from "node:test";
import { codebooks, codecWeights, config, expected, inputs } from "../../test/codec-training.js";
import { floats, integers, largestDifference, named, readGolden, readGoldenJson } from "../../test/golden.js";
import { bindTensors, flat, goldenBinder, rows } from "../../test/models.js";
import { compile } from "../graph/compile.js";
import { input, Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { codecConfig } from "./config.js";
import { Encodec } from "./encodec.js";
import { dequantize, quantize } from "./rvq.js";
import * as whole from "./whole.js";

const runtime = createRuntime();
after(() => runtime.dispose());

test("latent, codes and sound are those of the reference that trains", async () => {
  for (const pad_mode of ["constant", "reflect"] as const) {
    const [p, c] = [new Scope(), { ...config, pad_mode }];
    const latent = whole.encoder(p, input("x", "float32", [2, 1, 4000]), c);
    const codes = quantize(p, latent, codebooks, c);
    const outputs = { latent, codes, decoded: whole.decoder(p, dequantize(p, codes, codebooks, c), c) };
    const session = await compile(runtime, outputs, bindTensors(codecWeights));
    const result = await session.run({ x: named(inputs, "x") });
    const family = pad_mode === "constant" ? "eval" : "eval_reflect";
    assert.ok(largestDifference(floatsOf(result.latent!), floats(expected, `${family}.embeddings`)) < 1e-5);
    if (pad_mode === "reflect") continue;
    assert.deepEqual(Array.from(result.codes!.data, Number), [...integers(expected, "eval.codes")]);
    assert.ok(largestDifference(floatsOf(result.decoded!), floats(expected, "eval.decoded")) < 1e-5);
  }
});

for (const folder of ["encodec_tiny_mono", "encodec_tiny_causal"])
  test(`${folder}: a clip in one graph is the clip in pieces`, async () => {
    const c = codecConfig(readGoldenJson(folder), folder);
    const clip = named(readGolden(folder, "inputs.safetensors"), "long");
    const stored = [...readGolden(folder, "model.safetensors").keys()].filter((name) => name.endsWith(".embed")).length;
    const codec = new Encodec(c, stored, runtime, goldenBinder(folder));
    const [pieces] = await codec.encode(rows(clip), { window: 7 });
    const p = new Scope();
    const codes = quantize(p, whole.encoder(p, input("x", "float32", clip.shape), c), stored, c);
    const decoded = whole.decoder(p, dequantize(p, codes, stored, c), c);
    const session = await compile(runtime, { codes, decoded }, goldenBinder(folder));
    const result = await session.run({ x: clip });
    assert.deepEqual(Array.from(result.codes!.data, Number), flat(pieces!.codes));
    assert.ok(largestDifference(floatsOf(result.decoded!), flat(await codec.decode([pieces!]))) < 5e-6);
  });

const floatsOf = ({ data }: { readonly data: ArrayLike<number | bigint> }) => data as Float32Array;
