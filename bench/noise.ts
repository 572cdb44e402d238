/** @file Random numbers that look like trained weights: speed and memory do not depend on what the weights say. */

import { assert } from "../src/errors.js";

const size = 1 << 25;

/** `count` numbers around ±0.02, as float32 or as the bits of float16. Valid until the process ends; not to be changed. */
export function noise(count: number, dtype: "float32" | "float16"): Float32Array | Uint16Array {
  const pool = pools.get(dtype) ?? (dtype === "float32" ? makeSingles() : makeHalves());
  pools.set(dtype, pool);
  assert(count < size, `no more than ${size} random numbers at once`);
  // Each its own stretch: the runtime finds equal weights and keeps them once, so a step would read less than it should.
  const start = (4099 * serial++) % (size - count);
  return pool.subarray(start, start + count);
}

// --- internal ---

const pools = new Map<string, Float32Array | Uint16Array>();
let serial = 0;

const makeSingles = (): Float32Array => {
  const next = generator();
  return new Float32Array(size).map(() => 0.04 * (next() / 2 ** 32 - 0.5));
};

/** Either sign, exponent -6, any fraction. */
const makeHalves = (): Uint16Array => {
  const next = generator();
  return new Uint16Array(size).map(() => 0x2400 | ((next() >>> 16) & 0x83ff));
};

/** A linear congruential generator; the constants are those of Numerical Recipes. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}
