/**
 * @file Reverberation by a feedback delay network (Jot and Chaigne, "Digital delay networks for designing artificial
 * reverberators", 1991): eight delays that feed each other through a Hadamard matrix, each losing its highs faster.
 */

import { assert } from "../../errors.js";

export interface Room {
  /** Seconds until a thousandth is left, of low tones and of high ones. */
  readonly low: number;
  readonly high: number;
  /** 1 is a room of about ten metres. */
  readonly size: number;
  /** Seconds before the first reflection. */
  readonly before: number;
}

/** What a room answers to `input`, [channels][N]; the second channel hears other delays than the first. */
export function reverberate(input: Float32Array, room: Room, rate: number, channels: 1 | 2): Float32Array[] {
  const lines = delays.map((milliseconds) =>
    makeLine(Math.round((milliseconds * room.size * rate) / 1000), room, rate),
  );
  const outputs = Array.from({ length: channels }, () => new Float32Array(input.length));
  const before = Math.round(room.before * rate);
  for (let start = 0; start < input.length; start += block) {
    const count = Math.min(block, input.length - start);
    for (const line of lines) take(line, count);
    cross(lines.map(({ taken }) => taken) as Eight, outputs, start, count);
    for (const line of lines) put(line, input, start - before, count);
  }
  return outputs;
}

// --- internal ---

/** Samples at a time: no delay may be shorter. */
const block = 64;

/** Milliseconds at size 1, without common divisors worth hearing. */
const delays = [19.31, 23.71, 29.97, 33.13, 37.39, 41.47, 45.79, 49.93];

interface Line {
  readonly delay: Float32Array;
  readonly taken: Float32Array;
  readonly gain: number;
  readonly pole: number;
  at: number;
  state: number;
}

/** One pole makes its gain that of `low` at 0 Hz and that of `high` at half the rate. */
function makeLine(length: number, room: Room, rate: number): Line {
  assert(length >= block, `a delay of ${length} samples is too short`);
  const low = 0.001 ** (length / rate / room.low);
  const high = 0.001 ** (length / rate / room.high);
  const pole = (low - high) / (low + high);
  const gain = (low * (1 - pole)) / Math.sqrt(8); // the matrix has the root of 8 too much
  return { delay: new Float32Array(length), taken: new Float32Array(block), gain, pole, at: 0, state: 0 };
}

/** The samples that come out next, which are those that will be overwritten, without the highs that the way cost. */
function take(line: Line, count: number): void {
  const { delay, taken, gain, pole } = line;
  let { at, state } = line;
  for (let n = 0; n < count; n++) {
    state = gain * delay[at]! + pole * state;
    taken[n] = state;
    at = at + 1 === delay.length ? 0 : at + 1;
  }
  line.state = Math.abs(state) < 1e-20 ? 0 : state; // numbers too small to be normal are slow
}

type Eight = [Block, Block, Block, Block, Block, Block, Block, Block];
type Block = Float32Array;

/** What is heard, added to `outputs` from `start` on; then the Hadamard matrix, in place. */
function cross([a, b, c, d, e, f, g, h]: Eight, outputs: readonly Float32Array[], start: number, count: number): void {
  const [left, right] = [outputs[0]!, outputs[1]];
  for (let n = 0; n < count; n++) {
    const [a0, b0, c0, d0] = [a[n]!, b[n]!, c[n]!, d[n]!];
    const [e0, f0, g0, h0] = [e[n]!, f[n]!, g[n]!, h[n]!];
    if (right === undefined) left[start + n] = a0 - b0 + c0 - d0 + e0 - f0 + g0 - h0;
    else {
      left[start + n] = Math.SQRT2 * (a0 - c0 + e0 - g0);
      right[start + n] = Math.SQRT2 * (b0 - d0 + f0 - h0);
    }
    const [a1, b1, c1, d1] = [a0 + b0, a0 - b0, c0 + d0, c0 - d0];
    const [e1, f1, g1, h1] = [e0 + f0, e0 - f0, g0 + h0, g0 - h0];
    const [a2, b2, c2, d2] = [a1 + c1, b1 + d1, a1 - c1, b1 - d1];
    const [e2, f2, g2, h2] = [e1 + g1, f1 + h1, e1 - g1, f1 - h1];
    a[n] = a2 + e2;
    b[n] = b2 + f2;
    c[n] = c2 + g2;
    d[n] = d2 + h2;
    e[n] = a2 - e2;
    f[n] = b2 - f2;
    g[n] = c2 - g2;
    h[n] = d2 - h2;
  }
}

/** Back into the line, and with it the input from `start` on (before 0 there is none). */
function put(line: Line, input: Float32Array, start: number, count: number): void {
  const { delay, taken } = line;
  const heard = Math.max(0, -start);
  for (let n = heard; n < count; n++) taken[n]! += input[start + n]!;
  const first = Math.min(count, delay.length - line.at);
  for (let n = 0; n < first; n++) delay[line.at + n] = taken[n]!;
  for (let n = first; n < count; n++) delay[n - first] = taken[n]!;
  line.at = (line.at + count) % delay.length;
}
