/** @file Work on many things by several threads: a function of a module, called once for each. */

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
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
 * early ends the threads.
 * @param module the URL of a module that exports the function under that name; items and results are copied
 * @throws the signal's reason, without waiting for what is at work
 */
export async function* inThreads<T, R>(
  module: URL,
  name: string,
  items: readonly T[],
  threads: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly item: T; readonly result: R | HocketError }> {
  const task: ThreadTask = { module: module.href, name };
  const settle: ((result: R | HocketError) => void)[] = [];
  const results = new Map(
    items.map((_, i) => [i, new Promise<R | HocketError>((resolve) => (settle[i] = resolve))] as const),
  );
  let next = 0;
  let stopped = false;
  const workers = new Set<Worker>();

  /** A thread takes what is next until nothing is left; if one dies, another takes its place. */
  const start = (): void => {
    if (next >= items.length || stopped) return;
    const worker = new Worker(entry, { workerData: task });
    workers.add(worker);
    let at = next++;
    worker.postMessage(items[at]);
    worker.on("message", (reply: TaskReply) => {
      settle[at]!("done" in reply ? (reply.done as R) : new HocketError(reply.failed.code, reply.failed.message));
      if (next < items.length && !stopped) {
        at = next++;
        worker.postMessage(items[at]);
      } else void worker.terminate();
    });
    worker.on("error", (cause) => {
      settle[at]!(new HocketError("internal", `the thread at work on it ended: ${cause.message}`, { cause }));
    });
    worker.on("exit", () => {
      workers.delete(worker);
      settle[at]!(new HocketError("internal", "the thread at work on it ended"));
      start();
    });
  };
  const abort = (): void => {
    for (const each of settle) each(new HocketError("internal", "the work was stopped"));
  };
  signal?.addEventListener("abort", abort);
  for (let i = 0; i < threads; i++) start();
  try {
    for (const [i, item] of items.entries()) {
      const result = await results.get(i)!;
      signal?.throwIfAborted();
      results.delete(i); // thousands of them do not fit
      yield { item, result };
    }
  } finally {
    stopped = true;
    signal?.removeEventListener("abort", abort);
    await Promise.all([...workers].map((worker) => worker.terminate()));
  }
}

// --- internal ---

const entry = fileURLToPath(new URL("./thread-task.js", import.meta.url));
