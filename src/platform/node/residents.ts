/**
 * @file Tensors that stay in a thread or on a device from run to run, where no run reads what another overwrites: the memory
 * of one that was let go is what a later output of its size is written into. So what a step of training makes is never
 * copied, and never crosses to the caller.
 */

import type * as ort from "onnxruntime-node";
import { assert } from "../../errors.js";
import { arrayFor, type DType, elementCount, type Tensor } from "../../tensor.js";
import type { Wanted } from "../platform.js";
import { checkOutputs, fromOrt, spelled, toOrt } from "./kept.js";
import { writeInto } from "./kept-in-memory.js";

/** Where tensors can be put, and had back. */
export interface Memory {
  /** May use the memory of the tensor. */
  place(tensor: Tensor): Promise<ort.Tensor>;
  /** A copy. */
  fetch(tensor: ort.Tensor): Promise<Tensor>;
}

export const ownMemory: Memory = {
  place: async (tensor) => toOrt(tensor),
  fetch: async (tensor) => {
    const { dtype, shape, data } = fromOrt(tensor);
    return { dtype, shape, data: data.slice() } as Tensor;
  },
};

export class Residents {
  readonly #tensors = new Map<number, ort.Tensor>();
  readonly #spare = new Map<string, ort.Tensor[]>();

  /** @param memory of a device; without, the processor's */
  constructor(
    readonly nextId: () => number,
    readonly memory: Memory | undefined,
  ) {}

  async place(tensor: Tensor): Promise<number> {
    return this.#add(await (this.memory ?? ownMemory).place(tensor));
  }

  get(id: number): ort.Tensor {
    const tensor = this.#tensors.get(id);
    assert(tensor !== undefined, "this tensor has been let go");
    return tensor;
  }

  read(id: number): Promise<Tensor> {
    return (this.memory ?? ownMemory).fetch(this.get(id));
  }

  release(ids: readonly number[]): void {
    for (const id of ids) {
      const tensor = this.#tensors.get(id);
      if (this.#tensors.delete(id)) this.#spend(tensor!);
    }
  }

  /** Runs a session for some of its outputs. */
  async run(
    session: ort.InferenceSession,
    feeds: Record<string, ort.Tensor>,
    wanted: readonly Wanted[],
  ): Promise<{ outputs: Record<string, Tensor>; stayed: Record<string, number> }> {
    checkOutputs(
      session,
      wanted.map(({ output }) => spelled(output)),
    );
    const room: Record<string, ort.Tensor> = {};
    const outputs: Record<string, Tensor> = {};
    const stayed: Record<string, number> = {};
    // The processor writes into what it is given, or copies all; a device hands over by itself what does not stay.
    const given = wanted.filter(({ stays }) => stays || this.memory === undefined);
    try {
      for (const { output, dtype, shape } of given) room[spelled(output)] = await this.#room(dtype, shape);
      if (this.memory === undefined) await writeInto(session, feeds, room);
      else {
        const returned = wanted.filter(({ stays }) => !stays).map(({ output }) => [spelled(output), null]);
        const made = await session.run(feeds, { ...room, ...Object.fromEntries(returned) });
        for (const { output, stays } of wanted) if (!stays) outputs[output] = fromOrt(made[spelled(output)]!);
      }
    } catch (error) {
      for (const tensor of Object.values(room)) this.#spend(tensor);
      throw error;
    }
    for (const { output, stays } of given) {
      const tensor = room[spelled(output)]!;
      if (stays) stayed[output] = this.#add(tensor);
      else {
        outputs[output] = await ownMemory.fetch(tensor);
        this.#spend(tensor);
      }
    }
    return { outputs, stayed };
  }

  #add(tensor: ort.Tensor): number {
    const id = this.nextId();
    this.#tensors.set(id, tensor);
    return id;
  }

  async #room(dtype: DType, shape: readonly number[]): Promise<ort.Tensor> {
    const spare = this.#spare.get(kind(dtype, shape))?.pop();
    if (spare !== undefined) return spare;
    const zeros = { dtype, shape, data: new (arrayFor(dtype))(elementCount(shape)) } as Tensor;
    return (this.memory ?? ownMemory).place(zeros);
  }

  #spend(tensor: ort.Tensor): void {
    const key = kind(tensor.type as DType, tensor.dims);
    const spare = this.#spare.get(key) ?? [];
    this.#spare.set(key, [...spare, tensor]);
  }
}

// --- internal ---

const kind = (dtype: DType, shape: readonly number[]): string => `${dtype} ${shape}`;
