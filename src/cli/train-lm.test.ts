import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createRuntime, openFolder } from "#platform";
import { repositoryFile } from "../../test/golden.js";
import { type Codes, codes } from "../codes.js";
import { parseInfo } from "../data/info.js";
import { type Entry, writeManifest } from "../data/manifest.js";
import { TokenCache, tokenFormat } from "../data/token-cache.js";
import { loadCodec, loadModel } from "../model.js";
import { generate } from "../musicgen.js";
import type { FinishedPiece, GenerateRequest } from "../request.js";
import { parseCommand } from "./options.js";
import { trainLmCommand } from "./train-lm.js";

const folder = mkdtempSync(join(tmpdir(), "hocket-train-lm-cli-"));
const [data, out] = [join(folder, "data"), join(folder, "run")];
const codec = repositoryFile("models/mini-reference");
const runtime = createRuntime();
after(async () => {
  await runtime.dispose();
  rmSync(folder, { recursive: true });
});

/** What every recording is called, and what its codes then are: only the words tell which. */
const kinds = ["rising piano", "falling drums"] as const;
const frames = 25;
const tune = (kind: number): Codes =>
  codes(
    Array.from({ length: 4 }, (_, k) =>
      Int32Array.from({ length: frames }, (_, t) => (kind === 0 ? 7 * (t % 8) + k : 400 - 9 * (t % 8) + k)),
    ),
  );

before(async () => {
  const entries = Array.from({ length: 12 }, (_, i): Entry => {
    const split = i < 8 ? "train" : "valid";
    const { info } = parseInfo({ description: kinds[i % 2] }, "");
    return { path: `${i}.wav`, duration: 0.5, sample_rate: 16000, channels: 1, split, info };
  });
  await writeManifest(data, entries);
  const model = await loadCodec(await openFolder(codec), "mini", runtime);
  const cache = await TokenCache.open(data, await tokenFormat(model));
  const made = entries.map(({ path }, i) => ({
    path,
    fingerprint: "",
    tokens: { codes: tune(i % 2), chroma: new Uint8Array(4) },
  }));
  await cache.keep(made, new Int32Array(4));
  await cache.close();
  await model.dispose();
});

const size = ["--preset", "tiny", "--layers", "2", "--width", "64", "--heads", "2", "--seconds", "0.5", "--batch", "4"];
const every = ["--save-every", "30", "--check-every", "30", "--sample-every", "60", "--threads", "1"];
const train = (...words: readonly string[]) =>
  trainLmCommand.run(parseCommand(trainLmCommand, [data, ...words]), new AbortController().signal);
const log = (run: string): Record<string, number>[] =>
  readFileSync(join(run, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function composed(run: string, request: GenerateRequest): Promise<FinishedPiece> {
  const model = await loadModel(await openFolder(run), run, runtime, { threads: 1 });
  try {
    for await (const event of generate(model, request)) if (event.type === "done") return event.pieces[0]!;
    throw assert.fail("nothing was composed");
  } finally {
    await model.dispose();
  }
}

test("a run from nothing learns what the words say; its folder composes it", async () => {
  await train("--codec", codec, "--out", out, "--steps", "60", ...size, ...every);
  const lines = log(out);
  // Two tunes of eight codes each, as often: what one knows who hears no codes before.
  const unigram = Math.log(16);
  const last = lines.findLast((line) => line["valid.loss"] !== undefined)!;
  assert.ok(lines[0]!.loss! > Math.log(512) - 1);
  assert.ok(last["valid.loss"]! < 0.5 * unigram, `${last["valid.loss"]}`);
  assert.ok(last["valid.untold"]! > last["valid.loss"]!);

  const files = readdirSync(out);
  for (const name of [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "training.json",
    "state.safetensors",
    "best",
  ])
    assert.ok(files.includes(name), name);
  assert.deepEqual(readdirSync(join(out, "samples", "0000060")).sort(), [
    "1.flac",
    "1.png",
    "2.flac",
    "2.png",
    "prompts.txt",
  ]);

  const request = { duration: 0.5, greedy: true, guidance: 1, seed: 1 };
  for (const [kind, prompt] of kinds.entries()) {
    const { codes: grid } = await composed(out, { ...request, prompt });
    const right = grid.flatMap((row, k) => [...row].filter((code, t) => code === tune(kind)[k]![t])).length;
    assert.ok(right > 0.9 * 4 * frames, `${prompt}: ${right} of ${4 * frames} codes`);
  }
  assert.ok((await composed(join(out, "best"), { ...request, prompt: kinds[0] })).waveform.channels[0]!.length > 7_500);
});

test("going on needs the same settings, and says which differ", async () => {
  const again = ["--codec", codec, "--out", out, "--steps", "60", ...size];
  await assert.rejects(train(...again, ...every), /holds a run already: --resume/);
  await assert.rejects(
    train(...again, ...every, "--resume", "--seed", "4", "--drop", "0.3"),
    /begun with other settings: dropout\.guidance was 0\.2, is 0\.3; seed was 1, is 4\./,
  );
  const before = log(out).length;
  await train(...again, ...every, "--resume"); // it is done already
  assert.equal(log(out).length, before);
});

test("a model is gone on with as a whole, and as an adapter that leaves it as it is", async () => {
  const [whole, adapter] = [join(folder, "whole"), join(folder, "adapter")];
  const few = ["--steps", "2", "--batch", "2", "--seconds", "0.5", "--warmup", "0", ...every];
  await train("--from", out, "--out", whole, ...few);
  // It begins where the model is.
  assert.ok(log(whole)[0]!.loss! < 2, `${log(whole)[0]!.loss}`);
  const text = "text_encoder.shared.weight";
  assert.deepEqual(await weight(whole, text), await weight(out, text));
  assert.notDeepEqual(await weight(whole, "decoder.lm_heads.0.weight"), await weight(out, "decoder.lm_heads.0.weight"));

  await train("--from", out, "--out", adapter, "--lora", "4", "--prompt", "two words", ...few);
  assert.equal(readFileSync(join(adapter, "samples", "0000002", "prompts.txt"), "utf8"), "1 two words\n");
  assert.ok(readdirSync(adapter).includes("adapter_model.safetensors"));
  assert.ok(!readdirSync(adapter).includes("model.safetensors"));
  assert.ok(log(adapter)[0]!.loss! < 2);
  await composed(adapter, { prompt: kinds[0], duration: 0.5 });
});

test("what cannot be is said before anything is made", async () => {
  const elsewhere = ["--out", join(folder, "none")];
  for (const [words, message] of [
    [[], /--codec: name the codec whose codes are to be learnt/],
    [["--codec", codec, "--lora", "4"], /--lora is about a model to go on with: name one with --from/],
    [["--from", codec, "--layers", "9"], /--layers 9: .* has 5; leave the option out/],
    [["--codec", codec, "--width", "65"], /a width of 65 does not divide by 4 heads/],
    [["--codec", codec, "--batch", "100000"], /the run does not fit into memory: give a smaller --batch/],
    [["--codec", codec, "--drop", "2"], /--drop: give a number from 0 to 1, not 2/],
    [["--from", out, "--codec", codec, "--vocabulary", "400"], /--vocabulary: .* has its own words/],
  ] as const)
    await assert.rejects(train(...elsewhere, ...words), message);
  await assert.rejects(
    train("--codec", repositoryFile("test/golden/encodec_tiny_mono"), ...elsewhere),
    /hocket data tokenize|tokens/,
  );
  assert.ok(!readdirSync(folder).includes("none"));

  const silent = join(folder, "silent");
  const { info } = parseInfo({}, "");
  const entry = { path: "0.wav", duration: 0.5, sample_rate: 16000, channels: 1, info } as const;
  await writeManifest(silent, [
    { ...entry, split: "train" },
    { ...entry, path: "1.wav", split: "valid" },
  ]);
  const model = await loadCodec(await openFolder(codec), "mini", runtime);
  const cache = await TokenCache.open(silent, await tokenFormat(model));
  const tokens = { codes: tune(0), chroma: new Uint8Array(4) };
  await cache.keep(
    ["0.wav", "1.wav"].map((path) => ({ path, fingerprint: "", tokens })),
    new Int32Array(4),
  );
  const words = parseCommand(trainLmCommand, [silent, "--codec", codec, ...elsewhere]);
  await assert.rejects(trainLmCommand.run(words, new AbortController().signal), /none of 1 recordings has a caption/);
  await cache.close();
  await model.dispose();
});

async function weight(run: string, name: string): Promise<unknown> {
  const model = await loadModel(await openFolder(run), run, runtime, { threads: 1 });
  const { data } = await model.checkpoint.read(name);
  await model.dispose();
  return data;
}
