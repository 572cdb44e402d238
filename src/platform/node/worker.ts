/**
 * @file The thread that computes: sessions of onnxruntime-node, whose `run` blocks the thread it is called on, and the
 * state kept beside them. Speaks the messages of runtime.ts.
 *
 * The runtime copies every output, even into buffers it is given, so a cache that came out of a step would cost its
 * whole size each time (measured: 10 to 20 times the step). Here a cache is an input, used in place; a step's outputs
 * are its new rows only, and they are appended to our own arrays.
 */

import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import { arrayFor, type DType, elementCount, type Tensor } from "../../tensor.js";
import type { Growing, SessionOptions } from "../platform.js";
import { busy, type Reply, type Request, type RunResult, stopped, type ThreadData } from "./thread-messages.js";

const { root, shared } = workerData as ThreadData;
const sessions = new Map<number, ort.InferenceSession>();
const states = new Map<number, KeptState>();
let lastId = 0;

// One after the other: nothing is disposed of, and no state grows, under a run that is still going.
let last = Promise.resolve();
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
    reply({ call: request.call, result: await answer(request, moved) }, moved);
  } catch (error) {
    reply({ call: request.call, error: error instanceof Error ? error.message : String(error) });
  }
  idle();
}

function idle(): void {
  Atomics.store(shared, busy, 0);
  Atomics.notify(shared, busy);
}

async function answer(request: Request, moved: ArrayBuffer[]): Promise<unknown> {
  switch (request.do) {
    case "create": {
      const session = await create(request.model, request.options);
      sessions.set(++lastId, session);
      return lastId;
    }
    case "open":
      states.set(++lastId, new KeptState(request.held, request.growing));
      return lastId;
    case "run": {
      const session = sessions.get(request.session);
      assert(session !== undefined, "this session has been disposed of");
      const state = request.state === undefined ? undefined : states.get(request.state);
      assert(state !== undefined || request.state === undefined, "this state has been disposed of");
      const outputs = await run(session, request.inputs, state, moved);
      for (const { data } of Object.values(request.inputs)) moved.push(data.buffer as ArrayBuffer);
      return { outputs, inputs: request.inputs } satisfies RunResult;
    }
    case "close":
      states.delete(request.id);
      await sessions.get(request.id)?.release();
      sessions.delete(request.id);
      return undefined;
  }
}

async function create(model: Uint8Array, options: SessionOptions): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: options.threads ?? 0,
    logSeverityLevel: 4, // its errors come to us as errors
    // With it, what a run needs is laid out anew, beside what the first run took: a step of training holds 1.7 times as much.
    enableMemPattern: false,
    extra: {
      session: {
        model_external_initializers_file_folder_path: root,
        disable_prepacking: options.rarely === true ? "1" : "0",
        // How long a thread without work looks for some before it sleeps. Long enough for the next operator; the runtime's own
        // patience takes the cores from whatever else runs (beside other work, a step of the codec's training took twice
        // the time).
        "intra_op.spin_duration_us": "100",
      },
    },
  });
}

async function run(
  session: ort.InferenceSession,
  inputs: Record<string, Tensor>,
  state: KeptState | undefined,
  moved: ArrayBuffer[],
): Promise<Record<string, Tensor>> {
  const feeds: Record<string, ort.Tensor> = { ...state?.tensors };
  for (const [name, tensor] of Object.entries(inputs)) {
    assert(session.inputNames.includes(name), `there is no input ${name}, there are ${some(session.inputNames)}`);
    feeds[name] = toOrt(tensor);
  }
  const outputs: Record<string, Tensor> = {};
  for (const [spelled, tensor] of Object.entries(await session.run(feeds))) {
    const name = spelled.replace(/^out:/, "");
    const value = fromOrt(tensor);
    if (state?.append(name, value) === true) continue;
    outputs[name] = value;
    moved.push(value.data.buffer as ArrayBuffer);
  }
  return outputs;
}

/** Rows of spare room that a growing tensor gains at once: copying it for every row would cost its size each time. */
const block = 64;

class KeptState {
  readonly tensors: Record<string, ort.Tensor> = {};
  readonly #growing = new Map<string, { to: string; tensor: Tensor; rows: number }>();

  constructor(held: Record<string, Tensor>, growing: readonly Growing[]) {
    for (const [name, tensor] of Object.entries(held)) this.tensors[name] = toOrt(tensor);
    for (const { input, output, dtype, shape } of growing) {
      const tensor = zeros(dtype, shape);
      this.#growing.set(output, { to: input, tensor, rows: 0 });
      this.tensors[input] = toOrt(tensor);
    }
  }

  /** Takes `rows` [B, H, S, D] if it is the output that an input grows by. */
  append(output: string, rows: Tensor): boolean {
    const grown = this.#growing.get(output);
    if (grown === undefined) return false;
    const [batch, heads, added, width] = rows.shape as [number, number, number, number];
    if (grown.rows + added > grown.tensor.shape[2]!) {
      const capacity = Math.ceil((grown.rows + added + 1) / block) * block;
      const larger = zeros(rows.dtype, [batch, heads, capacity, width]);
      copyRows(grown.tensor, 0, larger, 0, grown.rows);
      grown.tensor = larger;
      this.tensors[grown.to] = toOrt(larger);
    }
    copyRows(rows, 0, grown.tensor, grown.rows, added);
    grown.rows += added;
    return true;
  }
}

// --- internal ---

const some = (names: readonly string[]): string =>
  names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");

/** Copies `count` rows of axis 2 for every batch item and head. */
function copyRows(from: Tensor, fromRow: number, to: Tensor, toRow: number, count: number): void {
  const [batch, heads, fromRows, width] = from.shape as [number, number, number, number];
  const toRows = to.shape[2]!;
  const source = from.data as Float32Array;
  const target = to.data as Float32Array;
  for (let head = 0; head < batch * heads; head++) {
    const start = (head * fromRows + fromRow) * width;
    target.set(source.subarray(start, start + count * width), (head * toRows + toRow) * width);
  }
}

const zeros = (dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: new (arrayFor(dtype))(elementCount(shape)),
});

/** Uses the same memory. */
const toOrt = (tensor: Tensor): ort.Tensor =>
  new ort.Tensor(tensor.dtype as ort.Tensor.Type, tensor.data as never, tensor.shape);

const fromOrt = (tensor: ort.Tensor): Tensor => ({
  dtype: tensor.type as DType,
  shape: tensor.dims,
  data: tensor.data as Float32Array<ArrayBuffer>,
});
