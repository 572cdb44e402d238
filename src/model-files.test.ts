import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryFolder } from "../test/memory.js";
import { HocketError } from "./errors.js";
import { readChroma, readConfig, readDefaults, readTokenizer } from "./model-files.js";

const folder = (files: Record<string, string>) =>
  memoryFolder(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)])),
    "model",
  );
const bad = (message: RegExp) => (error: unknown) =>
  error instanceof HocketError && error.code === "bad-checkpoint" && message.test(error.message);

test("what a model's makers ask for, in our words", async () => {
  const json = { guidance_scale: 1.5, top_k: 50, top_p: 1, temperature: 0.9, do_sample: false, max_length: 404 };
  assert.deepEqual(await readDefaults(folder({ "generation_config.json": JSON.stringify(json) }), 50), {
    guidance: 1.5,
    topK: 50,
    temperature: 0.9,
    greedy: true,
    window: 8,
  });
  assert.deepEqual(await readDefaults(folder({}), 50), { window: 30 });
  // transformers' own default of 20 steps says nothing about the model.
  assert.deepEqual(await readDefaults(folder({ "generation_config.json": '{"max_length": 20}' }), 50), { window: 30 });
});

test("files that are missing or not what they should be are named", async () => {
  await assert.rejects(readConfig(folder({})), bad(/model has no config\.json/));
  await assert.rejects(readConfig(folder({ "config.json": "{" })), bad(/model\/config\.json is not a JSON object/));
  await assert.rejects(readConfig(folder({ "config.json": "[]" })), bad(/model\/config\.json is not a JSON object/));
  await assert.rejects(readTokenizer(folder({})), bad(/neither tokenizer\.json nor spiece\.model/));
  await assert.rejects(
    readDefaults(folder({ "generation_config.json": '{"top_k": 1.5}' }), 50),
    bad(/generation_config\.json: .*top_k/),
  );
});

test("how a melody is heard: both files must agree", async () => {
  const preprocessor = folder({ "preprocessor_config.json": '{"feature_size": 12, "n_fft": 1024}' });
  const { config, bins, length } = await readChroma(preprocessor, { chroma_length: 14 });
  assert.deepEqual([config.fftSize, config.bins, bins, length], [1024, 12, 12, 14]);
  await assert.rejects(readChroma(preprocessor, { chroma_length: "long" }), bad(/config\.json: chroma_length/));
  await assert.rejects(readChroma(preprocessor, { num_chroma: 24 }), bad(/12 pitch classes.*hears 24/));
});
