/**
 * @file What training keeps: one safetensors file that is replaced whole, so that however a run ends, a good state is
 * there to go on from.
 */

import { type ByteSource, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import type { Fed, Resident, Runtime } from "../platform/platform.js";
import type { Tensor } from "../tensor.js";
import { readHeader, readTensor, safetensorsChunks } from "../weights/safetensors.js";

/** Everything that a step changes. */
export interface TrainState {
  /** Steps done. */
  readonly step: number;
  /** Weights under their names, moments under their `momentNames`, and whatever else a step hands to the next. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** The same while a run goes on: its tensors stay where steps are computed, and are numbers only where they are read. */
export interface LiveState {
  readonly step: number;
  readonly tensors: Fed;
}

/** The numbers of a state. */
export async function readState(runtime: Runtime, { step, tensors }: LiveState): Promise<TrainState> {
  const read: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) read[name] = await numbersOf(runtime, tensor);
  return { step, tensors: read };
}

export const numbersOf = async (runtime: Runtime, tensor: Tensor | Resident): Promise<Tensor> =>
  "resident" in tensor ? runtime.read(tensor) : tensor;

/** Lets go of what `before` held and none of `after` does. */
export function releaseTensors(runtime: Runtime, before: Fed, ...after: readonly Fed[]): Promise<void> {
  const held = new Set(after.flatMap((each) => Object.values(each)));
  const gone = Object.values(before).filter((each) => "resident" in each && !held.has(each));
  return runtime.release(gone as Resident[]);
}

/** A state's tensors by name, and their shapes. */
export type StateShapes = ReadonlyMap<string, readonly number[]>;

export const shapesOf = (tensors: Readonly<Record<string, Tensor>>): StateShapes =>
  new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));

/** @throws HocketError "disk"; then the state that was there before is untouched */
export const saveState = (path: string, state: TrainState): Promise<void> =>
  writeFileAtomically(path, safetensorsChunks(state.tensors, { step: `${state.step}` }));

/**
 * @param shapes what a step of the run that goes on is fed: the file must hold this
 * @throws HocketError "bad-file" naming what is missing or of another shape
 */
export async function loadState(file: ByteSource, shapes: StateShapes): Promise<TrainState> {
  const { tensors: entries, metadata } = await readHeader(file);
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0)
    throw new HocketError(
      "bad-file",
      `${file.location} does not say at which step it was saved: it is no training state`,
    );
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of shapes) {
    const entry = entries.get(name);
    if (entry === undefined || `${entry.shape}` !== `${shape}`)
      throw new HocketError(
        "bad-file",
        `${file.location}: this run learns ${name} of shape [${shape}], the state has ${entry === undefined ? "none" : `[${entry.shape}]`}: it belongs to another configuration`,
      );
    tensors[name] = await readTensor(file, entry);
  }
  return { step, tensors };
}
