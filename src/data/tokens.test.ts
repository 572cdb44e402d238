import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createRuntime, openFolder } from "#platform";
import { repositoryFile } from "../../test/golden.js";
import { writeRandomModel } from "../../test/random-model.js";
import { writeWav } from "../audio/write-wav.js";
import { frameCount, sliceFrames } from "../codes.js";
import { chroma } from "../melody/chroma.js";
import { type CodecModel, loadCodec } from "../model.js";
import { encodeWaveform } from "../sound.js";
import { parseInfo } from "./info.js";
import { type LmItem, lmBatches, openTokens, type TextOf, type TokenSource } from "./lm-batches.js";
import { type Entry, writeManifest } from "./manifest.js";
import { decoded } from "./recordings.js";
import { type Dataset, openDataset } from "./segments.js";
import { TokenCache, tokenFormat } from "./token-cache.js";
import { tokenize } from "./tokenize.js";

const rate = 16_000;
const runtime = createRuntime();
let root = "";
let folder = "";
let codec: CodecModel;

/** A tune of its own for each seed. */
const tune = (seconds: number, seed: number): Float32Array =>
  Float32Array.from({ length: seconds * rate }, (_, n) => {
    const pitch = 200 * 2 ** (((seed * 7 + Math.floor(n / 6000) * 5) % 12) / 12);
    return 0.5 * Math.sin((2 * Math.PI * pitch * n) / rate) + 0.1 * Math.sin(n * n * 1e-5 * seed);
  });

const entry = (path: string, duration: number): Entry => ({
  path,
  duration,
  sample_rate: rate,
  channels: 2,
  split: "train",
  info: parseInfo({ title: path }, "").info,
});

const lengths = [2, 3, 0.5, 3, 6];
const halves = [0.5, 0.5, 0.5, 1, 1, 1];

async function fill(name: string, lengths: readonly number[]): Promise<string> {
  const made = join(root, name);
  await mkdir(made);
  for (const [i, seconds] of lengths.entries()) {
    const waveform = { sampleRate: rate, channels: [tune(seconds, i + 1), tune(seconds, i + 20)] };
    await writeFile(join(made, `${i}.wav`), writeWav(waveform, { bits: 16 }));
  }
  await writeFile(join(made, "bad.wav"), "no sound");
  await writeManifest(made, [...lengths.map((seconds, i) => entry(`${i}.wav`, seconds)), entry("bad.wav", 4)]);
  return made;
}

async function run(data: string, model: CodecModel, signal?: AbortSignal) {
  const steps = tokenize(data, model, { threads: 1, ...(signal === undefined ? {} : { signal }) });
  const skipped: string[] = [];
  let step = await steps.next();
  for (; !step.done; step = await steps.next()) if (step.value.skipped !== undefined) skipped.push(step.value.skipped);
  return { ...step.value, reasons: skipped };
}

async function allTokens(data: string, model: CodecModel, count = lengths.length) {
  const cache = await TokenCache.open(data, await tokenFormat(model));
  const all = await Promise.all(Array.from({ length: count }, (_, i) => cache.tokens(entry(`${i}.wav`, 1))));
  await cache.close();
  return all;
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), "hocket-tokens-"));
  folder = await fill("data", lengths);
  codec = await loadCodec(await openFolder(repositoryFile("models/mini-reference")), "mini", runtime);
});
after(async () => {
  await runtime.dispose();
  await codec.dispose();
  await rm(root, { recursive: true, force: true });
});

describe("the token cache", () => {
  test("holds what encoding each recording by itself gives, and is not made twice", async () => {
    const first = await run(folder, codec);
    assert.equal(first.skipped, 1);
    assert.match(first.reasons[0]!, /bad\.wav: it is a text file/);
    assert.equal(
      first.seconds,
      lengths.reduce((a, b) => a + b),
    );
    const { chroma: heard } = await tokenFormat(codec);
    for (const [i, tokens] of (await allTokens(folder, codec)).entries()) {
      const waveform = await decoded(join(folder, `${i}.wav`), { sampleRate: rate, channels: 1 });
      const [chunk] = await encodeWaveform(codec, waveform);
      assert.deepEqual(tokens.codes, chunk!.codes[0]);
      assert.deepEqual(tokens.chroma, Uint8Array.from(chroma(waveform.channels[0]!, heard)));
    }
    const again = await run(folder, codec);
    assert.equal(again.seconds, 0);
    assert.deepEqual(again.reasons, [], "what could not be encoded is not tried again either");
  });

  test("goes on after it was stopped, and after a crash that left half a file", async () => {
    const data = await fill("stopped", halves);
    const steps = tokenize(data, codec, { threads: 1 });
    for (let i = 0; i < 4; i++) await steps.next();
    await steps.return({ seconds: 0, skipped: 0 });
    const where = join(data, "codes", (await tokenFormat(codec)).key);
    assert.equal((await readdir(where)).length, 1, "what was encoded is kept");
    await writeFile(join(where, ".00001.safetensors.99-0.partial"), "half");
    const rest = await run(data, codec);
    assert.ok(rest.seconds === 3, `${rest.seconds} s were left to encode`);
    const whole = await fill("whole", halves);
    await run(whole, codec);
    assert.deepEqual(await allTokens(data, codec, 6), await allTokens(whole, codec, 6));

    const stop = new AbortController();
    await unlink(join(where, "00000.safetensors"));
    await unlink(join(where, "00001.safetensors"));
    stop.abort();
    await assert.rejects(run(data, codec, stop.signal), { name: "AbortError" });
  });

  test("a recording that has changed is encoded anew, the others are not", async () => {
    const data = await fill("changed", [1, 1, 1]);
    await run(data, codec);
    const before = await allTokens(data, codec, 3);
    await writeFile(join(data, "0.wav"), writeWav({ sampleRate: rate, channels: [tune(1, 50)] }, { bits: 16 }));
    assert.equal((await run(data, codec)).seconds, 1);
    const now = await allTokens(data, codec, 3);
    assert.notDeepEqual(now[0], before[0]);
    assert.deepEqual(now.slice(1), before.slice(1));
  });

  test("left and right are encoded in turn, and the codec decides where it lies", async () => {
    const path = join(root, "stereo");
    await mkdir(path);
    await writeRandomModel(path, "stereo");
    const stereo = await loadCodec(await openFolder(path), "stereo", runtime);
    const data = await fill("sides", [1]);
    await run(data, stereo);
    const [first] = await allTokens(data, stereo, 1);
    const waveform = await decoded(join(data, "0.wav"), { sampleRate: rate, channels: 2 });
    const [chunk] = await encodeWaveform(stereo, waveform);
    assert.equal(first!.codes.length, 2 * codec.codec.codebooks);
    assert.deepEqual(first!.codes, chunk!.codes[0]);
    assert.notEqual((await tokenFormat(stereo)).key, (await tokenFormat(codec)).key);
    await stereo.dispose();

    const mono = join(root, "mono");
    await mkdir(mono);
    await writeRandomModel(mono, "mono", 5); // the same codec beside another language model
    const other = await loadCodec(await openFolder(mono), "mono", runtime);
    assert.equal((await tokenFormat(other)).key, (await tokenFormat(codec)).key);
    await other.dispose();
  });

  test("a damaged file is named", async () => {
    const data = await fill("damaged", [0.5]);
    await run(data, codec);
    const where = join(data, "codes", (await tokenFormat(codec)).key);
    await writeFile(join(where, "00000.safetensors"), "no");
    await assert.rejects(run(data, codec), /00000\.safetensors is damaged: delete it/);
  });
});

describe("batches for the language model", () => {
  const options = { batch: 4, seconds: 2.56, seed: 9 };
  const textOf: TextOf = ({ info }, drawn) => `${info.title} ${drawn(0).toFixed(6)}`;
  const take = async (dataset: Dataset, source: TokenSource, from: number, count: number): Promise<LmItem[][]> => {
    const batches: LmItem[][] = [];
    for await (const batch of lmBatches(dataset, source, textOf, { ...options, from }))
      if (batches.push(batch) === count) break;
    return batches;
  };
  let dataset: Dataset;
  let source: TokenSource;
  before(async () => {
    dataset = await openDataset([folder], "train", { sampleRate: rate, channels: 1 });
    source = await openTokens(dataset, await tokenFormat(codec));
  });
  after(() => source.close());

  test("resuming gives what an uninterrupted run would have read", async () => {
    assert.deepEqual(await take(dataset, source, 2, 3), (await take(dataset, source, 0, 5)).slice(2));
  });

  test("items are crops of the tokens, codes and tune from the same moment, silence behind the end", async () => {
    const all = await allTokens(folder, codec);
    const { hop, chroma: heard } = source.format;
    const starts = new Set<number>();
    for (const item of (await take(dataset, source, 0, 15)).flat()) {
      const tokens = all[Number.parseInt(item.entry.path, 10)]!;
      const [from, length] = [Math.round((item.start * rate) / hop), Math.round((2.56 * rate) / hop)];
      starts.add(from);
      assert.equal(frameCount(item.codes), length);
      assert.deepEqual(sliceFrames(item.codes, 0, item.frames), sliceFrames(tokens.codes, from, from + length));
      for (const [k, row] of item.codes.entries())
        assert.ok(row.subarray(item.frames).every((code) => code === source.silence[k]));
      assert.ok(item.frames >= Math.min(0.8 * length, frameCount(tokens.codes)));
      assert.equal((from * hop) % heard.hop, 0);
      const tune = (from * hop) / heard.hop;
      assert.equal(item.chroma.length, 1 + Math.floor((length * hop) / heard.hop));
      const inside = tokens.chroma.subarray(tune, tune + item.chroma.length);
      assert.deepEqual(item.chroma.subarray(0, inside.length), inside);
      assert.ok(item.chroma.subarray(inside.length).every((pitch) => pitch === 0));
      assert.match(item.text, new RegExp(`^${item.entry.path} 0\\.\\d+$`));
      assert.notEqual(item.entry.path, "bad.wav");
    }
    assert.ok(starts.size > 2, "crops begin in the middle too");
  });

  test("the tune of a crop is what is heard in the crop alone, away from its cuts", async () => {
    const { hop, chroma: heard } = source.format;
    const items = (await take(dataset, source, 0, 10)).flat().filter(({ start }) => start > 0);
    assert.ok(items.length > 0);
    for (const item of items) {
      const waveform = await decoded(join(folder, item.entry.path), { sampleRate: rate, channels: 1 });
      const from = Math.round(item.start * rate);
      const alone = chroma(waveform.channels[0]!.slice(from, from + frameCount(item.codes) * hop), heard);
      const last = Math.floor((item.frames * hop) / heard.hop) - 2;
      assert.deepEqual([...item.chroma.slice(2, last)], [...alone.slice(2, last)]);
    }
  });

  test("what has no tokens is an error that says what to do", async () => {
    const data = await fill("without", [1]);
    const without = await openDataset([data], "train", { sampleRate: rate, channels: 1 });
    await assert.rejects(openTokens(without, source.format), /2 recordings of .*without have no tokens.*data tokenize/);
  });
});
