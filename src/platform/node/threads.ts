/** @file Work on many things by several threads: a function of a module, called once for each. */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type ResourceLimits, Worker } from "node:worker_threads";
import { type ErrorCode, HocketError } from "../../errors.js";

/** What a thread is told, and what it answers. */
export interface ThreadTask {
  readonly module: string;
  readonly name: string;
}
export type TaskReply =
  | { readonly done: unknown }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

/**
 * What `name` of `module` makes of each item, in their order; an item for which it throws is an error, and no end. Stopping
 * early ends the threads; they work only a little ahead of what is asked for.
 * @param limits of each thread's memory: beyond them it ends, which is an error of what it was at work on
 * @param module the URL of a module that exports the function under that name; items and results are copied
 * @throws the signal's reason, without waiting for what is at work
 */
export async function* inThreads<T, R>(
  module: URL,
  name: string,
  items: readonly T[],
  threads: number,
  signal?: AbortSignal,
  limits: ResourceLimits = {},
): AsyncGenerator<{ readonly item: T; readonly result: R | HocketError }> {
  const task: ThreadTask = { module: module.href, name };
  const settle: ((result: R | HocketError) => void)[] = [];
  const results = new Map(
    items.map((_, i) => [i, new Promise<R | HocketError>((resolve) => (settle[i] = resolve))] as const),
  );
  let [next, taken] = [0, 0];
  let stopped = false;
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const at = new Map<Worker, number>();

  /** Idle threads take what is next, up to some items before those that are asked for. */
  const feed = (): void => {
    while (idle.length > 0 && !stopped && next < Math.min(items.length, taken + ahead * threads)) {
      const worker = idle.pop()!;
      at.set(worker, next);
      worker.postMessage(items[next++]);
    }
  };
  const start = (): void => {
    const worker = new Worker(entry, { workerData: task, resourceLimits: limits });
    workers.add(worker);
    idle.push(worker);
    const answered = (result: R | HocketError) => settle[at.get(worker) ?? -1]?.(result);
    worker.on("message", (reply: TaskReply) => {
      answered("done" in reply ? (reply.done as R) : new HocketError(reply.failed.code, reply.failed.message));
      idle.push(worker);
      feed();
    });
    worker.on("error", (cause) => {
      answered(new HocketError("internal", `the thread at work on it ended: ${cause.message}`, { cause }));
    });
    worker.on("exit", () => {
      answered(new HocketError("internal", "the thread at work on it ended"));
      workers.delete(worker);
      if (stopped || next >= items.length) return;
      start(); // in its place
      feed();
    });
  };
  const abort = (): void => {
    for (const each of settle) each(new HocketError("internal", "the work was stopped"));
  };
  signal?.addEventListener("abort", abort);
  for (let i = 0; i < Math.min(threads, items.length); i++) start();
  feed();
  try {
    for (const [i, item] of items.entries()) {
      const result = await results.get(i)!;
      signal?.throwIfAborted();
      results.delete(i); // thousands of them do not fit
      taken = i + 1;
      feed();
      yield { item, result };
    }
  } finally {
    stopped = true;
    signal?.removeEventListener("abort", abort);
    await Promise.all([...workers].map((worker) => worker.terminate()));
  }
}

/** How many threads this machine runs at a time. */
export const threadsAtOnce = (): number => availableParallelism();

// --- internal ---

/** Items for each thread that may be done before they are asked for. */
const ahead = 4;

const entry = fileURLToPath(new URL("./thread-task.js", import.meta.url));
