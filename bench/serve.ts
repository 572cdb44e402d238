/**
 * @file How fast is the server's word while it composes? 100 clients ask for a generation's state twice a second and 10 follow
 * it with codes and sound, all the while music is composed. Prints how long answers took, how soon sound came after an order, how
 * busy the machine was with other things and, where generations are given, how the server's memory grows over so many.
 * Usage: node dist/bench/serve.js [generations for the memory, such as 200]
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HocketClient } from "../src/server/client.js";
import { repositoryFile } from "../test/golden.js";

const generations = Number(process.argv[2] ?? 0);
const data = mkdtempSync(join(tmpdir(), "hocket-bench-"));
const child = spawn(
  process.execPath,
  [repositoryFile("bin/hocket.js"), "serve", "--port", "0", "--no-open", "--threads", "1", "--data", data],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const url = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(`${text}`.trim())));
const client = new HocketClient({ url });

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;
/** Seconds of processor time that the server has used, without the process that composes. */
const worked = () => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const rounded = (value: number) => Math.round(10 * value) / 10;

/** MiB that the server grows with a generation. */
async function memorySlope(): Promise<number> {
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024;
  const points: [number, number][] = [];
  for (let i = 0; i < generations; i++) {
    const { id } = await client.create({ prompt: `piece ${i}`, duration: 0.5, seed: i });
    for await (const event of client.events(id)) if (event.type === "done") break;
    await client.sound(id, "mp3");
    if (i >= generations / 4) points.push([i, memory()]);
  }
  const [meanX, meanY] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis]!, 0) / points.length) as [
    number,
    number,
  ];
  const slope =
    points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) /
    points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  console.log(
    `memory of the server over ${generations} generations: ${rounded(memory())} MiB, slope ${slope.toFixed(3)} MiB a generation`,
  );
  return slope;
}

console.log(`load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores before anything was asked`);
try {
  await client.finished((await client.create({ prompt: "warm up", duration: 1 })).id);
  const sound: number[] = [];
  for (let i = 0; i < 5; i++) {
    const ordered = performance.now();
    const { id } = await client.create({ prompt: `first sound ${i}`, duration: 3 });
    for await (const event of client.events(id))
      if (event.type === "audio") {
        sound.push(performance.now() - ordered);
        break;
      }
    await client.finished(id);
  }
  console.log(
    `from order to first sound: median ${rounded(quantile(sound, 0.5))} ms, of 3 s pieces with a loaded model`,
  );

  const { id } = await client.create({ prompt: "a long piece", duration: 60 });
  for await (const event of client.events(id)) if (event.type === "codes") break;
  /** What the server says of itself: how late it was since it was last asked; its answers, all and those within 5 ms. */
  const told = async () => {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
    const [late, all, quick] = [
      'hocket_event_loop_delay_seconds{quantile="0.99"}',
      "hocket_http_request_seconds_count",
      'hocket_http_request_seconds_bucket{le="0.005"}',
    ].map((name) => Number(lines.find((line) => line.startsWith(name))!.split(" ")[1])) as [number, number, number];
    return { late: 1000 * late, all, quick };
  };
  const first = await told();
  const before = worked();
  const began = performance.now();
  const stop = new AbortController();
  const took: number[] = [];
  const polling = Array.from({ length: 100 }, async (_, i) => {
    await sleep(5 * i);
    while (!stop.signal.aborted) {
      const began = performance.now();
      await client.get(id);
      took.push(performance.now() - began);
      await sleep(500);
    }
  });
  const streaming = Array.from({ length: 10 }, async () => {
    for await (const _ of client.events(id, { signal: stop.signal }));
  });
  const own: number[] = []; // what this process itself, which plays all clients, adds
  const watch = (async () => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      await sleep(20);
      own.push(performance.now() - began - 20);
    }
  })();
  await Promise.race([client.finished(id), sleep(10_000)]);
  stop.abort();
  await Promise.allSettled([...polling, ...streaming, watch]);
  const last = await told();
  const serverLate = last.late;
  const quick = (last.quick - first.quick) / (last.all - first.all);
  const share = (worked() - before) / ((performance.now() - began) / 1000);
  const done = await client.cancel(id);
  console.log(
    `status while composing (${done.state}), 100 polling and 10 streaming: ${took.length} answers, ` +
      `p50 ${rounded(quantile(took, 0.5))} ms, p99 ${rounded(quantile(took, 0.99))} ms, most ${rounded(Math.max(...took))} ms ` +
      `(late by p99: the clients' own process ${rounded(quantile(own, 0.99))} ms, the server ${rounded(serverLate)} ms; ` +
      `the server kept ${rounded(100 * share)} % of a core busy, and had ${rounded(100 * quick)} % of its answers within 5 ms)`,
  );

  const slope = generations > 0 ? await memorySlope() : undefined;
  console.log(
    JSON.stringify({
      firstSound: sound,
      p50: quantile(took, 0.5),
      p99: quantile(took, 0.99),
      serverLate,
      share,
      quick,
      slope,
    }),
  );
} finally {
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  rmSync(data, { recursive: true, force: true });
}
