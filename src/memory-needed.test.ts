import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { repositoryFile } from "../test/golden.js";
import { noRuntime } from "../test/random-model.js";
import { codecConfig } from "./codec/config.js";
import { Encodec } from "./codec/encodec.js";
import { Scope } from "./graph/value.js";
import { lmConfig } from "./lm/config.js";
import { LanguageModel } from "./lm/lm.js";
import { codecNumbers, lmNumbers, memoryToCode, memoryToCompose, textNumbers } from "./memory-needed.js";
import { codec32, lmSizes, t5Base } from "./published.js";
import { elementCount } from "./tensor.js";
import { t5Config, t5Encoder, t5Inputs } from "./text/t5.js";

const mini = JSON.parse(readFileSync(repositoryFile("models/mini-reference/config.json"), "utf8"));
const bind = () => Promise.reject(new Error("nothing is bound here"));
const count = (part: Scope, only = /./): number =>
  [...part.weights].reduce(
    (sum, [name, { shape }]) => sum + (only.test(name) ? elementCount(shape as number[]) : 0),
    0,
  );
/** Biases and norms are left out of what is told from the config. */
const nearly = (told: number, counted: number) =>
  assert.ok(Math.abs(told / counted - 1) < 0.015, `${told} told, ${counted} counted`);

test("the numbers told from config.json are those that the model's description has", () => {
  for (const [name, lm, text, codec] of [
    ["mini", mini.decoder, mini.text_encoder, mini.audio_encoder],
    ["small", lmSizes.small, t5Base, codec32],
    [
      "gated",
      { ...lmSizes.small, hidden_size: 512 },
      { ...t5Base, feed_forward_proj: "gated-gelu" },
      { upsampling_ratios: [8, 5, 4, 2] },
    ],
  ] as const) {
    const words = new Scope();
    t5Encoder(words, t5Inputs(), t5Config(text, name));
    nearly(textNumbers(t5Config(text, name)), count(words));
    for (const cross of [true, false]) {
      const config = lmConfig(lm, cross, name);
      const around = { textWidth: text.d_model, ...(cross ? {} : { melody: { bins: 12, length: 235 } }) };
      const described = new LanguageModel(config, around, noRuntime, bind).describe();
      const { steps, rest } = lmNumbers(config, text.d_model);
      const isRest = /embed_tokens|encoder_attn\.[kv]_proj|enc_to_dec|audio_enc/;
      nearly(steps + rest, count(described));
      nearly(rest, count(described, isRest));
    }
    const codes = new Encodec(codecConfig(codec, name), 4, noRuntime, bind).describe();
    nearly(codecNumbers(codecConfig(codec, name)), count(codes, /^decoder\./));
  }
});

test("more of anything needs more memory, and fewer bits need less", () => {
  const of = (change: object = {}, more: object = {}) => ({
    lm: lmConfig({ ...lmSizes.small, ...change }, true, "test"),
    text: t5Config(t5Base, "test"),
    codec: codecConfig(codec32, "test"),
    columns: 1500,
    ...more,
  });
  const small = memoryToCompose(of());
  assert.equal(small, memoryToCompose(of(), "int8"), "auto is int8 at this size");
  assert.ok(memoryToCompose(of(), "fp32") > small && small > memoryToCompose(of(), "int4"));
  assert.ok(memoryToCompose(of(lmSizes.medium)) > small && memoryToCompose(of(lmSizes.large)) > 2 * small);
  assert.ok(memoryToCompose(of({ audio_channels: 2, num_codebooks: 8 })) > small);
  assert.ok(memoryToCompose(of({}, { columns: 500 })) < small);
  assert.ok(memoryToCode(codecConfig(codec32, "test")) < small);
});
