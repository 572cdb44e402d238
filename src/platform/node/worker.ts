/**
 * @file The thread that computes: sessions of onnxruntime-node, whose `run` blocks the thread it is called on, and the
 * state kept beside them. Speaks the messages of runtime.ts.
 *
 * A run writes its outputs into tensors that it is given, and then onnxruntime-node copies them once more, to return
 * them: a cache that is an output of a step would cost its whole size each time (measured: 10 to 20 times the step). So a
 * run that keeps its outputs in place asks, before them, for one of a kind that onnxruntime-node cannot return, and
 * nothing is copied. Should it learn to, everything would work as it does, and only be slower.
 */

import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import { arrayFor, type DType, elementCount, type Tensor } from "../../tensor.js";
import type { Kept, SessionOptions } from "../platform.js";
import { busy, type Reply, type Request, type RunResult, stopped, type ThreadData } from "./thread-messages.js";

const { root, shared } = workerData as ThreadData;
const sessions = new Map<number, ort.InferenceSession>();
const states = new Map<number, KeptState>();
let lastId = 0;

// One after the other: nothing is disposed of, and no state grows, under a run that is still going.
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
      states.set(++lastId, new KeptState(request.held, request.kept));
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
  return ort.InferenceSession.create(Buffer.concat([sequenceFirst, model]), {
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
  const feeds: Record<string, ort.Tensor> = { ...state?.inputs };
  for (const [name, tensor] of Object.entries(inputs)) {
    assert(session.inputNames.includes(name), `there is no input ${name}, there are ${some(session.inputNames)}`);
    feeds[name] = toOrt(tensor);
  }
  if (state?.writes) return state.run(session, feeds, moved);
  const wanted = session.outputNames.filter((name) => name !== sequence).map((name) => [name, null]);
  const outputs: Record<string, Tensor> = {};
  for (const [spelled, tensor] of Object.entries(await session.run(feeds, Object.fromEntries(wanted)))) {
    const value = fromOrt(tensor);
    outputs[spelled.replace(/^out:/, "")] = value;
    moved.push(value.data.buffer as ArrayBuffer);
  }
  return outputs;
}

class KeptState {
  readonly inputs: Record<string, ort.Tensor> = {};
  readonly #written: Record<string, ort.Tensor> = {};
  readonly #returned = new Map<string, Tensor>();

  constructor(held: Record<string, Tensor>, kept: readonly Kept[]) {
    for (const [name, tensor] of Object.entries(held)) this.inputs[name] = toOrt(tensor);
    for (const { input, output, dtype, shape } of kept) {
      // Memory that nobody has written costs nothing yet: the system gives it page by page.
      const tensor = { dtype, shape, data: new (arrayFor(dtype))(elementCount(shape)) };
      this.#written[`out:${output}`] = toOrt(tensor);
      if (input !== undefined) this.inputs[input] = this.#written[`out:${output}`]!;
      else this.#returned.set(output, tensor);
    }
  }

  get writes(): boolean {
    return Object.keys(this.#written).length > 0;
  }

  async run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>, moved: ArrayBuffer[]) {
    const missing = Object.keys(this.#written).find((name) => !session.outputNames.includes(name));
    assert(missing === undefined, `there is no output ${missing}, there are ${some(session.outputNames)}`);
    try {
      await session.run(feeds, { [sequence]: null, ...this.#written });
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("Non tensor type"))) throw error;
    }
    const copies = [...this.#returned].map(
      ([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }] as const,
    );
    for (const [, { data }] of copies) moved.push(data.buffer as ArrayBuffer);
    return Object.fromEntries(copies) as Record<string, Tensor>;
  }
}

// --- internal ---

const some = (names: readonly string[]): string =>
  names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");

const sequence = "a sequence";

/**
 * The beginning of an ONNX file: a graph with `sequence` as its first output. Protobuf joins the fields of a message that
 * comes in two parts, so any other file may follow. Source: onnx.proto3 of the ONNX project.
 */
const sequenceFirst = (() => {
  const field = (number: number, ...value: number[]) => [number * 8 + 2, value.length, ...value];
  const text = (number: number, value: string) => field(number, ...Buffer.from(value));
  const elements = field(1, ...field(1, 8, 1)); // tensors of float32
  const output = [...text(1, sequence), ...field(2, ...field(4, ...elements))];
  const node = [...text(2, sequence), ...text(4, "SequenceEmpty")];
  return Uint8Array.from(field(7, ...field(1, ...node), ...field(12, ...output)));
})();

/** Uses the same memory. */
const toOrt = (tensor: Tensor): ort.Tensor =>
  new ort.Tensor(tensor.dtype as ort.Tensor.Type, tensor.data as never, tensor.shape);

const fromOrt = (tensor: ort.Tensor): Tensor => ({
  dtype: tensor.type as DType,
  shape: tensor.dims,
  data: tensor.data as Float32Array<ArrayBuffer>,
});
