/** @file A worker: takes jobs out of Redis one after the other, composes them, and tells what becomes of them. It encodes, too. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job as BullJob, WorkerOptions as BullWorkerOptions } from "bullmq";
import type { Redis } from "ioredis";
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
  mostTries,
  packed,
  prefix,
  queueName,
  type SentJob,
  type Told,
  tellingOf,
  unwanted,
} from "./redis.js";
import { startEncoding } from "./redis-tokens.js";
import type { Storage } from "./s3.js";
import { codesFile, givenFile, pieceFile, regionFile, Shelf } from "./shelf.js";
import { trainedIn } from "./train-trained.js";

export interface WorkerOptions {
  /** Of the Redis. */
  readonly url: string;
  /**
   * The folder that the server keeps its data in, as this machine sees it; with a storage, one of the worker's own. Without
   * it, nothing is composed, and sounds are encoded.
   */
  readonly data?: string | undefined;
  /** The server's. */
  readonly storage?: Storage | undefined;
  readonly models: readonly Place[];
  /** Codecs to encode with, besides those of the models. */
  readonly codecs?: readonly Place[] | undefined;
  readonly threads?: number | undefined;
  readonly log: (line: string) => void;
  /** Milliseconds without a sign of life after which a job is given to another worker. */
  readonly patience?: number;
}

/** What the parts of a worker have in common. */
export interface AtWork {
  readonly options: WorkerOptions;
  readonly redis: Redis;
  readonly heard: Redis;
  readonly telling: Redis;
  readonly engine: Engine;
  readonly settings: BullWorkerOptions;
  /** Gives a job back that this worker does not finish, and throws. */
  readonly handBack: (sent: BullJob, token: string | undefined) => Promise<never>;
  readonly closing: () => boolean;
}

export interface RunningWorker {
  /** Finishes the job at hand if it can be within so many milliseconds; else hands it back. */
  close(milliseconds: number): Promise<void>;
}

export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { url, threads, log, patience = 20_000 } = options;
  const { bull } = await loadRedis();
  const [redis, heard, telling] = await Promise.all([connect(url, log), connect(url, log), connect(url, log)]);
  const engine = new Engine({ threads, log });
  let closing = false;
  const handBack = async (sent: BullJob, token: string | undefined): Promise<never> => {
    await sent.moveToDelayed(Date.now(), token);
    throw new bull.DelayedError();
  };
  const at = {
    options,
    redis,
    heard,
    telling,
    engine,
    settings: {
      connection: redis,
      prefix,
      concurrency: 1,
      lockDuration: patience,
      stalledInterval: patience / 2,
      maxStalledCount: mostTries,
    },
    handBack,
    closing: () => closing,
  };
  const workers = [...(await startEncoding(at)), ...(await startComposing(at))];
  return {
    async close(milliseconds) {
      if (closing) return;
      closing = true;
      const closed = Promise.all(workers.map((each) => each.close()));
      await within(milliseconds, closed);
      await engine.close();
      await within(2000, closed); // Redis may be gone
      for (const each of [redis, heard, telling]) each.disconnect();
    },
  };
}

// --- internal ---

async function startComposing({ options, redis, heard, telling, engine, settings, handBack, closing }: AtWork) {
  const { data, storage } = options;
  if (data === undefined) return [];
  const { bull } = await loadRedis();
  const shelf = new Shelf(data, storage);
  const models = new Models(options.models, () => trainedIn(data));
  let working: string | undefined;
  await heard.subscribe(cancelChannel);
  heard.on("message", (_, id: string) => {
    if (id === working) engine.cancel(id);
  });
  const worker = new bull.Worker<SentJob>(
    queueName,
    async (sent, token) => {
      const { id, model, storage: wanted, ...rest } = sent.data;
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
        if (wanted !== storage?.name) throw misplaced(wanted, storage?.name);
        const { place } = await models.findMusic(model);
        const job: Job = { ...rest, id, model: place, folder: await shelf.make(id) };
        for (const given of rest.given) await shelf.here(givenFile(job.folder, given));
        if (rest.region !== undefined) await shelf.here(regionFile(job.folder));
        let over = false;
        let done: Told["event"] | undefined;
        const lost = await engine.compose([job], (_, event) => {
          over ||= event.type === "done" || event.type === "failed";
          if (event.type === "done") done = event;
          else tell(event);
        });
        if (done !== undefined) {
          for (const i of rest.pieces.keys()) await shelf.share(pieceFile(job.folder, i));
          await shelf.share(codesFile(job.folder));
          tell(done); // only now: whoever hears it looks for them
        }
        const deleted = storage !== undefined && (await redis.exists(unwanted(id))) === 1; // while it was put there
        if (deleted) await shelf.withdraw(id, rest.pieces.length);
        if (over || !lost) return;
        if (!closing())
          throw new Error("the process that composed it ended: the model may need more memory than there is");
        await handBack(sent, token);
      } catch (error) {
        const code = error instanceof Problem ? "bad-request" : error instanceof HocketError ? error.code : "internal";
        if (code === "internal" || code === "network") throw error; // another try may do better
        tell(failure(new HocketError(code, (error as Error).message)));
      } finally {
        working = undefined;
        if (storage !== undefined) await shelf.remove(id);
        await told;
      }
    },
    settings,
  );
  worker.on("error", () => {}); // the connection says it
  return [worker];
}

const misplaced = (wanted: string | undefined, own: string | undefined): HocketError =>
  new HocketError(
    "bad-request",
    `the server keeps sounds in ${wanted ?? "a folder"}, and the worker that took this in ${own ?? "a folder"}: give both the same --storage`,
  );

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const limit = sleep(milliseconds, undefined, { signal: late.signal }).catch(() => {});
  await Promise.race([work, limit]);
  late.abort();
}
