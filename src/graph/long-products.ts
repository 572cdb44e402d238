/**
 * @file Products of many rows by one matrix, cut for the runtime's kernel: a few hundred rows at a time, as a batch. Its
 * sums go over a slice of the inner axis after the other, and for each it reads and writes all rows of the result; those of
 * a piece stay in the cache meanwhile. Measured on 5016 rows, 1024 x 256 and 256 x 1024: 31 instead of 39 ms, and more
 * under load.
 */

import * as ops from "./ops.js";
import type { Node, Value } from "./value.js";

/** Nodes that compute what a long product does, the last of them its result; undefined for any other node. */
export function inPieces({ op, inputs, outputs }: Node): Node[] | undefined {
  const [a, b, bias] = inputs as [Value, Value, Value | undefined];
  if ((op !== "Gemm" && op !== "MatMul") || bias !== undefined) return undefined;
  if (a.shape.length !== 2 || b.shape.length !== 2 || isTurned(a) || isTurned(b)) return undefined;
  const [rows, inner] = a.shape;
  if (typeof rows !== "number" || typeof inner !== "number" || rows < 2 * most) return undefined;
  const pieces = countFor(rows);
  if (pieces === undefined) return undefined;
  const matrix = ops.reshape(b, [1, 1, ...(b.shape as number[])]); // of more axes than the rows: else they would be joined
  const right = op === "Gemm" ? ops.transpose(matrix, [0, 1, 3, 2]) : matrix; // read turned, not moved
  const apart = ops.reshape(a, [pieces, rows / pieces, inner]);
  const product = ops.matmul(apart, right);
  const steps = [matrix, ...(op === "Gemm" ? [right] : []), apart, product];
  const whole = ops.reshape(product, outputs[0]!.shape as number[]);
  return [...steps, whole].map(({ origin }) => (origin as { node: Node }).node);
}

// --- internal ---

/** Rows of a piece. */
const [least, most] = [128, 640];

/** A transposed matrix is read from where it lies, if nothing comes between. */
const isTurned = ({ origin }: Value): boolean => origin.kind === "node" && origin.node.op === "Transpose";

/** The fewest pieces of one size that are small enough. */
function countFor(rows: number): number | undefined {
  for (let count = Math.ceil(rows / most); rows / count >= least; count++) if (rows % count === 0) return count;
  return undefined;
}
