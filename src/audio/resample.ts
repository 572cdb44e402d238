/** @file Changes the sample rate with a windowed sinc, by the formula that the reference uses (julius), so codes agree. */

import { HocketError } from "../errors.js";
import type { Waveform } from "./waveform.js";

/**
 * The same sound at `sampleRate` Hz; floor(new N / old) samples a channel. At an equal rate, the waveform itself.
 * Frequencies above 0.945 of the lower rate's half are removed over a narrow band.
 * @throws HocketError "unsupported" for a rate outside 1 to 768 kHz.
 */
export function resample(waveform: Waveform, sampleRate: number): Waveform {
  if (sampleRate === waveform.sampleRate) return waveform;
  for (const rate of [waveform.sampleRate, sampleRate])
    if (!Number.isInteger(rate) || rate < 1000 || rate > 768_000)
      throw new HocketError(
        "unsupported",
        `cannot resample at ${rate} Hz: whole rates of 1 to 768 kHz are implemented`,
      );
  const divisor = greatestCommonDivisor(waveform.sampleRate, sampleRate);
  const [from, to] = [waveform.sampleRate / divisor, sampleRate / divisor];
  const phases = Array.from({ length: to }, (_, i) => kernel(from, to, i));
  return { sampleRate, channels: waveform.channels.map((channel) => filter(channel, from, phases)) };
}

// --- internal ---

/** Zero crossings of the sinc on each side. */
const zeros = 24;
/** Cutoff, as a share of the lower rate's half. */
const rolloff = 0.945;

/** Weights of the inputs from `first` on, counted from the input sample that the period starts with. */
interface Kernel {
  readonly first: number;
  readonly weights: Float32Array;
}

/** Output i of each period of `from` inputs and `to` outputs: sinc(t) cos²(t / 2 zeros) with t = pi rate (n/from - i/to). */
function kernel(from: number, to: number, i: number): Kernel {
  const rate = Math.min(from, to) * rolloff;
  const first = Math.ceil((i / to - zeros / rate) * from);
  const last = Math.floor((i / to + zeros / rate) * from);
  const raw = Float64Array.from({ length: last - first + 1 }, (_, k) => {
    const t = Math.PI * rate * ((first + k) / from - i / to);
    return t === 0 ? 1 : (Math.sin(t) / t) * Math.cos(t / zeros / 2) ** 2;
  });
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return { first, weights: Float32Array.from(raw, (weight) => weight / sum) }; // a constant stays what it is
}

function filter(input: Float32Array, from: number, phases: readonly Kernel[]): Float32Array {
  const output = new Float32Array(Math.floor((phases.length * input.length) / from));
  const final = input.length - 1;
  for (let m = 0; m < output.length; m++) {
    const { first, weights } = phases[m % phases.length]!;
    const start = Math.floor(m / phases.length) * from + first;
    let sum = 0;
    if (start >= 0 && start + weights.length <= input.length)
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * input[start + k]!;
    // Outside, the first and last samples go on forever.
    else for (let k = 0; k < weights.length; k++) sum += weights[k]! * input[Math.max(0, Math.min(final, start + k))]!;
    output[m] = sum;
  }
  return output;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
