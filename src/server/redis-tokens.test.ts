import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createRuntime, openFolder } from "#platform";
import { redis, skip, worker } from "../../test/redis.js";
import { dataFolder, mini } from "../../test/serving.js";
import { writeWav } from "../audio/write-wav.js";
import { parseInfo } from "../data/info.js";
import { type Entry, writeManifest } from "../data/manifest.js";
import { tokenFormat } from "../data/token-cache.js";
import { tokenize } from "../data/tokenize.js";
import { loadCodec } from "../model.js";
import { openRedisEncoder } from "./redis-encoder.js";

const runtime = createRuntime();
after(() => runtime.dispose());
const codec = await loadCodec(await openFolder(mini.path), mini.name, runtime, { threads: 1 });
after(() => codec.dispose());

/** A data folder with recordings of many lengths, so that there are many batches, and one that cannot be read. */
async function recordings(): Promise<string> {
  const folder = dataFolder();
  const entries: Entry[] = [];
  for (let i = 0; i < 16; i++) {
    const path = `${i}.wav`;
    const duration = 0.5 + (i % 12) / 4;
    const tune = Float32Array.from({ length: duration * 16_000 }, (_, n) => Math.sin(n / (9 + i)) * Math.cos(n / 5000));
    const waveform = { sampleRate: 16_000, channels: [tune] };
    writeFileSync(join(folder, path), i === 5 ? "no sound" : writeWav(waveform, { bits: 16 }));
    const { info } = parseInfo({ title: path }, "");
    entries.push({ path, duration, sample_rate: 16_000, channels: 1, split: "train", info });
  }
  await writeManifest(folder, entries);
  return folder;
}

function cacheOf(folder: string): Record<string, string> {
  const codes = join(folder, "codes");
  return Object.fromEntries(
    (readdirSync(codes, { recursive: true }) as string[])
      .filter((name) => name.endsWith(".safetensors"))
      .map((name) => [name, readFileSync(join(codes, name)).toString("base64")]),
  );
}

async function all<T, R>(steps: AsyncGenerator<T, R>): Promise<R> {
  for (;;) {
    const step = await steps.next();
    if (step.done === true) return step.value;
  }
}

test(
  "recordings that workers encode, one of them killed at it, end in the same files with the same bytes",
  { skip },
  async () => {
    const url = await redis();
    const here = await recordings();
    const there = dataFolder();
    cpSync(here, there, { recursive: true });
    const local = await all(tokenize(here, codec, { threads: 1 }));

    const { key } = await tokenFormat(codec);
    const encoder = await openRedisEncoder(url, key, () => {});
    assert.equal(await encoder.workers(), 0);
    const result = all(tokenize(there, codec, { threads: 1, encoder }));
    const first = worker({ url });
    const connection = new Redis(url);
    while ((await connection.llen(`hocket:tokens-${key}:active`)) === 0) await sleep(5);
    first.kill("SIGKILL");
    worker({ url });
    assert.deepEqual(await result, local);
    assert.equal(local.skipped, 1);
    assert.deepEqual(cacheOf(there), cacheOf(here));
    assert.equal((await connection.keys("hocket:clips:*")).length, 0, "no sounds are left in Redis");
    assert.equal(await encoder.workers(), 1);
    connection.disconnect();
    await encoder.close();
  },
);

test("whoever stops waiting takes back what nobody has begun; what is then encoded is the rest", { skip }, async () => {
  const url = await redis();
  const folder = await recordings();
  const { key } = await tokenFormat(codec);
  const encoder = await openRedisEncoder(url, key, () => {});
  const stop = new AbortController();
  const result = all(tokenize(folder, codec, { threads: 1, encoder, signal: stop.signal }));
  const connection = new Redis(url);
  while ((await connection.llen(`hocket:tokens-${key}:wait`)) === 0) await sleep(5);
  stop.abort();
  await assert.rejects(result, { name: "AbortError" });
  await encoder.close();
  assert.equal(await connection.llen(`hocket:tokens-${key}:wait`), 0);
  assert.equal((await connection.keys("hocket:clips:*")).length, 0);
  connection.disconnect();
});
