import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, utimesSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startHub } from "../../test/fake-hub.js";
import { repositoryFile } from "../../test/golden.js";
import { writeRandomModel } from "../../test/random-model.js";
import { dataFolder, mini, serving } from "../../test/serving.js";
import { writeWav } from "../audio/write-wav.js";
import { newId } from "./desk.js";
import { fits } from "./machine-memory.js";
import { Models } from "./models.js";
import { trainedIn } from "./train-trained.js";

const small = (name: string) => readFileSync(repositoryFile(`models/mini-reference/${name}`));
const names = ["config.json", "generation_config.json", "model.safetensors", "README.md", "tokenizer.json"];
const hub = await startHub({ files: Object.fromEntries(names.map((name) => [name, small(name)])), cuts: [1_000_000] });
Object.assign(process.env, hub.environment);

test("a model is fetched from the hub, listed, used and taken away", async () => {
  const { client, ask } = await serving();
  assert.deepEqual(
    (await client.models()).data.map(({ name }) => name),
    ["mini-reference"],
  );
  await assert.rejects(client.create({ prompt: "x", model: "owner/tiny" }), /is not on this machine/);
  assert.equal((await client.pull("owner/tiny")).state, "fetching");
  const pull = async () => (await client.models()).pulls.find(({ name }) => name === "owner/tiny")!;
  while ((await pull()).state === "fetching") await sleep(20);
  assert.equal((await pull()).error, null);
  const listed = (await client.models()).data.find(({ name }) => name === "owner/tiny")!;
  assert.deepEqual([listed.default, listed.licence, listed.commercial], [false, "cc0-1.0", true]);
  const { id, model } = await client.create({ prompt: "x", duration: 0.2, seed: 1, model: "owner/tiny" });
  assert.equal(model, "owner/tiny");
  assert.equal((await client.finished(id)).state, "done");
  const other = await client.create({ prompt: "x", duration: 0.2, seed: 1 });
  await client.finished(other.id);
  assert.equal((await client.get(other.id)).model, "mini-reference", "models take turns in memory");
  await client.removeModel("owner/tiny");
  assert.ok(!existsSync(hub.folder));
  assert.deepEqual(
    (await client.models()).data.map(({ name }) => name),
    ["mini-reference"],
  );
  for (const name of ["mini-reference", "owner/none", "../x", ""])
    assert.equal((await ask("DELETE", `/v1/models?name=${encodeURIComponent(name)}`)).status, 400, name);
  for (const name of ["../..", "/etc", "a", "a/b/c", "a b/c"])
    assert.equal((await ask("POST", "/v1/models", { name })).status, 400, name);
  await client.pull("owner/other");
  const failed = async () => (await client.models()).pulls.find(({ name }) => name === "owner/other")!;
  while ((await failed()).state === "fetching") await sleep(20);
  assert.match((await failed()).error!.detail, /has no model owner\/other/);
});

test("what a model needs of memory is said before it is loaded or fetched, and whether there is room", async () => {
  const { client } = await serving();
  const { data, offers, memory } = await client.models();
  const [own] = data;
  assert.ok(own!.memory > 1e8 && own!.memory < 1e9);
  assert.equal(own!.fits, fits(own!.memory, memory!));
  const needs = new Map(offers.map((offer) => [offer.name, offer.memory]));
  assert.ok(needs.get("facebook/musicgen-medium")! > 1.5 * needs.get("facebook/musicgen-small")!);
  assert.ok(needs.get("facebook/musicgen-stereo-small")! > needs.get("facebook/musicgen-small")!);
  assert.ok(memory!.free <= memory!.total);
  const machine = { total: 8e9, free: 3e9 };
  assert.deepEqual(
    [2e9, 4e9, 7.8e9].map((needed) => fits(needed, machine)),
    ["yes", "tight", "no"],
  );
});

test("a melody is followed, and changes what is composed; a stereo model makes stereo", async () => {
  const folder = dataFolder();
  const places = (["melody", "stereo"] as const).map((kind) => ({ name: kind, path: join(folder, kind), kind }));
  for (const { path, kind } of places) {
    await mkdir(path);
    await writeRandomModel(path, kind);
  }
  const { client } = await serving({ models: [...places, mini] });
  const tune = (pitch: number) => {
    const samples = Float32Array.from({ length: 16000 }, (_, n) => Math.sin((2 * Math.PI * pitch * n) / 16000) / 2);
    return new Blob([writeWav({ sampleRate: 16000, channels: [samples] }, { bits: 16 }) as never]);
  };
  const codes = async (melody: Blob) => {
    const { id } = await client.create({ prompt: "x", duration: 0.5, seed: 1 }, { melody });
    const done = await client.finished(id);
    assert.equal(done.state, "done", done.error?.detail);
    assert.equal(done.settings!.melody, true);
    return Buffer.from(await client.codes(id))
      .subarray(-400)
      .toString("hex");
  };
  const [low, again, high] = [await codes(tune(220)), await codes(tune(220)), await codes(tune(330))];
  assert.equal(low, again);
  assert.notEqual(low, high);
  const stereo = await client.create({ prompt: "x", duration: 0.5, seed: 1, model: "stereo" });
  const channels = new Set<number>();
  for await (const event of client.events(stereo.id)) if (event.type === "audio") channels.add(event.channels.length);
  assert.deepEqual([...channels], [2]);
  const { sound } = await client.get(stereo.id);
  assert.deepEqual([sound!.channels, sound!.codebooks], [2, 8]);
});

test("what runs have saved is found in the server's data, with what it stands on; what stands on nothing is not", async () => {
  const data = dataFolder();
  const run = async (name: string, what: "adapter" | "whole", model: string, weights?: string) => {
    const folder = join(data, "training", "runs", newId());
    await mkdir(folder, { recursive: true });
    const settings = { steps: 1, rate: 1, rank: 1, batch: 1, seconds: 1, seed: 1, prompts: [] };
    const record = { name, model, what, settings, licence: "cc-by-nc-4.0", music: { id: newId(), name: "songs" } };
    const past = { created: 1, started: 1, finished: 1, state: "stopped", said: [], error: null };
    await writeFile(join(folder, "run.json"), JSON.stringify({ ...record, ...past }));
    if (what === "whole") for (const each of names) symlinkSync(join(mini.path, each), join(folder, each));
    else if (weights !== undefined) await writeFile(join(folder, "adapter_model.safetensors"), weights);
    return folder;
  };
  const adapter = await run("mine", "adapter", mini.name, "numbers");
  const whole = await run("own", "whole", mini.name);
  const above = await run("above", "adapter", "own", "numbers");
  await run("early", "adapter", mini.name);
  await run("lost", "adapter", "a model that is gone", "numbers");
  const models = new Models([mini], () => trainedIn(data));
  const listed = await models.list();
  assert.deepEqual(listed.map(({ facts }) => facts.name).sort(), ["above", "mine", mini.name, "own"].sort());
  const found = async (name: string) => (await models.findMusic(name)).place;
  assert.deepEqual(
    [(await found("mine")).path, (await found("mine")).adapters],
    [mini.path, [{ path: adapter, strength: 1 }]],
  );
  assert.deepEqual([(await found("own")).path, (await found("own")).adapters], [whole, undefined]);
  assert.deepEqual([(await found("above")).path, (await found("above")).adapters![0]!.path], [whole, above]);
  assert.equal(
    models.resource(await models.find("own"), undefined).commercial,
    false,
    "the licence of what it began with holds",
  );
  await assert.rejects(models.find("early"), /is not on this machine/);
  const before = (await found("mine")).version;
  utimesSync(join(adapter, "adapter_model.safetensors"), 1, 1);
  assert.notEqual((await found("mine")).version, before, "saved again, it is another model");
});
