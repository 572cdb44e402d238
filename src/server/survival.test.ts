import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { repositoryFile } from "../../test/golden.js";
import { musicFolder } from "../../test/music-folder.js";
import { dataFolder, serving } from "../../test/serving.js";
import { HocketClient } from "./client.js";
import { Store } from "./store.js";

const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** `hocket serve` as people run it. */
async function hocketServe(data: string, ...more: readonly string[]) {
  const args = ["serve", "--port", "0", "--no-open", "--threads", "1", "--data", data, ...more];
  const child = spawn(process.execPath, [repositoryFile("bin/hocket.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const gone = new Promise<number | null>((resolve) => child.once("exit", resolve)).finally(() =>
    children.delete(child),
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("exit", () => reject(new Error(said)));
  });
  return { client: new HocketClient({ url }), url, child, gone, said: () => said };
}

const digest = (bytes: ArrayBuffer) => createHash("sha256").update(new Uint8Array(bytes)).digest("hex");
const soundOf = async (client: HocketClient, id: string) =>
  digest(await (await client.sound(id, "wav", { bits: 32 })).arrayBuffer());
const codesOf = async (client: HocketClient, id: string) => digest(await client.codes(id));

test("a server that is killed again and again, while it composes and while it stores, loses nothing", async () => {
  const data = dataFolder();
  const orders = Array.from({ length: 3 }, (_, i) => ({ prompt: `piece ${i}`, duration: 0.5 + i / 5, seed: i }));
  const ids: string[] = [];
  for (let kill = 0; kill < 3; kill++) {
    const { client, child, gone } = await hocketServe(data);
    ids.push((await client.create(orders[kill]!, { idempotencyKey: `key ${kill}` })).id);
    const follow = client.events(ids.at(-1)!);
    for await (const event of follow) if (event.type === (["state", "audio", "done"] as const)[kill]) break;
    child.kill("SIGKILL");
    await gone;
  }
  const { client, child, gone } = await hocketServe(data);
  assert.equal((await client.create(orders[0]!, { idempotencyKey: "key 0" })).id, ids[0], "a key is remembered");
  const reference = await serving();
  for (const [i, id] of ids.entries()) {
    const done = await client.finished(id);
    assert.equal(done.state, "done", `${i}: ${done.error?.detail}`);
    const other = await reference.client.create(orders[i]!);
    await reference.client.finished(other.id);
    assert.equal(await soundOf(client, id), await soundOf(reference.client, other.id), `piece ${i}`);
    assert.equal(await codesOf(client, id), await codesOf(reference.client, other.id));
  }
  assert.equal((await client.list()).data.length, ids.length, "and none was made twice");
  child.kill("SIGTERM");
  assert.equal(await gone, 0);
});

test("a client that follows while the server is killed and comes back gets everything once", async () => {
  const data = dataFolder();
  const first = await hocketServe(data);
  const port = Number(new URL(first.url).port);
  const { id } = await first.client.create({ prompt: "organ", duration: 3, seed: 9 });
  let second: Awaited<ReturnType<typeof serving>> | undefined;
  const heard: number[] = [];
  let frames = 0;
  for await (const event of first.client.events(id)) {
    if (event.type === "codes") {
      assert.equal(event.frame, frames);
      frames += event.pieces[0]![0]!.length;
    }
    if (event.type !== "audio") continue;
    assert.equal(event.at, heard.length);
    for (const x of event.channels[0]!) heard.push(x);
    if (second !== undefined) continue;
    first.child.kill("SIGKILL");
    await first.gone;
    second = await serving({ data, port });
  }
  assert.equal(frames, 150);
  assert.equal(heard.length, 3 * 16000);
});

test("a process that computes and dies is started again, and its job with it", async () => {
  const { server, client, logged } = await serving();
  const { id } = await client.create({ prompt: "bells", duration: 2, seed: 1 });
  for await (const event of client.events(id)) if (event.type === "codes") break;
  const pid = server.enginePid()!;
  process.kill(pid, "SIGKILL");
  assert.equal((await client.finished(id)).state, "done");
  assert.notEqual(server.enginePid(), pid);
  assert.match(logged.join(), /the computing process ended \(SIGKILL\)/);
});

test("a server that is asked to stop hands back what it cannot finish, and the next one makes it", async () => {
  const data = dataFolder();
  const first = await serving({ data });
  // One after the other, so that the first is composed first: else it may be the one that is done when the other begins.
  const ids: string[] = [];
  for (const seed of [1, 2])
    ids.push((await first.client.create({ prompt: "harp", duration: 8, seed, temperature: seed })).id);
  for await (const event of first.client.events(ids[0]!)) if (event.type === "codes") break;
  await first.server.close(0);
  const store = new Store(data);
  assert.deepEqual(
    store.unfinished().map(({ id, state, attempts }) => [id, state, attempts]),
    ids.map((id) => [id, "queued", 0]),
  );
  store.close();
  const second = await serving({ data });
  for (const id of ids) assert.equal((await second.client.finished(id)).state, "done");
});

test("two servers do not share data, and what belongs to nothing is taken away", async () => {
  const data = dataFolder();
  const first = await serving({ data });
  await assert.rejects(serving({ data }), /another server uses/);
  const { id } = await first.client.create({ prompt: "x", duration: 0.2 });
  await first.client.finished(id);
  await first.server.close(0);
  const folder = join(data, "sounds", id.slice(0, 2), id);
  const other = `${id.slice(0, 2)}${"0".repeat(30)}`;
  mkdirSync(join(data, "sounds", id.slice(0, 2), other));
  writeFileSync(join(data, "sounds", id.slice(0, 2), other, "melody.wav"), "half");
  const second = await serving({ data });
  await second.client.get(id);
  assert.deepEqual(readdirSync(join(data, "sounds", id.slice(0, 2))), [id]);
  assert.deepEqual(readdirSync(folder).sort(), ["codes.safetensors", "piece-0.wav"]);
});

test("what learns when its server is killed saves what it has, and goes on from there", async () => {
  const [data, folder] = [dataFolder(), musicFolder()];
  const { client, child, gone } = await hocketServe(data, "--music", folder);
  const [root] = (await client.training.folders()).folders;
  let music = await client.training.listen(root!.id);
  while (music.state === "listening") music = await client.training.music(music.id);
  // Far more steps than there is time for, and no save before the five thousandth.
  const order = { music: music.id, name: "mine", steps: 100_000, batch: 1, seconds: 0.5, rank: 1, prompts: ["x"] };
  const { id } = await client.training.train(order);
  const before: object[] = [];
  for await (const event of client.training.events(id)) {
    if (event.type === "numbers") before.push(...event.lines);
    if (before.length > 1) break;
  }
  child.kill("SIGKILL");
  await gone;

  const second = await hocketServe(data, "--music", folder);
  const { training } = second.client;
  assert.equal((await training.run(id)).state, "stopped");
  await training.resume(id); // while the process of the other server may still be saving
  let [known, more] = [0, 0];
  for await (const event of training.events(id)) {
    if (event.type === "state" && event.run.state === "learning") known ||= event.run.step;
    if (event.type === "numbers") more = Math.max(more, ...event.lines.map(({ step }) => step));
    if (known > 0 && more > known + 3) await training.stop(id);
  }
  assert.equal((await training.run(id)).state, "stopped");
  const log = await (await fetch(`${second.url}/v1/training/runs/${id}/log`)).text();
  const lines = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines.slice(0, before.length), before, "what it had done it did not do again");
  assert.deepEqual(
    lines.map(({ step }) => step),
    Array.from(lines, (_, i) => i + 1),
    "every step was done once",
  );
  second.child.kill("SIGTERM");
  assert.equal(await second.gone, 0);
});
