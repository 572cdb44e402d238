/**
 * @file Sounds encoded by workers: each batch is a job in Redis, with its sounds beside it, and whichever worker has the
 * codec takes it. One that dies leaves it to another.
 */

import { randomUUID } from "node:crypto";
import { serialize } from "node:v8";
import { codes } from "../codes.js";
import type { Encoder } from "../data/tokenize.js";
import { HocketError } from "../errors.js";
import { clipsOf, connect, loadRedis, mostTries, prefix, tokensQueue } from "./redis.js";

export interface RedisEncoder extends Encoder {
  /** How many workers wait for sounds of this codec. */
  workers(): Promise<number>;
  /** Takes back what nobody has begun. */
  close(): Promise<void>;
}

/** @param key of the codec's tokens */
export async function openRedisEncoder(url: string, key: string, log: (line: string) => void): Promise<RedisEncoder> {
  const { bull } = await loadRedis();
  const [redis, heard] = await Promise.all([connect(url, log), connect(url, log)]);
  const queue = new bull.Queue(tokensQueue(key), { connection: redis, prefix });
  const events = new bull.QueueEvents(tokensQueue(key), { connection: heard, prefix });
  queue.on("error", () => {}); // the connections say it
  events.on("error", () => {});
  for (const each of [queue, events]) each.setMaxListeners(0); // one for each batch that is away
  const underway = new Set<string>();
  await events.waitUntilReady();
  return {
    ahead: batchesAhead,

    async encode(clips, signal) {
      signal?.throwIfAborted();
      const id = randomUUID();
      underway.add(id);
      await redis.set(clipsOf(id), serialize(clips), "EX", keptFor);
      const job = await queue.add(
        "tokens",
        {},
        { jobId: id, attempts: mostTries, removeOnComplete: kept, removeOnFail: kept },
      );
      const grids = (await untilDone(job.waitUntilFinished(events), signal)) as number[][][];
      underway.delete(id);
      await redis.del(clipsOf(id));
      return grids.map((rows) => codes(rows.map((row) => Int32Array.from(row))));
    },

    workers: () => queue.getWorkersCount(),

    async close() {
      for (const id of underway) {
        await queue.remove(id).catch(() => {}); // a worker has it: nobody waits for what it makes
        await redis.del(clipsOf(id)).catch(() => {});
      }
      await Promise.all([queue.close(), events.close()]);
      for (const each of [redis, heard]) each.disconnect();
    },
  };
}

// --- internal ---

/** Enough for a few workers to have the next when they are done with one: of a few megabytes each. */
const batchesAhead = 16;

/** Seconds that sounds and codes are kept which nobody fetches. */
const keptFor = 24 * 3600;
const kept = { age: 3600 };

async function untilDone(done: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  done.catch(() => {}); // it may fail after nobody waits any more
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason);
    signal?.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([done, stopped]);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    const { message } = cause as Error;
    throw new HocketError("internal", `workers could not encode a batch, tried up to ${mostTries} times: ${message}`, {
      cause,
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
