/**
 * @file State of sessions in a GPU's memory, by WebGPU. A tensor there may be given to a run both to read and to write: the
 * keys and values that attention adds to are never copied. onnxruntime-node (1.30) takes such outputs only in sessions
 * without preferred places for them, and cannot make a tensor there but as the output of a session: so it is placed by one
 * that does nothing else. Reading such a tensor from JavaScript would end the process.
 */

import * as ort from "onnxruntime-node";
import { arrayFor, type DType, elementCount, type Tensor } from "../../tensor.js";
import type { Kept } from "../platform.js";
import { checkOutputs, fromOrt, type KeptState, spelled, toOrt } from "./kept.js";
import type { Memory } from "./residents.js";

export class OnDevice implements KeptState {
  readonly inputs: Record<string, ort.Tensor> = {};
  readonly #fetches: Record<string, ort.Tensor | null> = {};
  readonly #returned: string[] = [];

  static async open(placing: Placing, held: Record<string, Tensor>, kept: readonly Kept[]): Promise<OnDevice> {
    const state = new OnDevice();
    try {
      for (const [name, tensor] of Object.entries(held)) state.inputs[name] = await placing.place(tensor);
      for (const { input, output, dtype, shape } of kept) {
        if (input === undefined) state.#returned.push(output);
        else {
          const zeros = { dtype, shape, data: new (arrayFor(dtype))(elementCount(shape)) };
          state.inputs[input] = await placing.place(zeros);
        }
        state.#fetches[spelled(output)] = input === undefined ? null : state.inputs[input]!;
      }
    } catch (error) {
      state.dispose();
      throw error;
    }
    return state;
  }

  get writes(): boolean {
    return Object.keys(this.#fetches).length > 0;
  }

  async run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<Record<string, Tensor>> {
    checkOutputs(session, Object.keys(this.#fetches));
    const outputs = await session.run(feeds, this.#fetches);
    return Object.fromEntries(this.#returned.map((name) => [name, fromOrt(outputs[spelled(name)]!)]));
  }

  dispose(): void {
    for (const tensor of Object.values(this.inputs)) tensor.dispose();
  }
}

/** Puts tensors into a GPU's memory, and has them back. */
export class Placing implements Memory {
  readonly #sessions = new Map<string, Promise<ort.InferenceSession>>();

  place(tensor: Tensor): Promise<ort.Tensor> {
    return this.#copied(toOrt(tensor), "gpu-buffer");
  }

  async fetch(tensor: ort.Tensor): Promise<Tensor> {
    return fromOrt(await this.#copied(tensor, "cpu"));
  }

  async #copied(from: ort.Tensor, to: "gpu-buffer" | "cpu"): Promise<ort.Tensor> {
    const key = `${from.type} ${to}`;
    let session = this.#sessions.get(key);
    session ??= ort.InferenceSession.create(copies(from.type as DType), {
      executionProviders: ["webgpu"],
      preferredOutputLocation: to,
      logSeverityLevel: 4,
    });
    this.#sessions.set(key, session);
    return (await (await session).run({ from })).to!;
  }
}

// --- internal ---

/** TensorProto.DataType of onnx.proto3, of what states hold. */
const types: { readonly [D in DType]?: number } = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 };

/** An ONNX file: `to` is what `from` is, of any shape. Source: onnx.proto3 of the ONNX project. */
function copies(dtype: DType): Uint8Array {
  const type = types[dtype];
  if (type === undefined) throw new Error(`webgpu holds no tensors of ${dtype}`);
  const field = (number: number, ...value: number[]) => [number * 8 + 2, value.length, ...value];
  const text = (number: number, value: string) => field(number, ...Buffer.from(value));
  const value = (name: string) => [...text(1, name), ...field(2, ...field(1, 8, type))];
  const node = [...text(1, "from"), ...text(2, "to"), ...text(4, "Identity")];
  const graph = [
    ...field(1, ...node),
    ...text(2, "hocket"),
    ...field(11, ...value("from")),
    ...field(12, ...value("to")),
  ];
  return Uint8Array.from([8, 9, ...field(7, ...graph), ...field(8, 16, 20)]);
}
