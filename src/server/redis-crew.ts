/**
 * @file Who composes, where that is any number of workers on any machines: jobs wait in Redis (BullMQ keeps them, locks them
 * and gives them to another when a worker dies), and what is told of them comes back by a stream for each.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Job as BullJob, Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import type { Crew, CrewOptions } from "./crew.js";
import type { Job } from "./jobs.js";
import {
  cancelChannel,
  connect,
  keptFor,
  loadRedis,
  mostTries,
  prefix,
  queueName,
  type SentJob,
  tellingOf,
  unpacked,
  unwanted,
} from "./redis.js";

interface Followed {
  readonly client: string;
  /** What was heard last. */
  place: string;
  /** The last time that it was begun. */
  run: string | undefined;
}

export interface RedisOptions extends Omit<CrewOptions, "together"> {
  readonly url: string;
  /** The name of where sounds go; undefined: a folder that all see. */
  readonly storage: string | undefined;
  readonly log: (line: string) => void;
}

export class RedisCrew implements Crew {
  readonly #followed = new Map<string, Followed>();
  #closing = false;
  #reading: Promise<void>;
  #readerId: Promise<number>;

  private constructor(
    readonly options: RedisOptions,
    readonly redis: Redis,
    readonly reader: Redis,
    readonly queue: Queue<SentJob>,
    readonly events: Redis,
    readonly failures: QueueEvents,
  ) {
    this.#readerId = reader.client("ID");
    this.#reading = this.#read();
    // Told where no worker is left to tell it.
    failures.on("failed", ({ jobId, failedReason }) => {
      const message = `${failedReason}; it was tried ${mostTries} times`;
      if (this.#followed.delete(jobId)) options.onEvent(jobId, { type: "failed", code: "internal", message });
    });
  }

  static async open(options: RedisOptions): Promise<RedisCrew> {
    const { url, log } = options;
    const { bull } = await loadRedis();
    const redis = await connect(url, log);
    const [reader, events] = await Promise.all([connect(url, log), connect(url, log)]);
    const queue = new bull.Queue<SentJob>(queueName, { connection: redis, prefix });
    const failures = new bull.QueueEvents(queueName, { connection: events, prefix });
    queue.on("error", () => {}); // the connections say it
    failures.on("error", () => {});
    return new RedisCrew(options, redis, reader, queue, events, failures);
  }

  async submit(client: string, job: Job): Promise<void> {
    const rank = this.waitingOf(client) + 1;
    this.#followed.set(job.id, { client, place: "0", run: undefined });
    this.#send(rank, job).catch((error: Error) => {
      if (!this.#closing) this.options.onEvent(job.id, { type: "failed", code: "network", message: error.message });
    });
  }

  async cancel(id: string): Promise<void> {
    this.#followed.delete(id);
    await this.redis.set(unwanted(id), "1", "EX", keptFor);
    await this.redis.publish(cancelChannel, id);
    await this.queue.remove(id).catch(() => {}); // a worker has it, and heard it
    await this.redis.del(tellingOf(id));
  }

  /** Others wait there too. */
  position(): undefined {
    return undefined;
  }

  waiting(): number {
    return [...this.#followed.values()].filter(({ run }) => run === undefined).length;
  }

  waitingOf(client: string): number {
    return [...this.#followed.values()].filter((each) => each.client === client && each.run === undefined).length;
  }

  /** The workers go on. */
  async close(): Promise<void> {
    this.#closing = true;
    this.reader.disconnect();
    await this.#reading;
    await Promise.race([Promise.all([this.failures.close(), this.queue.close()]), sleep(1000)]); // Redis may be gone
    for (const each of [this.redis, this.events]) each.disconnect();
  }

  /**
   * Clients take turns: the nth waiting job of each comes before the next of any. What is there already, sent before this
   * server was started again, stays as it is.
   */
  async #send(rank: number, { model, folder: _, ...job }: Job): Promise<void> {
    const { id } = job;
    const add = () =>
      this.queue.add(
        queueName,
        { ...job, model: model.name, storage: this.options.storage },
        {
          jobId: id,
          priority: Math.min(rank, 2 ** 20),
          attempts: mostTries,
          removeOnComplete: { age: keptFor },
          removeOnFail: { age: keptFor },
        },
      );
    const known: BullJob<SentJob> = await add();
    const state = await known.getState();
    const told = (await this.redis.exists(tellingOf(id))) === 1;
    if (state === "failed" || (state === "completed" && !told)) {
      await known.remove();
      await add();
    }
    await this.#wake();
  }

  /** The reader waits for what it knows of; it is to look again. */
  async #wake(): Promise<void> {
    await this.redis.client("UNBLOCK", await this.#readerId).catch(() => {});
  }

  async #read(): Promise<void> {
    while (!this.#closing) this.#hear(await this.#news());
  }

  /** What was told since. A line that is cut is said by its connection, and tried again. */
  async #news(): Promise<Answer> {
    const places = [...this.#followed.values()].map(({ place }) => place);
    const keys = [...this.#followed.keys()].map(tellingOf);
    try {
      if (keys.length > 0)
        return await this.reader.xreadBuffer("COUNT", 256, "BLOCK", 1000, "STREAMS", ...keys, ...places);
      await this.reader.blpop(`${prefix}:nothing`, 1);
    } catch {
      if (!this.#closing) await sleep(500);
    }
    return null;
  }

  #hear(answer: Answer): void {
    for (const [key, entries] of answer ?? []) {
      const id = `${key}`.slice(tellingOf("").length);
      for (const [place, [, bytes]] of entries) {
        const followed = this.#followed.get(id);
        if (followed === undefined) break;
        followed.place = `${place}`;
        const { run, event } = unpacked(bytes!);
        if (event.type === "begun") followed.run = run;
        if (run !== followed.run) continue; // of a worker that was thought dead, and is not
        const over = event.type === "done" || event.type === "failed";
        if (over) this.#followed.delete(id);
        this.options.onEvent(id, event);
        if (over) void this.redis.del(tellingOf(id)).catch(() => {});
      }
    }
  }
}

// --- internal ---

/** Of each stream: its name, and places with [field, value]. */
type Answer = Awaited<ReturnType<Redis["xreadBuffer"]>>;
