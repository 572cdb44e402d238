import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeFlac } from "../audio/write-flac.js";
import { writeWav } from "../audio/write-wav.js";
import { augment } from "./augment.js";
import { codecBatch, codecBatches } from "./codec-batches.js";
import { parseInfo } from "./info.js";
import { type Entry, writeManifest } from "./manifest.js";
import { decoded } from "./recordings.js";
import { openDataset } from "./segments.js";

const rate = 8000;
const format = { sampleRate: rate, channels: 1 };
let folder = "";

/** Every sample of a file tells which file, and where in it. */
const ramp = (seconds: number, height: number, at = rate): Float32Array =>
  Float32Array.from({ length: seconds * at }, (_, n) => height * Math.sin(n ** 1.3 / 700));

const entry = (path: string, duration: number, split: Entry["split"] = "train"): Entry => ({
  path,
  duration,
  sample_rate: rate,
  channels: 1,
  split,
  info: parseInfo({}, "").info,
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hocket-segments-"));
  await writeFile(join(folder, "short.wav"), writeWav({ sampleRate: rate, channels: [ramp(3, 0.3)] }, { bits: 16 }));
  await writeFile(join(folder, "stub.wav"), writeWav({ sampleRate: rate, channels: [ramp(1, 0.4)] }, { bits: 16 }));
  await writeFile(
    join(folder, "long.wav"),
    writeWav({ sampleRate: rate, channels: [ramp(30, 1.4), ramp(30, 1.2)] }, { bits: 32 }),
  );
  await writeFile(join(folder, "other.flac"), writeFlac({ sampleRate: 12_000, channels: [ramp(25, 0.9, 12_000)] }, 16));
  await writeFile(
    join(folder, "broken.flac"),
    writeFlac({ sampleRate: rate, channels: [ramp(9, 0.9)] }, 16).slice(0, 5000),
  );
  await writeManifest(folder, [
    entry("short.wav", 3),
    entry("stub.wav", 1),
    entry("long.wav", 30),
    entry("other.flac", 25),
    entry("broken.flac", 9),
    entry("missing.wav", 9),
    entry("short.wav", 3, "valid"),
  ]);
});
after(() => rm(folder, { recursive: true, force: true }));

describe("pieces", () => {
  test("the same number gives the same piece, in any order, after opening anew, from the cache or not", async () => {
    const warnings: string[] = [];
    const dataset = await openDataset([folder], "train", { ...format, warn: (message) => warnings.push(message) });
    const first = [];
    for (let i = 0; i < 40; i++) first.push(await dataset.segment(i, 1.25, 7));
    const cached = (await readdir(join(folder, "cache"))).sort();
    assert.equal(cached.length, 2);
    const again = await openDataset([folder], "train", format);
    for (let i = 39; i >= 0; i--) assert.deepEqual(await again.segment(i, 1.25, 7), first[i]);
    assert.deepEqual((await readdir(join(folder, "cache"))).sort(), cached);
    assert.ok(new Set(first.map((each) => each.entry.path)).size >= 3, "several recordings are drawn");
    assert.equal(warnings.length, 2, "each recording that cannot be used is named once");
    assert.notDeepEqual(await again.segment(0, 1.25, 8), first[0]);
  });

  test("a piece is what decoding the whole recording gives there, with silence behind its end", async () => {
    const dataset = await openDataset([folder], "train", format);
    for (let i = 0; i < 40; i++) {
      const { samples, entry, start } = await dataset.segment(i, 1.25, 3);
      const whole = (await decoded(join(folder, entry.path), format)).channels[0]!;
      const from = Math.round(start * rate);
      assert.ok(from + 0.8 * 1.25 * rate <= Math.max(whole.length, 1.25 * rate));
      for (const [n, x] of samples[0]!.entries()) assert.ok(Math.abs(x - (whole[from + n] ?? 0)) <= 1.5 / 32768);
    }
  });

  test("a damaged cache is made anew", async () => {
    const dataset = await openDataset([folder], "train", format);
    const long = dataset.places.findIndex(({ entry }) => entry.path === "long.wav");
    const whole = await dataset.whole(long);
    for (const name of await readdir(join(folder, "cache"))) await writeFile(join(folder, "cache", name), "no");
    const again = await openDataset([folder], "train", format);
    assert.deepEqual(await again.whole(long), whole);
  });

  test("folders are drawn from by their shares, and a folder without one by length", async () => {
    const count = async (shares: readonly (number | undefined)[]) => {
      const sources = shares.map((share) => (share === undefined ? folder : { folder, share }));
      const dataset = await openDataset(sources, "train", format);
      const each = dataset.places.length / shares.length;
      const counts = shares.map(() => 0);
      for (let i = 0; i < 1000; i++) counts[Math.floor(dataset.draw((i + 0.5) / 1000, 0.5) / each)]!++;
      return counts;
    };
    assert.deepEqual(await count([0.7, 0.3]), [700, 300]);
    assert.deepEqual(await count([0.5, undefined, undefined]), [500, 250, 250]);
    await assert.rejects(count([0.7, 0.7]), /add up to 1.4/);
    await assert.rejects(count([1, undefined]), /add up to 1:/);
  });

  test("nothing usable is an error that says why", async () => {
    await assert.rejects(openDataset([folder], "test", format), /no recordings for "test"/);
    const bad = await mkdtemp(join(tmpdir(), "hocket-segments-"));
    await writeManifest(bad, [entry("missing.wav", 9)]);
    const dataset = await openDataset([bad], "train", format);
    await assert.rejects(dataset.segment(0, 1, 0), /10 recordings in a row.*missing.wav does not exist/);
    await rm(bad, { recursive: true });
  });
});

describe("batches for the codec", () => {
  const options = { batch: 3, seconds: 0.5, seed: 5, augment: true };

  test("resuming gives what an uninterrupted run would have read", async () => {
    const dataset = await openDataset([folder], "train", { sampleRate: rate, channels: 2 });
    const whole: Float32Array[] = [];
    for await (const batch of codecBatches(dataset, options)) if (whole.push(batch) === 5) break;
    const resumed: Float32Array[] = [];
    for await (const batch of codecBatches(dataset, { ...options, from: 3 })) if (resumed.push(batch) === 2) break;
    assert.deepEqual(resumed, whole.slice(3));
    assert.equal(whole[0]!.length, 3 * 2 * 0.5 * rate);
  });

  test("some pieces are changed, most are not", async () => {
    const dataset = await openDataset([folder], "train", format);
    let changed = 0;
    for (let step = 0; step < 100; step++) {
      const plain = await codecBatch(dataset, { ...options, augment: false }, step);
      const other = await codecBatch(dataset, options, step);
      assert.ok(
        other.every((x) => Math.abs(x) <= 1.4 * 1.0001),
        "finite, and no louder than what was there",
      );
      for (let b = 0; b < 3; b++) {
        const part = (batch: Float32Array) => batch.subarray((b * batch.length) / 3, ((b + 1) * batch.length) / 3);
        if (!part(plain).every((x, n) => x === part(other)[n])) changed++;
      }
    }
    assert.ok(changed > 30 && changed < 200, `${changed} of 300 changed`);
  });

  test("what is changed stays within full scale", () => {
    for (let index = 0; index < 300; index++) {
      const samples = [ramp(0.2, 1), ramp(0.2, 0.5)];
      augment(samples, rate, index, 1);
      assert.ok(samples.every((channel) => channel.every((x) => Math.abs(x) <= 1.000001)));
    }
  });
});
