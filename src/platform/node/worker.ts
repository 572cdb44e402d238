/** @file The thread that computes on the processor: onnxruntime-node blocks the thread it is called on. */

import { parentPort, workerData } from "node:worker_threads";
import { Computing } from "./computing.js";
import { busy, type Reply, type Request, stopped, type ThreadData } from "./thread-messages.js";

const { root, shared } = workerData as ThreadData;
const computing = new Computing(root, "cpu");

// One after the other: nothing is disposed of, and no state is written, under a run that is still going.
let last = Promise.resolve();
idle(); // loading the runtime is over
parentPort!.on("message", (request: Request | "end") => {
  if (request === "end") process.exit(); // this thread
  last = last.then(() => serve(request));
});

async function serve(request: Request): Promise<void> {
  const reply = (message: Reply, moved?: ArrayBuffer[]) => parentPort!.postMessage(message, moved);
  const moved: ArrayBuffer[] = [];
  Atomics.store(shared, busy, 1);
  if (Atomics.load(shared, stopped) === 1) return idle();
  try {
    reply({ call: request.call, result: await computing.answer(request, moved) }, moved);
  } catch (error) {
    reply({ call: request.call, error: error instanceof Error ? error.message : String(error) });
  }
  idle();
}

function idle(): void {
  Atomics.store(shared, busy, 0);
  Atomics.notify(shared, busy);
}
