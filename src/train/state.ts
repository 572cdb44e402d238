/**
 * @file What training keeps: one safetensors file that is replaced whole, so that however a run ends, a good state is
 * there to go on from.
 */

import { type ByteSource, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import type { Value } from "../graph/value.js";
import type { Tensor } from "../tensor.js";
import { readHeader, readTensor, safetensorsChunks } from "../weights/safetensors.js";
import { momentNames } from "./adamw.js";
import type { TrainState } from "./train-lm.js";

/** @throws HocketError "disk"; then the state that was there before is untouched */
export const saveState = (path: string, state: TrainState): Promise<void> =>
  writeFileAtomically(path, safetensorsChunks(state.tensors, { step: `${state.step}` }));

/**
 * @param learnt what the run that goes on learns: the file must hold this, in these shapes, and its moments
 * @throws HocketError "bad-file" naming what is missing or of another shape
 */
export async function loadState(file: ByteSource, learnt: ReadonlyMap<string, Value>): Promise<TrainState> {
  const { tensors: entries, metadata } = await readHeader(file);
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0)
    throw new HocketError(
      "bad-file",
      `${file.location} does not say at which step it was saved: it is no training state`,
    );
  const tensors: Record<string, Tensor> = {};
  for (const [name, { shape }] of learnt)
    for (const each of [name, ...momentNames(name)]) {
      const entry = entries.get(each);
      if (entry === undefined || `${entry.shape}` !== `${shape}`)
        throw new HocketError(
          "bad-file",
          `${file.location}: this run learns ${each} of shape [${shape}], the state has ${entry === undefined ? "none" : `[${entry.shape}]`}: it belongs to another configuration`,
        );
      tensors[each] = await readTensor(file, entry);
    }
  return { step, tensors };
}
