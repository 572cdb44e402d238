/** @file From one row of logits to one code, by audiocraft's rules: which codes stay in the draw, and the draw. */

import { HocketError } from "../errors.js";

/** How to draw. `topP` above 0 wins over `topK`; where both are 0, every code stays. */
export interface Sampling {
  /** Logits are divided by it. 0: always the code with the largest logit, the first of them if there are several. */
  readonly temperature: number;
  /** So many of the likeliest codes stay, and those as likely as the last of them. */
  readonly topK: number;
  /** The likeliest codes stay while those before them hold at most this much of the probability. */
  readonly topP: number;
}

/** audiocraft's defaults. (transformers draws from 50, its general default.) */
export const defaultSampling: Sampling = { temperature: 1, topK: 250, topP: 0 };

/**
 * The code that `uniform`, in [0, 1), falls on when the codes that stay are laid out over [0, 1) by probability: in code
 * order, with top-p the likeliest first.
 * @throws HocketError "internal" where the logits hold NaN or have no largest
 */
export function sample(logits: Float32Array, sampling: Sampling, uniform: number): number {
  const count = choose(logits, sampling);
  const target = uniform * totalWeight(count);
  let passed = 0;
  for (let i = 0; i < count; i++) {
    passed += weights[i]!;
    if (target < passed) return chosen[i]!;
  }
  throw new HocketError("internal", `a draw needs a number in [0, 1), not ${uniform}`);
}

/** [vocabulary]: the distribution that `sample` draws from. Same errors. */
export function probabilities(logits: Float32Array, sampling: Sampling): Float64Array {
  const count = choose(logits, sampling);
  const total = totalWeight(count);
  const result = new Float64Array(logits.length);
  for (let i = 0; i < count; i++) result[chosen[i]!] = weights[i]! / total;
  return result;
}

/** The logarithm of how likely the model itself finds a code, before anything is done to its odds. */
export function logLikelihood(logits: Float32Array, code: number): number {
  const largest = logits[firstLargest(logits)]!;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - largest);
  return logits[code]! - largest - Math.log(total);
}

// --- internal ---

// Scratch, because this runs for each codebook of each step: the codes that stay, in drawing order, with their weights
// (probabilities up to a factor); a heap of codes with the likeliest on top; logits to reorder.
let chosen = new Int32Array(0);
let weights = new Float64Array(0);
let heap = new Int32Array(0);
let values = new Float32Array(0);

/** Fills `chosen` and `weights`; returns how many stay. */
function choose(logits: Float32Array, { temperature, topK, topP }: Sampling): number {
  if (heap.length < logits.length) {
    chosen = new Int32Array(logits.length);
    weights = new Float64Array(logits.length);
    heap = new Int32Array(logits.length);
    values = new Float32Array(logits.length);
  }
  const best = firstLargest(logits);
  const largest = logits[best]!;
  if (temperature === 0) {
    chosen[0] = best;
    weights[0] = 1;
    return 1;
  }
  if (topP > 0) return chooseNucleus(logits, largest, temperature, topP);

  const least = topK > 0 && topK < logits.length ? nthLargest(logits, topK) : Number.NEGATIVE_INFINITY;
  let count = 0;
  for (let code = 0; code < logits.length; code++) {
    const logit = logits[code]!;
    if (logit < least) continue;
    chosen[count] = code;
    weights[count++] = Math.exp((logit - largest) / temperature);
  }
  return count;
}

function chooseNucleus(logits: Float32Array, largest: number, temperature: number, topP: number): number {
  let total = 0;
  for (let code = 0; code < logits.length; code++) total += Math.exp((logits[code]! - largest) / temperature);
  let passed = 0;
  let count = 0;
  buildHeap(logits);
  while (count < logits.length && passed <= topP * total) {
    const code = popHeap(logits, logits.length - count);
    chosen[count] = code;
    passed += weights[count++] = Math.exp((logits[code]! - largest) / temperature);
  }
  return count;
}

function totalWeight(count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i]!;
  return total;
}

function firstLargest(logits: Float32Array): number {
  let best = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let code = 0; code < logits.length; code++) {
    const logit = logits[code]!;
    if (logit <= largest) continue;
    best = code;
    largest = logit; // NaN too: it is not below anything
    if (Number.isNaN(logit)) break;
  }
  if (!Number.isFinite(largest))
    throw new HocketError(
      "internal",
      `the model produced ${largest} where it should weigh the codes: its weights are damaged, or too large for its precision`,
    );
  return best;
}

/** Hoare's selection on a copy: only the part that holds the answer is ever ordered. */
function nthLargest(logits: Float32Array, n: number): number {
  values.set(logits);
  let [from, to] = [0, logits.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let [left, right] = [from, to];
    while (left <= right) {
      while (values[left]! > pivot) left++;
      while (values[right]! < pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (n - 1 <= right) to = right;
    else if (n - 1 >= left) from = left;
    else break;
  }
  return values[n - 1]!;
}

function buildHeap(logits: Float32Array): void {
  for (let code = 0; code < logits.length; code++) heap[code] = code;
  for (let i = (logits.length >> 1) - 1; i >= 0; i--) sink(logits, i, logits.length);
}

/** Takes the top off a heap of `size` codes. */
function popHeap(logits: Float32Array, size: number): number {
  const top = heap[0]!;
  heap[0] = heap[size - 1]!;
  sink(logits, 0, size - 1);
  return top;
}

function sink(logits: Float32Array, from: number, size: number): void {
  const code = heap[from]!;
  let at = from;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && before(logits, heap[child + 1]!, heap[child]!)) child++;
    if (before(logits, code, heap[child]!)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = code;
}

/** The likelier first; among equals the lower code. */
const before = (logits: Float32Array, a: number, b: number): boolean =>
  logits[a]! > logits[b]! || (logits[a] === logits[b] && a < b);
