/** @file What a thread or a process that computes does: sessions of onnxruntime-node, and the state kept beside them. */

import * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import type { Tensor } from "../../tensor.js";
import type { Device, Kept, SessionOptions } from "../platform.js";
import { fromOrt, type KeptState, named, some, toOrt } from "./kept.js";
import { InMemory, sequence, sequenceFirst } from "./kept-in-memory.js";
import { OnDevice, Placing } from "./kept-on-device.js";
import type { Request, RunResult } from "./thread-messages.js";

export class Computing {
  readonly #sessions = new Map<number, ort.InferenceSession>();
  readonly #states = new Map<number, KeptState>();
  readonly #placing = new Placing();
  #lastId = 0;

  /** @param root the folder that the paths of weights start from */
  constructor(
    readonly root: string,
    readonly device: Device,
  ) {}

  /**
   * @param moved gets the memory of the answer, which need not be copied: nothing here uses it again. Without, all is
   *   copied, and inputs do not go back
   */
  async answer(request: Request, moved?: ArrayBuffer[]): Promise<unknown> {
    switch (request.do) {
      case "create": {
        const session = await this.#create(request.model, request.options);
        this.#sessions.set(++this.#lastId, session);
        return this.#lastId;
      }
      case "open":
        this.#states.set(++this.#lastId, await this.#open(request.held, request.kept));
        return this.#lastId;
      case "run": {
        const session = this.#sessions.get(request.session);
        assert(session !== undefined, "this session has been disposed of");
        const state = request.state === undefined ? undefined : this.#states.get(request.state);
        assert(state !== undefined || request.state === undefined, "this state has been disposed of");
        const outputs = await run(session, request.inputs, state);
        const inputs = moved === undefined ? {} : request.inputs;
        for (const { data } of [outputs, inputs].flatMap((some) => Object.values(some)))
          moved?.push(data.buffer as ArrayBuffer);
        return { outputs, inputs } satisfies RunResult;
      }
      case "find": // a GPU, by computing on it
        return (await this.#placing.place({ dtype: "float32", shape: [], data: Float32Array.of(0) })).dispose();
      case "close":
        this.#states.get(request.id)?.dispose();
        this.#states.delete(request.id);
        await this.#sessions.get(request.id)?.release();
        this.#sessions.delete(request.id);
        return undefined;
    }
  }

  async #create(model: Uint8Array, options: SessionOptions): Promise<ort.InferenceSession> {
    const whole = this.device === "webgpu" ? model : Buffer.concat([sequenceFirst, model]);
    return ort.InferenceSession.create(whole, {
      executionProviders: [this.device],
      intraOpNumThreads: options.threads ?? 0,
      logSeverityLevel: 4, // its errors come to us as errors
      // With it, what a run needs is laid out anew, beside what the first run took: a step of training holds 1.7 times as much.
      enableMemPattern: false,
      extra: {
        session: {
          model_external_initializers_file_folder_path: this.root,
          disable_prepacking: options.rarely === true ? "1" : "0",
          // How long a thread without work looks for some before it sleeps. Long enough for the next operator; the runtime's own
          // patience takes the cores from whatever else runs (beside other work, a step of the codec's training took twice
          // the time).
          "intra_op.spin_duration_us": "100",
        },
      },
    });
  }

  async #open(held: Record<string, Tensor>, kept: readonly Kept[]): Promise<KeptState> {
    return this.device === "webgpu" ? OnDevice.open(this.#placing, held, kept) : new InMemory(held, kept);
  }
}

// --- internal ---

async function run(
  session: ort.InferenceSession,
  inputs: Record<string, Tensor>,
  state: KeptState | undefined,
): Promise<Record<string, Tensor>> {
  const feeds: Record<string, ort.Tensor> = { ...state?.inputs };
  for (const [name, tensor] of Object.entries(inputs)) {
    assert(session.inputNames.includes(name), `there is no input ${name}, there are ${some(session.inputNames)}`);
    feeds[name] = toOrt(tensor);
  }
  if (state?.writes) return state.run(session, feeds);
  const wanted = session.outputNames.filter((name) => name !== sequence).map((name) => [name, null]);
  const outputs = await session.run(feeds, Object.fromEntries(wanted));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [named(name), fromOrt(tensor)]));
}
