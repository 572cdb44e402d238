/** @file Filters of second order (R. Bristow-Johnson's Audio EQ Cookbook), in place. */

/** b0, b1, b2, a1, a2 of a filter whose a0 is 1. */
export type Coefficients = readonly [b0: number, b1: number, b2: number, a1: number, a2: number];

/** Hz; Q is 1/sqrt 2, the flattest. */
export function highPass(frequency: number, rate: number): Coefficients {
  const { cosine, alpha, a0 } = prototype(frequency, rate);
  const rise = (1 + cosine) / a0;
  return [rise / 2, -rise, rise / 2, (-2 * cosine) / a0, (1 - alpha) / a0];
}

export function lowPass(frequency: number, rate: number): Coefficients {
  const { cosine, alpha, a0 } = prototype(frequency, rate);
  const rise = (1 - cosine) / a0;
  return [rise / 2, rise, rise / 2, (-2 * cosine) / a0, (1 - alpha) / a0];
}

export function filter(sound: Float32Array, [b0, b1, b2, a1, a2]: Coefficients): void {
  let [first, second] = [0, 0]; // transposed direct form II
  for (let n = 0; n < sound.length; n++) {
    const x = sound[n]!;
    const y = b0 * x + first;
    first = b1 * x - a1 * y + second;
    second = b2 * x - a2 * y;
    sound[n] = y;
  }
}

// --- internal ---

function prototype(frequency: number, rate: number): { cosine: number; alpha: number; a0: number } {
  const w = (2 * Math.PI * frequency) / rate;
  const alpha = Math.sin(w) * Math.SQRT1_2;
  return { cosine: Math.cos(w), alpha, a0: 1 + alpha };
}
