/** @file The codec's recurrence: stacked LSTM layers with a skip around them. The only part that remembers. */

import * as ops from "../graph/ops.js";
import { input, known, type Scope, type Value } from "../graph/value.js";

export interface Recurrence {
  /** [B, C, T] */
  readonly x: Value;
  /** [layers, B, C] each: what the next frames continue from. */
  readonly hidden: Value;
  readonly cell: Value;
}

/** The state as inputs of a graph; all zero at the start of a clip. */
export const lstmState = (layers: number, width: number) => ({
  hidden: input("hidden", "float32", [layers, "B", width]),
  cell: input("cell", "float32", [layers, "B", width]),
});

/** x + LSTM(x), continuing from `state`; x [B, C, T]. */
export function lstm(p: Scope, x: Value, layers: number, state: { hidden: Value; cell: Value }): Recurrence {
  const width = known(x.shape[1], "an LSTM's width");
  const hidden: Value[] = [];
  const cell: Value[] = [];
  let y = ops.transpose(x, [2, 0, 1]); // [T, B, C]
  for (let layer = 0; layer < layers; layer++) {
    const step = ops.lstm(y, weights(p.at("lstm"), layer, width), {
      hidden: ops.slice(state.hidden, 0, layer, layer + 1),
      cell: ops.slice(state.cell, 0, layer, layer + 1),
    });
    y = ops.squeeze(step.all, [1]);
    hidden.push(step.state.hidden);
    cell.push(step.state.cell);
  }
  return { x: ops.add(ops.transpose(y, [1, 2, 0]), x), hidden: ops.concat(hidden, 0), cell: ops.concat(cell, 0) };
}

// --- internal ---

/** PyTorch stacks the gates as input, forget, cell, output; ONNX wants input, output, forget, cell. */
function weights(p: Scope, layer: number, width: number) {
  const reordered = (name: string, shape: readonly number[]) => {
    const [i, f, c, o] = ops.split(p.weight(`${name}_l${layer}`, shape), 0, [width, width, width, width]);
    return ops.concat([i!, o!, f!, c!], 0);
  };
  const gates = 4 * width;
  return {
    input: ops.unsqueeze(reordered("weight_ih", [gates, width]), [0]),
    recurrent: ops.unsqueeze(reordered("weight_hh", [gates, width]), [0]),
    bias: ops.unsqueeze(ops.concat([reordered("bias_ih", [gates]), reordered("bias_hh", [gates])], 0), [0]),
  };
}
