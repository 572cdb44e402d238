/**
 * @file Attention in which no row sees what is after it, for long sequences that are all there at once; and its slope,
 * written by hand. A piece of the rows at a time is compared with the columns up to its end, so that little more than what
 * can be seen is computed.
 */

import { add, concat, matmul, mul, padAxis, reduceSum, reshape, slice, softmax, split, sub, transpose } from "./ops.js";
import { known, type Node, node, type Value } from "./value.js";

/** The result of pieces, in a graph: its inputs are the result, q, k, v, and each piece's weights, all [B H, S, ...]. */
export const attendedOp = "Attended";

/**
 * softmax(q k^T + bias) v: k and v [B, H, L, d], q [B, H, S, d] of the last S rows, bias broadcast over [B, H, S, L], which
 * hides what is after a row.
 * @param rows of a piece
 */
export function attendInPieces(
  q: Value,
  k: Value,
  v: Value,
  bias: Value,
  rows: number,
): { mixed: Value; weights: Value } {
  const [batch, heads, steps, size] = q.shape.map((dim) => known(dim, "a size of attention in pieces")) as Sizes;
  const columns = known(k.shape[2], "what attention in pieces sees");
  // Of three axes: beyond a change of shape the runtime moves no transpose, and does not multiply them.
  const flat = (x: Value) => reshape(x, [batch * heads, known(x.shape[2], "rows"), size]);
  const [queries, keys, values] = [flat(q), flat(k), flat(v)];
  const sizes = sizesOf(steps, rows);
  const ends = endsOf(sizes, columns);
  const weights = split(queries, 1, sizes).map((some, i) => {
    const [count, end] = [sizes[i]!, ends[i]!];
    const scores = reshape(matmul(some, turned(upTo(keys, end))), [batch, heads, count, end]);
    const from = end - count - (columns - steps);
    const hidden = slice(slice(bias, -2, from, from + count), -1, 0, end);
    return reshape(softmax(add(scores, hidden)), [batch * heads, count, end]);
  });
  const mixed = concat(
    weights.map((some, i) => matmul(some, upTo(values, ends[i]!))),
    1,
  );
  const [attended] = node(attendedOp, [mixed, queries, keys, values, ...weights], [mixed]) as [Value];
  const padded = concat(
    weights.map((some, i) => padAxis(some, 2, 0, columns - ends[i]!)),
    1,
  );
  return {
    mixed: reshape(attended, [batch, heads, steps, size]),
    weights: reshape(padded, [batch, heads, steps, columns]),
  };
}

/**
 * With weights P = softmax(scores) and y = P v: dv = P^T dy, dP = dy v^T, and dscores = P (dP - sum(dP P)), where the sum
 * over what a row sees is sum(dy y) over its d numbers: much less to read. (Measured on a step of 8 layers x 256, 8 x 627
 * columns: what attention does besides multiplying takes 256 instead of 403 ms of 4.4 s.)
 */
export function attendedGradient({ inputs }: Node, dy: Value): (Value | undefined)[] {
  const [y, q, k, v, ...weights] = inputs as [Value, Value, Value, Value, ...Value[]];
  const sizes = weights.map(({ shape }) => shape[1] as number);
  const ends = endsOf(sizes, known(k.shape[1], "columns"));
  const apart = (x: Value) => split(x, 1, sizes);
  const [queries, dys, sums] = [apart(q), apart(dy), apart(reduceSum(mul(dy, y), [-1]))];
  const slopes = weights.map((some, i) => {
    const dWeights = matmul(dys[i]!, turned(upTo(v, ends[i]!)));
    const dScores = mul(some, sub(dWeights, sums[i]!));
    return {
      q: matmul(dScores, upTo(k, ends[i]!)),
      k: matmul(turned(dScores), queries[i]!),
      v: matmul(turned(some), dys[i]!),
    };
  });
  const all = (of: "q" | "k" | "v") => slopes.map((slope) => slope[of]);
  return [undefined, concat(all("q"), 1), nested(all("k"), ends), nested(all("v"), ends)];
}

// --- internal ---

type Sizes = [batch: number, heads: number, steps: number, size: number];

const turned = (x: Value): Value => transpose(x, [0, 2, 1]);

const upTo = (x: Value, end: number): Value => (end === x.shape[1] ? x : slice(x, 1, 0, end));

/** Pieces of `rows`; what is left over goes to the last. */
const sizesOf = (steps: number, rows: number): number[] => {
  const count = Math.max(1, Math.floor(steps / rows));
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? rows : steps - rows * (count - 1)));
};

/** Of each piece, how many columns it sees; the last sees all. */
const endsOf = (sizes: readonly number[], columns: number): number[] => {
  let end = columns - sizes.reduce((a, b) => a + b, 0);
  return sizes.map((size) => (end += size));
};

/** The sum of parts that all begin at the first row, each longer than the one before: none is made longer than need be. */
const nested = (parts: readonly Value[], ends: readonly number[]): Value =>
  parts.reduce((sum, part, i) => add(padAxis(sum, 1, 0, ends[i]! - ends[i - 1]!), part));
