import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, redis, skip, worker } from "../../test/redis.js";
import { s3 } from "../../test/s3.js";
import { dataFolder, mini, type Serving, serving } from "../../test/serving.js";
import { toPcm } from "../audio/pcm.js";
import { writeWav } from "../audio/write-wav.js";
import { packed, unpacked } from "./redis.js";
import { startWorker } from "./redis-worker.js";
import { openS3 } from "./s3.js";

const codesOf = async ({ client }: Serving, id: string) => Buffer.from(await client.codes(id)).toString("base64");
const soundOf = async ({ client }: Serving, id: string) =>
  Buffer.from(await (await client.sound(id, "wav", { bits: 32 })).arrayBuffer()).toString("base64");

test("what passes through Redis is what is streamed", () => {
  const samples = Float32Array.from({ length: 4000 }, (_, n) => Math.sin(n) * (n / 3000));
  const { event } = unpacked(packed({ run: "r", event: { type: "sound", piece: 0, channels: [samples] } }));
  assert.ok(event.type === "sound");
  assert.deepEqual(toPcm(event.channels, 16), toPcm([samples], 16));
  const codes = { run: "r", event: { type: "codes", piece: 1, codes: [Int32Array.of(1, 2)] } } as const;
  assert.deepEqual(unpacked(packed(codes)), codes);
});

test(
  "two workers, one killed in the middle of its work: no job is lost, none is doubled, each is what it is alone",
  { skip },
  async () => {
    const url = await redis();
    const data = dataFolder();
    const queued = await serving({ data, queue: url });
    const alone = await serving();
    const orders = Array.from({ length: 4 }, (_, seed) => ({ prompt: `piece ${seed}`, duration: 1, seed }));
    const ids = await Promise.all(orders.map(async (order) => (await queued.client.create(order)).id));
    const cancelled = await queued.client.create({ prompt: "unwanted", duration: 1 });
    await queued.client.cancel(cancelled.id);
    const first = worker({ url, data });
    const heard: number[] = [];
    for await (const event of queued.client.events(ids[0]!)) {
      if (event.type === "audio") {
        assert.equal(event.at, heard.length);
        heard.push(...event.channels[0]!);
      }
      if (event.type === "codes" && first.exitCode === null && first.signalCode === null) {
        first.kill("SIGKILL");
        worker({ url, data });
      }
    }
    assert.equal(heard.length, 16000, "whoever follows hears everything once, though it was begun twice");
    for (const [i, id] of ids.entries()) {
      const done = await queued.client.finished(id);
      assert.equal(done.state, "done", done.error?.detail);
      const other = await alone.client.create(orders[i]!);
      await alone.client.finished(other.id);
      assert.equal(await codesOf(queued, id), await codesOf(alone, other.id));
      assert.equal(await soundOf(queued, id), await soundOf(alone, other.id));
    }
    const { data: all } = await queued.client.list();
    assert.equal(all.length, ids.length + 1);
    const { data: models, memory } = await queued.client.models();
    assert.deepEqual([models[0]!.fits, memory], [null, null], "what fits depends on the worker");
    assert.equal((await queued.client.get(cancelled.id)).state, "cancelled");
  },
);

test(
  "a server that was away hears what was done meanwhile; a worker that stops hands its job back",
  { skip },
  async () => {
    const url = await redis();
    const data = dataFolder();
    const first = await serving({ data, queue: url });
    const options = { url, data, models: [mini], threads: 1, patience: 1500, log: () => {} };
    const worker = await startWorker(options);
    const { id } = await first.client.create({ prompt: "long", duration: 5, seed: 1 });
    for await (const event of first.client.events(id)) if (event.type === "codes") break;
    await worker.close(0);
    const next = await first.client.create({ prompt: "short", duration: 0.3, seed: 2 });
    const broken = await first.client.create({ prompt: "x ".repeat(9000), duration: 0.3 });
    await first.server.close(0);
    const other = await startWorker(options);
    await sleep(500);
    const second = await serving({ data, queue: url });
    assert.equal((await second.client.finished(id)).state, "done");
    assert.equal((await second.client.finished(next.id)).state, "done");
    const failed = await second.client.finished(broken.id);
    assert.match(failed.error!.detail, /tokens, and at most 4096 are read/);
    assert.equal(failed.error!.status, 400);
    await other.close(0);
    await other.close(0);
  },
);

test(
  "with a storage, machines need no folder in common; a worker killed while it puts its results there loses none",
  { skip },
  async () => {
    const url = await redis();
    const cloud = await s3("music");
    const { environment, objects, trouble } = cloud;
    const storage = await openS3("s3://music/hocket", environment, { patience: 1 });
    const queued = await serving({ queue: url, storage });
    const alone = await serving();
    const options = { url, models: [mini], threads: 1, patience: 1500, log: () => {} };
    const order = { prompt: "a", duration: 1, seed: 1 };
    const { id } = await queued.client.create(order);
    const first = worker({ url, data: dataFolder() }, storage.name, environment);
    cloud.before = (what) => {
      if (!what.endsWith(`${id}/codes.safetensors`)) return;
      first.kill("SIGKILL");
      trouble.push(0);
    };
    await once(first, "exit");
    cloud.before = () => {};
    assert.equal([...objects.keys()].filter((key) => key.includes(id)).length, 1, "the sound was there already");
    const second = await startWorker({ ...options, data: dataFolder(), storage });
    assert.equal((await queued.client.finished(id)).state, "done");
    const tune = { sampleRate: 16000, channels: [Float32Array.from({ length: 8000 }, (_, n) => Math.sin(n / 9))] };
    const intro = new Blob([writeWav(tune, { bits: 16 }) as never]);
    const more = await queued.client.create({ prompt: "b", duration: 1.5, seed: 2 }, { continue: intro });
    const heard: number[] = [];
    for await (const event of queued.client.events(more.id))
      if (event.type === "audio") heard.push(...event.channels[0]!);
    assert.equal(heard.length, 24000, "sound comes while it is composed, as without a storage");
    for (const [made, asked, files] of [
      [id, order, {}],
      [more.id, { prompt: "b", duration: 1.5, seed: 2 }, { continue: intro }],
    ] as const) {
      const other = await alone.client.create(asked, files);
      await alone.client.finished(other.id);
      assert.equal(await codesOf(queued, made), await codesOf(alone, other.id));
      assert.equal(await soundOf(queued, made), await soundOf(alone, other.id));
    }
    assert.equal([...objects.keys()].filter((key) => key.includes(more.id)).length, 3, "intro, piece and codes");
    trouble.push(...Array.from({ length: 6 * 5 }, () => 503));
    assert.equal((await queued.ask("DELETE", `/v1/generations/${more.id}`)).status, 502);
    assert.equal((await queued.ask("DELETE", `/v1/generations/${more.id}`)).status, 204);
    assert.equal([...objects.keys()].filter((key) => key.includes(more.id)).length, 0);
    await second.close(0);

    const elsewhere = await startWorker({ ...options, data: dataFolder() });
    const lost = await queued.client.create({ prompt: "c", duration: 0.3 });
    assert.match((await queued.client.finished(lost.id)).error!.detail, /keeps sounds in s3:\/\/music\/hocket, and/);
    await elsewhere.close(0);
    for (const line of queued.logged) assert.ok(!line.includes(environment.AWS_SECRET_ACCESS_KEY!));
    await assert.rejects(serving({ storage }), /--storage is for workers/);
  },
);

test("an address that is none, or where nobody answers, is said at the start", { skip }, async () => {
  await assert.rejects(serving({ queue: "http://localhost" }), /is no address of a Redis/);
  await assert.rejects(serving({ queue: `redis://127.0.0.1:${await freePort()}` }), /no Redis answers at 127.0.0.1/);
});
