import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFolder } from "#platform";
import { largestDifference, readGolden, readGoldenJson, repositoryFile } from "../../test/golden.js";
import { lmConfig } from "../lm/config.js";
import { melodyChroma } from "../melody/chroma.js";
import type { Json } from "../model-files.js";
import { t5Config } from "../text/t5.js";
import { openCheckpoint } from "../weights/checkpoint.js";
import { initialWeights } from "./initial.js";
import { partTensors } from "./lm-base.js";
import { configJson, type LmModel, writeLm } from "./lm-files.js";
import { lmGraph } from "./lm-graph.js";

const folder = mkdtempSync(join(tmpdir(), "hocket-lm-files-"));
after(() => rmSync(folder, { recursive: true }));

interface Composite {
  readonly text_encoder: Json;
  readonly audio_encoder: Json;
  readonly decoder: Json;
  readonly chroma_length?: number;
}

const namesAndShapes = (tensors: Iterable<[string, { shape: readonly number[] }]>) =>
  [...tensors].map(([name, { shape }]) => `${name} [${shape}]`).sort();

for (const golden of ["musicgen_tiny", "musicgen_tiny_stereo", "musicgen_melody_tiny"]) {
  const given = readGoldenJson<Composite>(golden);
  const length = given.chroma_length;
  const lm = lmConfig(given.decoder, length === undefined, golden);
  const t5 = t5Config(given.text_encoder, golden);
  const shape = { batch: 1, frames: 8, tokens: 2, ...(length === undefined ? {} : { melody: { bins: 12, length } }) };
  const model = async (): Promise<LmModel> => ({
    lm,
    t5,
    melody: length === undefined ? undefined : { config: melodyChroma, length },
    window: 2,
    frameRate: 50,
    codec: given.audio_encoder,
    frozen: await partTensors(await openFolder(repositoryFile(`test/golden/${golden}`)), "audio_encoder"),
    tokenizer: { "tokenizer.json": new TextEncoder().encode("{}") },
  });

  test(`${golden}: what is written has the reference's tensors, by name and shape, and its settings`, async () => {
    const learnt = initialWeights(lmGraph(lm, t5, shape, true).learnt, 1);
    await writeLm(folder, await model(), Object.fromEntries(learnt));
    const checkpoint = await openCheckpoint(await openFolder(folder));
    const reference = readGolden(golden, "model.safetensors");
    assert.deepEqual(namesAndShapes(checkpoint.tensors), namesAndShapes(reference));

    // The codec is the same to the last bit, and so are the sinusoids but for rounding.
    const same = async (name: string) =>
      largestDifference((await checkpoint.read(name)).data as Float32Array, reference.get(name)!.data as Float32Array);
    for (const name of checkpoint.tensors.keys())
      if (name.startsWith("audio_encoder.")) assert.equal(await same(name), 0, name);
    assert.ok((await same("decoder.model.decoder.embed_positions.weights")) < 2e-5);
    const head = "decoder.lm_heads.0.weight";
    assert.deepEqual((await checkpoint.read(head)).data, learnt.get(head)!.data);
    await checkpoint.close();

    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const generation = JSON.parse(readFileSync(join(folder, "generation_config.json"), "utf8"));
    const { generation_config, feature_extractor, ...published } = readGoldenJson<Record<string, Json>>(golden);
    assert.deepEqual(missing(published, config), []);
    assert.deepEqual([generation.max_length, generation.pad_token_id, generation.guidance_scale], [104, 512, 3]);
    if (length === undefined) return;
    const { chunk_length, ...heard } = feature_extractor!;
    assert.equal(chunk_length, 30); // of the published models; ours is its window
    assert.deepEqual(missing(heard, JSON.parse(readFileSync(join(folder, "preprocessor_config.json"), "utf8"))), []);
  });
}

test("places before the codes, and codes, all have a sinusoid in the reference's first table", () => {
  const lm = lmConfig({ num_codebooks: 4, vocab_size: 1024 }, false, "");
  const t5 = t5Config({}, "");
  const melody = { config: melodyChroma, length: 79 };
  const model = { lm, t5, melody, window: 10, frameRate: 50, codec: {}, frozen: {}, tokenizer: {} };
  assert.equal((configJson(model, 1024).decoder as Json).max_position_embeddings, 1024);
});

/** Paths of what `wanted` says and `written` does not, but for what is free: dropout, table sizes, T5's other half. */
function missing(wanted: unknown, written: unknown, path = ""): string[] {
  if (/dropout|max_position_embeddings|num_decoder_layers/.test(path)) return [];
  if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted))
    return JSON.stringify(wanted) === JSON.stringify(written) ? [] : [path];
  const inside = (written ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).flatMap(([name, value]) => missing(value, inside[name], `${path}.${name}`));
}
