/** @file What a thread or a process that computes does: sessions of onnxruntime-node, and the state kept beside them. */

import * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import type { Tensor } from "../../tensor.js";
import type { Device, Kept, SessionOptions } from "../platform.js";
import { fromOrt, type KeptState, named, some, toOrt } from "./kept.js";
import { InMemory, sequence, sequenceFirst } from "./kept-in-memory.js";
import { OnDevice, Placing } from "./kept-on-device.js";
import { Residents } from "./residents.js";
import type { Request, RunResult } from "./thread-messages.js";

export class Computing {
  readonly #sessions = new Map<number, ort.InferenceSession>();
  readonly #states = new Map<number, KeptState>();
  readonly #placing = new Placing();
  readonly #residents: Residents;
  #lastId = 0;

  /** @param root the folder that the paths of weights start from */
  constructor(
    readonly root: string,
    readonly device: Device,
  ) {
    this.#residents = new Residents(() => ++this.#lastId, device === "webgpu" ? this.#placing : undefined);
  }

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
      case "run":
      case "leave": {
        const session = this.#sessions.get(request.session);
        assert(session !== undefined, "this session has been disposed of");
        const there = Object.entries(request.residents).map(([name, id]) => [name, this.#residents.get(id)] as const);
        const feeds = fed(session, request.inputs, Object.fromEntries(there));
        const made =
          request.do === "leave"
            ? await this.#residents.run(session, feeds, request.wanted)
            : { outputs: await run(session, feeds, this.#stateOf(request.state)), stayed: {} };
        const inputs = moved === undefined ? {} : request.inputs;
        for (const { data } of [made.outputs, inputs].flatMap((some) => Object.values(some)))
          moved?.push(data.buffer as ArrayBuffer);
        return { ...made, inputs } satisfies RunResult;
      }
      case "place":
        return this.#residents.place(request.tensor);
      case "read": {
        const tensor = await this.#residents.read(request.id);
        moved?.push(tensor.data.buffer as ArrayBuffer);
        return tensor;
      }
      case "release":
        return this.#residents.release(request.ids);
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

  #stateOf(id: number | undefined): KeptState | undefined {
    const state = id === undefined ? undefined : this.#states.get(id);
    assert(state !== undefined || id === undefined, "this state has been disposed of");
    return state;
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

function fed(
  session: ort.InferenceSession,
  inputs: Record<string, Tensor>,
  residents: Record<string, ort.Tensor>,
): Record<string, ort.Tensor> {
  const numbers = Object.entries(inputs).map(([name, tensor]) => [name, toOrt(tensor)] as const);
  const feeds = { ...residents, ...Object.fromEntries(numbers) };
  const names = new Set(session.inputNames);
  const wrong = Object.keys(feeds).find((name) => !names.has(name));
  assert(wrong === undefined, `there is no input ${wrong}, there are ${some(session.inputNames)}`);
  return feeds;
}

async function run(
  session: ort.InferenceSession,
  given: Record<string, ort.Tensor>,
  state: KeptState | undefined,
): Promise<Record<string, Tensor>> {
  const feeds = { ...state?.inputs, ...given };
  if (state?.writes) return state.run(session, feeds);
  const wanted = session.outputNames.filter((name) => name !== sequence).map((name) => [name, null]);
  const outputs = await session.run(feeds, Object.fromEntries(wanted));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [named(name), fromOrt(tensor)]));
}
