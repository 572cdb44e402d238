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
    for (const [i, line] of lines.entries()) {
      take(line, count);
      listen(outputs[i % channels]!, start, line.taken, count, i % (2 * channels) < channels ? 0.35 : -0.35);
      dampen(line, count);
    }
    for (const span of [1, 2, 4])
      for (let i = 0; i < 8; i++) if ((i & span) === 0) cross(lines[i]!.taken, lines[i + span]!.taken, count);
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

/** The samples that come out next, which are those that will be overwritten. */
function take({ delay, taken, at }: Line, count: number): void {
  const first = Math.min(count, delay.length - at);
  for (let n = 0; n < first; n++) taken[n] = delay[at + n]!;
  for (let n = first; n < count; n++) taken[n] = delay[n - first]!;
}

function listen(out: Float32Array, start: number, taken: Float32Array, count: number, gain: number): void {
  for (let n = 0; n < count; n++) out[start + n]! += gain * taken[n]!;
}

function dampen(line: Line, count: number): void {
  const { taken, gain, pole } = line;
  let state = line.state;
  for (let n = 0; n < count; n++) {
    state = gain * taken[n]! + pole * state;
    taken[n] = state;
  }
  line.state = Math.abs(state) < 1e-20 ? 0 : state; // numbers too small to be normal are slow
}

/** A butterfly of the Hadamard matrix. */
function cross(a: Float32Array, b: Float32Array, count: number): void {
  for (let n = 0; n < count; n++) {
    const [x, y] = [a[n]!, b[n]!];
    a[n] = x + y;
    b[n] = x - y;
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
