/** @file The same work on many things, on several threads: the caller's end. task-worker.ts is the other. */

import { Worker } from "node:worker_threads";
import { HocketError } from "../../errors.js";
import type { TaskReply, TaskSetup } from "./task-worker.js";

/**
 * What the module at `module` makes of each job, in the jobs' order. Each thread imports it and calls its
 * `open(setup)` once, which returns the function for jobs. Setup, jobs and results are copied between threads.
 * @throws what a job throws first; the signal's reason. No thread is left behind.
 */
export async function* inParallel<Job, Result>(
  module: URL,
  setup: unknown,
  jobs: Iterable<Job>,
  threads: number,
  signal?: AbortSignal,
): AsyncGenerator<Result, void, undefined> {
  signal?.throwIfAborted();
  const workers = Array.from({ length: threads }, () => new TaskThread(module, setup));
  const stop = () => {
    for (const worker of workers) worker.end(signal?.reason);
  };
  signal?.addEventListener("abort", stop);
  const waiting: Promise<unknown>[] = [];
  try {
    let count = 0;
    for (const job of jobs) {
      const result = workers[count++ % threads]!.call(job);
      result.catch(() => {}); // whoever waits for it is told; others may have failed before
      waiting.push(result);
      if (waiting.length >= ahead * threads) yield (await waiting.shift()) as Result;
    }
    while (waiting.length > 0) yield (await waiting.shift()) as Result;
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

// --- internal ---

/** Jobs given to each thread before the first is waited for: a slow one holds up the others only if it takes this many. */
const ahead = 4;

class TaskThread {
  readonly #worker: Worker;
  readonly #calls: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  #ended: unknown;

  constructor(module: URL, setup: unknown) {
    this.#worker = new Worker(new URL("./task-worker.js", import.meta.url), {
      workerData: { module: module.href, setup } satisfies TaskSetup,
      execArgv: [],
    });
    this.#worker.on("message", (reply: TaskReply) => {
      const call = this.#calls.shift(); // jobs are answered in order
      if ("result" in reply) call?.resolve(reply.result);
      else call?.reject(new HocketError(reply.code, reply.message));
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new HocketError("internal", "a working thread has ended")));
  }

  call(job: unknown): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#calls.push({ resolve, reject });
      this.#worker.postMessage(job);
    });
  }

  /** Stops in the middle of whatever it does; calls that wait fail with `reason`. */
  async end(reason: unknown = new HocketError("internal", "the working threads were stopped")): Promise<void> {
    this.#fail(reason);
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#ended ??= error;
    for (const { reject } of this.#calls.splice(0)) reject(this.#ended);
  }
}
