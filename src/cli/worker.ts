/** @file `hocket worker`: composes for servers on other machines, or beside one on this. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HocketError } from "../errors.js";
import type { Command } from "./command.js";
import { loraOption, modelOption } from "./models.js";
import { say } from "./report.js";
import { placesFrom, storageFrom, storageOption } from "./serve.js";
import { threadsFrom, threadsOption } from "./threads.js";

/** Seconds in which a job may still be finished after a Ctrl-C. */
const grace = 10;

export const workerCommand: Command = {
  name: "worker",
  summary: "compose for 'hocket serve --queue'",
  options: {
    queue: { kind: "text", value: "URL", help: "of the Redis, such as redis://localhost:6379" },
    data: { kind: "text", value: "DIR", help: "the server's --data folder, as this machine sees it" },
    storage: storageOption,
    model: modelOption,
    lora: loraOption,
    threads: threadsOption,
  },
  examples: [
    "hocket worker --queue redis://localhost:6379 --data /mnt/hocket --model facebook/musicgen-small",
    "hocket worker --queue redis://localhost:6379 --storage s3://bucket/hocket",
  ],
  patience: grace + 10,
  async run(given, signal) {
    const [url, data] = [given.text("queue"), given.text("data")];
    if (url === undefined) throw new HocketError("bad-request", "--queue: name the Redis that the server uses");
    if ((data === undefined) === (given.text("storage") === undefined))
      throw new HocketError(
        "bad-request",
        "name either --data, the folder that the server keeps its data in, or --storage, if it was started with one",
      );
    const { threads } = threadsFrom(given);
    const storage = await storageFrom(given);
    const { places } = await placesFrom(given, signal);
    const { startWorker } = await import("../server/redis-worker.js");
    const passing = data ?? (await mkdtemp(join(tmpdir(), "hocket-worker-")));
    try {
      const worker = await startWorker({ url, data: passing, storage, models: places, threads, log: say });
      say("waiting for work (Ctrl-C ends it)");
      await new Promise<void>((resolve) =>
        signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()),
      );
      await worker.close(1000 * grace);
    } finally {
      if (data === undefined) await rm(passing, { recursive: true, force: true });
    }
  },
};
