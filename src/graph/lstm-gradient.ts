/**
 * @file The derivative of an LSTM layer: back through time (Werbos 1990). Forward the runtime's one fused operator is kept;
 * what it does not hand out (gates and cells) follows from its output for all frames at once, so that only what truly
 * depends on the frame after is done frame by frame.
 */

import { zerosLike } from "./backward.js";
import * as ops from "./ops.js";
import { known, type Node, type Value } from "./value.js";

/**
 * With gates i, o, f (sigmoids) and g (tanh) of W x_t + R h_(t-1) + b: c_t = f c_(t-1) + i g and h_t = o tanh(c_t).
 * @param dys of all hidden states [T, 1, B, H], the last one and the last cell [1, B, H]
 * @returns of x, W, R, b, (no lengths), the first hidden state and cell
 */
export function lstmGradient(node: Node, dys: readonly (Value | undefined)[]): (Value | undefined)[] {
  const { add, concat, matmul, mul, sigmoid, split, squeeze, sub, tanh } = ops;
  const [x, w, r, bias, , firstHidden, firstCell] = node.inputs as Value[] as [Value, Value, Value, Value, ...Value[]];
  const frames = known(x.shape[0], "the length of a recurrence that learns");
  const width = known(r.shape[2], "an LSTM's width");
  const fourths = [width, width, width, width];
  const byFrame = (y: Value) => split(y, 0, new Array<number>(frames).fill(1)); // [T, B, ?] -> T of [1, B, ?]
  const delayed = (first: Value, all: Value) => (frames === 1 ? first : concat([first, ops.slice(all, 0, 0, -1)], 0));

  const hidden = delayed(firstHidden!, squeeze(node.outputs[0]!, [1])); // [T, B, H], what each frame continued from
  const [input, recurrent] = [squeeze(w, [0]), squeeze(r, [0])];
  const [heard, remembered] = [matmul(x, turned(input)), matmul(hidden, turned(recurrent))];
  const constant = split(squeeze(bias, [0]), 0, [4 * width, 4 * width]).reduce(add);
  const [a, b, c, d] = split(add(add(heard, remembered), constant), 2, fourths) as [Value, Value, Value, Value];
  const [i, o, f, g] = [sigmoid(a), sigmoid(b), sigmoid(c), tanh(d)];

  const [kept, added] = [byFrame(f), byFrame(mul(i, g))];
  const cells: Value[] = [];
  for (let t = 0; t < frames; t++) cells.push(add(mul(kept[t]!, cells[t - 1] ?? firstCell!), added[t]!));
  const cell = concat(cells, 0);
  const said = tanh(cell);

  const rest = (y: Value) => sub(ops.scalar(1), y);
  const slope = (y: Value) => mul(y, rest(y)); // of a sigmoid
  // How h_t follows the cell, and the cell (for o: h_t) each gate.
  const out = byFrame(mul(o, rest(mul(said, said))));
  const gates = byFrame(
    concat(
      [mul(g, slope(i)), mul(said, slope(o)), mul(delayed(firstCell!, cell), slope(f)), mul(i, rest(mul(g, g)))],
      2,
    ),
  );
  const heardBack = byFrame(squeeze(dys[0] ?? zerosLike(node.outputs[0]!), [1]));
  let dHidden = dys[1] ?? zerosLike(firstHidden!);
  let dCell = dys[2] ?? zerosLike(firstCell!);
  const dGates: Value[] = [];
  for (let t = frames - 1; t >= 0; t--) {
    const dh = add(heardBack[t]!, dHidden);
    const dc = add(mul(dh, out[t]!), dCell);
    const dGate = mul(concat([dc, dh, dc, dc], 2), gates[t]!); // [1, B, 4H]
    dGates.unshift(dGate);
    dHidden = matmul(dGate, recurrent);
    dCell = mul(dc, kept[t]!);
  }

  const dGate = concat(dGates, 0);
  const rows = (y: Value) => ops.reshape(y, [-1, known(y.shape[2], "a width")]); // [T, B, ?] -> [T B, ?]
  const product = (y: Value) => ops.unsqueeze(matmul(turned(rows(dGate)), rows(y)), [0]);
  const dBias = ops.reduceSum(rows(dGate), [0]);
  return [matmul(dGate, input), product(x), product(hidden), concat([dBias, dBias], 1), undefined, dHidden, dCell];
}

// --- internal ---

const turned = (matrix: Value): Value => ops.transpose(matrix, [1, 0]);
