/** @file A thread that works for parallel.ts: opens the module it is told to, and answers jobs one after the other. */

import { parentPort, workerData } from "node:worker_threads";
import { type ErrorCode, HocketError } from "../../errors.js";

export interface TaskSetup {
  /** The address of a module that exports `open`. */
  readonly module: string;
  readonly setup: unknown;
}

export type TaskReply = { readonly result: unknown } | { readonly code: ErrorCode; readonly message: string };

type Work = (job: unknown) => unknown;

const { module, setup } = workerData as TaskSetup;
const opened = import(module).then(({ open }: { open(setup: unknown): Promise<Work> }) => open(setup));
opened.catch(() => {}); // said in answer to the first job

let last: Promise<void> = Promise.resolve();
parentPort!.on("message", (job: unknown) => {
  last = last.then(async () => parentPort!.postMessage(await answer(job)));
});

async function answer(job: unknown): Promise<TaskReply> {
  try {
    return { result: await (await opened)(job) };
  } catch (error) {
    const [code, message] =
      error instanceof HocketError ? [error.code, error.message] : ["internal" as const, `${error}`];
    return { code, message };
  }
}
