/** @file Random numbers that look like trained weights: speed and memory do not depend on what the weights say. */

import { assert } from "../errors.js";

const size = 1 << 25;

/** What a file of weights is made of. */
type Numbers = {
  float32: Float32Array<ArrayBuffer>;
  float16: Uint16Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
};

/**
 * `count` numbers between -0.02 and 0.02, as float32 or as the bits of float16, or any bytes. Valid until the process ends;
 * not to be changed.
 */
export function noise<D extends keyof Numbers>(count: number, dtype: D): Numbers[D] {
  const pool = pools[dtype] ?? makers[dtype]();
  pools[dtype] = pool;
  assert(count < size, `no more than ${size} random numbers at once`);
  // Each its own stretch: the runtime finds equal weights and keeps them once, so a step would read less than it should.
  const start = (4099 * serial++) % (size - count);
  return pool.subarray(start, start + count) as Numbers[D];
}

// --- internal ---

const pools: { [D in keyof Numbers]?: Numbers[D] } = {};
let serial = 0;

const makers: { readonly [D in keyof Numbers]: () => Numbers[D] } = {
  float32: () => {
    const next = generator();
    const pool = new Float32Array(size);
    for (let i = 0; i < size; i++) pool[i] = 0.04 * (next() / 2 ** 32 - 0.5);
    return pool;
  },
  /** Either sign, exponent -6, any fraction. */
  float16: () => {
    const next = generator();
    const pool = new Uint16Array(size);
    for (let i = 0; i < size; i++) pool[i] = 0x2400 | ((next() >>> 16) & 0x83ff);
    return pool;
  },
  uint8: () => {
    const next = generator();
    const pool = new Uint8Array(size);
    for (let i = 0; i < size; i++) pool[i] = next() >>> 24;
    return pool;
  },
};

/** A linear congruential generator; the constants are those of Numerical Recipes. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}
