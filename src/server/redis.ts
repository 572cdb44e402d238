/** @file What a server and its workers agree on where jobs lie in Redis: names, and the shape of what passes. */

import { deserialize, serialize } from "node:v8";
import type { Redis } from "ioredis";
import { HocketError } from "../errors.js";
import type { CrewEvent } from "./crew.js";
import type { Job } from "./jobs.js";

/** A job for whoever takes it: with the model's name, and without folders, which lie elsewhere on each machine. */
export type SentJob = Omit<Job, "model" | "folder"> & {
  readonly model: string;
  /** Where its sounds are and go; undefined: the server's folder. */
  readonly storage?: string | undefined;
};

/** What is told of a job; each time that it is begun has a name of its own. */
export interface Told {
  readonly run: string;
  readonly event: CrewEvent;
}

export const queueName = "compose";
export const prefix = "hocket";
/** Where sounds wait that are to be encoded to tokens of this key. */
export const tokensQueue = (key: string): string => `tokens-${key}`;
/** The sounds of such a job, serialized. */
export const clipsOf = (id: string): string => `${prefix}:clips:${id}`;
/** How often a job is begun again whose worker died or whose process ended. */
export const mostTries = 8;
/** The stream of what is told of a job. */
export const tellingOf = (id: string): string => `${prefix}:told:${id}`;
/** There while nobody wants the job any more. */
export const unwanted = (id: string): string => `${prefix}:unwanted:${id}`;
/** The channel on which workers hear the id of a job that nobody wants any more. */
export const cancelChannel = `${prefix}:cancel`;

/** Seconds that something is kept in Redis that nobody fetches: a server may be down for so long. */
export const keptFor = 7 * 24 * 3600;

/** Sound goes as 16-bit integers, which is how it is streamed; the exact samples lie in the file. */
export function packed({ run, event }: Told): Buffer {
  if (event.type !== "sound") return serialize({ run, event });
  const channels = event.channels.map((row) =>
    Int16Array.from(row, (x) => Math.max(-32768, Math.min(32767, Math.floor(x * 32768 + 0.5)))),
  );
  return serialize({ run, event: { ...event, channels } });
}

export function unpacked(bytes: Uint8Array): Told {
  const { run, event } = deserialize(bytes) as Told;
  if (event.type !== "sound") return { run, event };
  return { run, event: { ...event, channels: event.channels.map((row) => Float32Array.from(row, (x) => x / 32768)) } };
}

/** The packages are not everybody's: they are loaded when Redis is asked for. @throws HocketError */
export async function loadRedis(): Promise<{
  bull: typeof import("bullmq");
  Redis: typeof import("ioredis").Redis;
}> {
  try {
    const [bull, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bull, Redis };
  } catch (cause) {
    throw new HocketError("bad-request", "a queue in Redis needs two packages: npm install bullmq ioredis", { cause });
  }
}

/** @throws HocketError where no Redis answers at this address */
export async function connect(url: string, log: (line: string) => void): Promise<Redis> {
  if (!/^rediss?:\/\//.test(url))
    throw new HocketError("bad-request", "--queue: this is no address of a Redis such as redis://localhost:6379");
  const { Redis } = await loadRedis();
  const redis = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  let said = "";
  redis.on("error", (error: Error) => {
    if (error.message !== said) log(`Redis: ${error.message}`);
    said = error.message;
  });
  redis.on("ready", () => {
    said = "";
  });
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    const { message } = cause as Error;
    throw new HocketError("network", `no Redis answers at ${new URL(url).host}: ${message}`, { cause });
  }
  return redis;
}
