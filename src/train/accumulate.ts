/**
 * @file A batch that does not fit, taken in pieces: one graph adds the gradients of a piece to those so far, another learns
 * from the sum. As many pieces as one likes need the memory of one.
 */

import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { type Tensor, tensor } from "../tensor.js";

/** What the sum of a weight's gradients is called, among the inputs and outputs of both graphs. */
export const gradientName = (weight: string) => `${weight}.gradient`;

/**
 * The graph of a piece: g' = g + share dL/dw for every weight. A loss that is a mean over a batch is the mean of its
 * pieces' losses, each by its share of the batch; so are the gradients.
 * @param gradients of the piece's loss, in the order of `weights`
 * @returns the sums, under the names under which this graph is fed them; `shareTensor` is fed too
 */
export function addGradients(
  weights: ReadonlyMap<string, Value>,
  gradients: readonly Value[],
): Readonly<Record<string, Value>> {
  const share = input("share", "float32", []);
  const names = [...weights.keys()];
  return Object.fromEntries(
    [...summedGradients(weights)].map((sum, i) => [
      gradientName(names[i]!),
      ops.add(sum, ops.mul(share, gradients[i]!)),
    ]),
  );
}

/** The sums as the graph that learns from them is fed them: gradients for `clipped` and an optimiser. */
export const summedGradients = (weights: ReadonlyMap<string, Value>): Value[] =>
  [...weights].map(([name, { shape }]) => input(gradientName(name), "float32", shape));

/** The sums before the first piece. */
export const noGradients = (weights: ReadonlyMap<string, Value>): Record<string, Tensor> =>
  Object.fromEntries(
    [...weights].map(([name, { shape }]) => [gradientName(name), tensor("float32", shape as readonly number[])]),
  );

/** @param share of the batch that a piece is: 1 / N for each of N equal ones */
export const shareTensor = (share: number): Record<string, Tensor> => ({
  share: tensor("float32", [], Float32Array.of(share)),
});
