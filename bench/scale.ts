/**
 * @file Is an order ever lost, or done twice? Many are given to a server whose two workers, processes of `hocket worker`,
 * take turns at being killed (SIGKILL), and are replaced. All of it is real: the commands, Redis, the model in the package.
 * Every 25th is followed from the start, and what was heard is held against its file; every 100th is composed again by a server
 * without a queue, and all files are held against its.
 * Usage: node dist/bench/scale.js [orders] [seconds from one kill to the next] [seconds of each piece]
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { readWav } from "../src/audio/wav.js";
import { ApiError, type GenerationInput, HocketClient } from "../src/server/client.js";
import { Store } from "../src/server/store.js";
import { repositoryFile } from "../test/golden.js";

const [orders = 2000, everySeconds = 30, duration = 2] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "hocket-scale-"));
const data = join(folder, "data");
const children = new Set<ChildProcess>();

const orderOf = (i: number): GenerationInput => ({ prompt: `piece ${i}`, duration, seed: i });

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}
const hocket = (...args: string[]) => start(process.execPath, [repositoryFile("bin/hocket.js"), ...args]);
const firstWords = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.stdout!.once("data", (text) => resolve(`${text}`.trim())));

async function redis(): Promise<string> {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as { port: number };
  await new Promise((resolve) => socket.close(resolve));
  const child = start("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder]);
  await firstWords(child);
  return `redis://127.0.0.1:${port}`;
}

/** A server that has no room says when to ask again. */
async function create(client: HocketClient, order: GenerationInput): Promise<string> {
  for (;;)
    try {
      return (await client.create(order)).id;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 429)) throw error;
      refused++;
      await sleep(1000 * Math.min(2, error.retryAfter ?? 1));
    }
}

/** What was heard live, joined; places that do not follow each other are an error. */
async function follow(client: HocketClient, id: string): Promise<Float32Array> {
  const heard: number[] = [];
  for await (const event of client.events(id))
    if (event.type === "audio") {
      if (event.at !== heard.length) throw new Error(`${id}: sound from ${event.at} after ${heard.length}`);
      heard.push(...event.channels[0]!);
    }
  return Float32Array.from(heard);
}

const bytesOf = async (client: HocketClient, id: string): Promise<Buffer> =>
  Buffer.concat([
    Buffer.from(await client.codes(id)),
    Buffer.from(await (await client.sound(id, "wav", { bits: 32 })).arrayBuffer()),
  ]);

const samplesOf = async (client: HocketClient, id: string): Promise<Float32Array> =>
  readWav(new Uint8Array(await (await client.sound(id, "wav")).arrayBuffer())).channels[0]!;

let [kills, refused] = [0, 0];
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;
try {
  const queue = await redis();
  const url = await firstWords(hocket("serve", "--port", "0", "--no-open", "--data", data, "--queue", queue));
  const client = new HocketClient({ url });
  const alone = new HocketClient({
    url: await firstWords(
      hocket("serve", "--port", "0", "--no-open", "--data", join(folder, "alone"), "--threads", "1"),
    ),
  });
  const work = () => hocket("worker", "--data", data, "--queue", queue, "--threads", "1");
  const workers = [work(), work()];
  let over = false;
  const killing = (async () => {
    for (let last = elapsed(); !over; await sleep(200)) {
      if (elapsed() - last < everySeconds) continue;
      last = elapsed();
      workers.shift()!.kill("SIGKILL");
      workers.push(work());
      kills++;
    }
  })();

  const ids: string[] = [];
  const followed: Promise<[string, Float32Array]>[] = [];
  let next = 0;
  const clients = Array.from({ length: 4 }, (_, c) => new HocketClient({ url, clientId: `client-${c}` }));
  await Promise.all(
    clients.map(async (client) => {
      while (next < orders) {
        const i = next++;
        const id = await create(client, orderOf(i));
        ids[i] = id;
        if (i % 25 === 0) followed.push(follow(client, id).then((heard) => [id, heard]));
        if (i % 100 === 0) console.error(`${i} ordered after ${elapsed().toFixed(0)} s, ${kills} killed`);
      }
    }),
  );
  const states: Record<string, number> = {};
  for (const id of ids) {
    const { state, error } = await client.finished(id);
    states[state] = (states[state] ?? 0) + 1;
    if (error !== null) console.error(`${id}: ${error.detail}`);
  }
  over = true;
  await killing;
  const seconds = elapsed();

  let unheard = 0;
  for (const each of followed) {
    const [id, heard] = await each;
    const written = await samplesOf(client, id);
    if (heard.length !== written.length || heard.some((x, n) => x !== written[n])) unheard++;
  }
  let [compared, unlike] = [0, 0];
  for (let i = 0; i < orders; i += 100) {
    const id = await create(alone, orderOf(i));
    await alone.finished(id);
    compared++;
    if (!(await bytesOf(client, ids[i]!)).equals(await bytesOf(alone, id))) unlike++;
  }
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const told = Number(/generations_finished_total\{state="done"\} (\d+)/.exec(metrics)?.[1]);
  let listed = 0;
  for await (const _ of client.all({ limit: 100 })) listed++;
  const connection = new Redis(queue);
  const completed = await connection.zcard("hocket:compose:completed");
  const waiting =
    (await connection.llen("hocket:compose:wait")) + (await connection.zcard("hocket:compose:prioritized"));
  const failed = await connection.zcard("hocket:compose:failed");
  connection.disconnect();

  for (const child of children) child.kill("SIGTERM");
  while (children.size > 0) await sleep(100);
  const store = new Store(data);
  const attempts = ids.map((id) => store.get(id)!.attempts);
  store.close();
  const again = attempts.filter((each) => each > 1).length;
  const good = states.done === orders && new Set(ids).size === orders && listed === orders && told === orders;
  const whole = completed === orders && waiting === 0 && failed === 0 && unheard === 0 && unlike === 0;
  console.log(
    JSON.stringify({
      orders,
      states,
      told,
      listed,
      completed,
      waiting,
      failed,
      kills,
      again,
      begun: attempts.reduce((sum, each) => sum + each, 0),
      refused,
      followed: followed.length,
      unheard,
      compared,
      unlike,
      seconds: Math.round(seconds),
      load: loadavg()[0],
    }),
  );
  console.log(good && whole ? "none lost, none doubled" : "NOT as it should be");
  process.exitCode = good && whole ? 0 : 1;
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
