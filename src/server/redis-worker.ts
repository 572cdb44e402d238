/** @file A worker: takes jobs out of Redis one after the other, composes them, and tells what becomes of them. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { HocketError } from "../errors.js";
import { Engine } from "./engine.js";
import { failure, type Job, type Place } from "./jobs.js";
import { Models } from "./models.js";
import { Problem } from "./problems.js";
import {
  cancelChannel,
  connect,
  keptFor,
  loadRedis,
  packed,
  prefix,
  queueName,
  type SentJob,
  type Told,
  tellingOf,
  unwanted,
} from "./redis.js";
import { Shelf } from "./shelf.js";
import { trainedIn } from "./train-trained.js";

export interface WorkerOptions {
  /** Of the Redis. */
  readonly url: string;
  /** The folder that the server keeps its data in, as this machine sees it. */
  readonly data: string;
  readonly models: readonly Place[];
  readonly threads?: number | undefined;
  readonly log: (line: string) => void;
  /** Milliseconds without a sign of life after which a job is given to another worker. */
  readonly patience?: number;
}

export interface RunningWorker {
  /** Finishes the job at hand if it can be within so many milliseconds; else hands it back. */
  close(milliseconds: number): Promise<void>;
}

export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { url, data, threads, log, patience = 20_000 } = options;
  const { bull } = await loadRedis();
  const [redis, heard, telling] = await Promise.all([connect(url, log), connect(url, log), connect(url, log)]);
  const shelf = new Shelf(data);
  const models = new Models(options.models, () => trainedIn(data));
  const engine = new Engine({ threads, log });
  let working: string | undefined;
  let closing = false;

  await heard.subscribe(cancelChannel);
  heard.on("message", (_, id: string) => {
    if (id === working) engine.cancel(id);
  });

  const worker = new bull.Worker<SentJob>(
    queueName,
    async (sent, token) => {
      const { id, model, ...rest } = sent.data;
      const run = randomUUID();
      let told: Promise<unknown> = Promise.resolve();
      const tell = (event: Told["event"]) => {
        const pipeline = telling.pipeline().xadd(tellingOf(id), "*", "e", packed({ run, event }));
        told = pipeline.expire(tellingOf(id), keptFor).exec();
      };
      if ((await redis.exists(unwanted(id))) === 1) return;
      working = id;
      try {
        tell({ type: "begun" });
        const { place } = await models.findMusic(model);
        const job: Job = { ...rest, id, model: place, folder: await shelf.make(id) };
        let over = false;
        const lost = await engine.compose([job], (_, event) => {
          over ||= event.type === "done" || event.type === "failed";
          tell(event);
        });
        if (over || !lost) return;
        if (!closing)
          throw new Error("the process that composed it ended: the model may need more memory than there is");
        await sent.moveToDelayed(Date.now(), token);
        throw new bull.DelayedError();
      } catch (error) {
        if (!(error instanceof Problem || error instanceof HocketError)) throw error;
        tell(failure(new HocketError(error instanceof Problem ? "bad-request" : error.code, error.message)));
      } finally {
        working = undefined;
        await told;
      }
    },
    {
      connection: redis,
      prefix,
      concurrency: 1,
      lockDuration: patience,
      stalledInterval: patience / 2,
      maxStalledCount: 8,
    },
  );
  worker.on("error", () => {}); // the connection says it
  return {
    async close(milliseconds) {
      if (closing) return;
      closing = true;
      const closed = worker.close();
      await within(milliseconds, closed);
      await engine.close();
      await within(2000, closed); // Redis may be gone
      for (const each of [redis, heard, telling]) each.disconnect();
    },
  };
}

// --- internal ---

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const limit = sleep(milliseconds, undefined, { signal: late.signal }).catch(() => {});
  await Promise.race([work, limit]);
  late.abort();
}
