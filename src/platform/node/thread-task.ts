/** @file What a thread of threads.ts runs: the function it was told of, for one item after the other. */

import { parentPort, workerData } from "node:worker_threads";
import { HocketError } from "../../errors.js";
import type { TaskReply, ThreadTask } from "./threads.js";

const { module, name } = workerData as ThreadTask;
const reply = (message: TaskReply) => parentPort!.postMessage(message);

parentPort!.on("message", async (item: unknown) => {
  try {
    const { [name]: work } = (await import(module)) as Record<string, (item: unknown) => unknown>;
    reply({ done: await work!(item) });
  } catch (error) {
    const code = error instanceof HocketError ? error.code : "internal";
    reply({ failed: { code, message: error instanceof Error ? error.message : String(error) } });
  }
});
