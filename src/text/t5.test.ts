import assert from "node:assert/strict";
import { after, test } from "node:test";
import { floats, integers, largestDifference, named, readGolden, readGoldenJson } from "../../test/golden.js";
import { goldenBinder } from "../../test/models.js";
import { compile } from "../graph/compile.js";
import { Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { TextEncoder } from "./encoder.js";
import { masked, relativeBucket, relativeBuckets, t5Config, t5Encoder, t5Inputs } from "./t5.js";
import type { Tokenizer } from "./tokenizer.js";

const runtime = createRuntime();
after(() => runtime.dispose());

for (const folder of ["t5_tiny", "t5_tiny_gated", "t5_tiny_wide"]) {
  const config = t5Config(readGoldenJson(folder), folder);
  const inputs = readGolden(folder, "inputs.safetensors");
  const expected = readGolden(folder);

  test(`${folder}: states of a padded batch, without a mask and of a long text are the reference's`, async () => {
    const p = new Scope();
    const states = t5Encoder(p, t5Inputs(), config);
    const attentions = p.taps.get("encoder.block.0.layer.0.SelfAttention.weights")!;
    const session = await compile(runtime, { states, attentions }, goldenBinder(folder));
    const keep = integers(inputs, "batch.attention_mask");
    for (const [name, ids, mask] of [
      ["batch", "batch.input_ids", Float32Array.from(keep, (k) => (k === 1 ? 0 : masked))],
      ["nomask", "batch.input_ids", undefined],
      ["long", "long.input_ids", undefined],
    ] as const) {
      const tokens = named(inputs, ids);
      const [batch, length] = tokens.shape as [number, number];
      const result = await session.run({
        ids: tokens,
        mask: tensor("float32", [batch, 1, 1, length], mask),
        buckets: relativeBuckets(length, config),
      });
      const ours = result.states!.data as Float32Array;
      assert.ok(largestDifference(ours, floats(expected, `${name}.last_hidden_state`)) < 2e-5, name);
      if (name === "batch")
        assert.ok(
          largestDifference(result.attentions!.data as Float32Array, floats(expected, "batch.attentions.0")) < 1e-6,
        );
    }
  });

  test(`${folder}: every distance falls into the reference's bucket`, () => {
    const ours = Array.from({ length: 401 }, (_, i) => relativeBucket(i - 200, config));
    assert.deepEqual(ours, Array.from(integers(expected, "relative_position_bucket")));
  });
}

test("a token that the encoder does not know, and a prompt of too many, are refused before anything is compiled", async () => {
  const config = t5Config({ vocab_size: 128 }, "tiny");
  const encoder = (ids: number[]) => {
    const tokenizer = { encode: () => ids } as unknown as Tokenizer;
    return new TextEncoder(tokenizer, config, runtime, () => assert.fail("it was compiled"));
  };
  await assert.rejects(
    encoder([5, 128, 1]).encode("x"),
    /makes token 128, and the text encoder knows 128: they are of/,
  );
  await assert.rejects(encoder(new Array<number>(5000).fill(5)).encode("x"), /has 5000 tokens, and at most 4096/);
});

test("a config that is no T5 names the field", () => {
  assert.throws(() => t5Config({ d_model: -1 }, "config.json"), /config\.json: .*d_model/);
  assert.throws(() => t5Config({ feed_forward_proj: "gated-silu" }, "config.json"), /feed_forward_proj/);
});
