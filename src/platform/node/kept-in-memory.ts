/**
 * @file State of sessions in the processor's memory.
 *
 * A run writes its outputs into tensors that it is given, and then onnxruntime-node copies them once more, to return
 * them: a cache that is an output of a step would cost its whole size each time (measured: 10 to 20 times the step). So a
 * run that keeps its outputs in place asks, before them, for one of a kind that onnxruntime-node cannot return, and
 * nothing is copied. Should it learn to, everything would work as it does, and only be slower.
 */

import type * as ort from "onnxruntime-node";
import { arrayFor, elementCount, type Tensor } from "../../tensor.js";
import type { Kept } from "../platform.js";
import { checkOutputs, type KeptState, spelled, toOrt } from "./kept.js";

export class InMemory implements KeptState {
  readonly inputs: Record<string, ort.Tensor> = {};
  readonly #written: Record<string, ort.Tensor> = {};
  readonly #returned = new Map<string, Tensor>();

  constructor(held: Record<string, Tensor>, kept: readonly Kept[]) {
    for (const [name, tensor] of Object.entries(held)) this.inputs[name] = toOrt(tensor);
    for (const { input, output, dtype, shape } of kept) {
      // Memory that nobody has written costs nothing yet: the system gives it page by page.
      const tensor = { dtype, shape, data: new (arrayFor(dtype))(elementCount(shape)) };
      this.#written[spelled(output)] = toOrt(tensor);
      if (input !== undefined) this.inputs[input] = this.#written[spelled(output)]!;
      else this.#returned.set(output, tensor);
    }
  }

  get writes(): boolean {
    return Object.keys(this.#written).length > 0;
  }

  async run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<Record<string, Tensor>> {
    await writeInto(session, feeds, this.#written);
    return Object.fromEntries(
      [...this.#returned].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() } as Tensor]),
    );
  }

  dispose(): void {}
}

/** A run whose outputs are written into tensors and nowhere else. */
export async function writeInto(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  written: Record<string, ort.Tensor>,
): Promise<void> {
  checkOutputs(session, Object.keys(written));
  try {
    await session.run(feeds, { [sequence]: null, ...written });
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Non tensor type"))) throw error;
  }
}

/** The output that cannot be returned. */
export const sequence = "a sequence";

/**
 * The beginning of an ONNX file: a graph with `sequence` as its first output. Protobuf joins the fields of a message that
 * comes in two parts, so any other file may follow. Source: onnx.proto3 of the ONNX project.
 */
export const sequenceFirst = (() => {
  const field = (number: number, ...value: number[]) => [number * 8 + 2, value.length, ...value];
  const text = (number: number, value: string) => field(number, ...Buffer.from(value));
  const elements = field(1, ...field(1, 8, 1)); // tensors of float32
  const output = [...text(1, sequence), ...field(2, ...field(4, ...elements))];
  const node = [...text(2, sequence), ...text(4, "SequenceEmpty")];
  return Uint8Array.from(field(7, ...field(1, ...node), ...field(12, ...output)));
})();
