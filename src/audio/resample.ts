/** @file Changes the sample rate with a windowed sinc, by the formula that the reference uses (julius), so codes agree. */

import { HocketError } from "../errors.js";
import type { Waveform } from "./waveform.js";

/**
 * The same sound at `sampleRate` Hz; floor(new N / old) samples a channel. At an equal rate, the waveform itself.
 * Frequencies above 0.945 of the lower rate's half are removed over a narrow band.
 * @throws HocketError "unsupported" for a rate outside 1 to 768 kHz.
 */
export function resample(waveform: Waveform, sampleRate: number): Waveform {
  const steps = resampling(waveform, sampleRate);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** The same for sounds of any length: whatever else is waiting gets its turn several times a second. */
export async function resampleInTurns(waveform: Waveform, sampleRate: number, signal?: AbortSignal): Promise<Waveform> {
  const steps = resampling(waveform, sampleRate);
  let step = steps.next();
  for (; !step.done; step = steps.next()) {
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
  }
  return step.value;
}

export const canResample = (rate: number): boolean => Number.isInteger(rate) && rate >= 1000 && rate <= 768_000;

// --- internal ---

/** Samples made in a step: some tens of milliseconds. */
const stepLength = 2 ** 16;

function* resampling(waveform: Waveform, sampleRate: number): Generator<undefined, Waveform> {
  if (sampleRate === waveform.sampleRate) return waveform;
  for (const rate of [waveform.sampleRate, sampleRate])
    if (!canResample(rate))
      throw new HocketError(
        "unsupported",
        `cannot resample at ${rate} Hz: whole rates of 1 to 768 kHz are implemented`,
      );
  const divisor = greatestCommonDivisor(waveform.sampleRate, sampleRate);
  const [from, to] = [waveform.sampleRate / divisor, sampleRate / divisor];
  const phases = Array.from({ length: to }, (_, i) => kernel(from, to, i));
  const channels: Float32Array[] = [];
  for (const channel of waveform.channels) {
    const output = new Float32Array(Math.floor((to * channel.length) / from));
    for (let start = 0; start < output.length; start += stepLength) {
      yield;
      filter(channel, from, phases, output, start, Math.min(output.length, start + stepLength));
    }
    channels.push(output);
  }
  return { sampleRate, channels };
}

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

/** Fills `output` from `begin` to `end`. */
function filter(
  input: Float32Array,
  from: number,
  phases: readonly Kernel[],
  output: Float32Array,
  begin: number,
  end: number,
): void {
  const final = input.length - 1;
  for (let m = begin; m < end; m++) {
    const { first, weights } = phases[m % phases.length]!;
    const start = Math.floor(m / phases.length) * from + first;
    let sum = 0;
    if (start >= 0 && start + weights.length <= input.length)
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * input[start + k]!;
    // Outside, the first and last samples go on forever.
    else for (let k = 0; k < weights.length; k++) sum += weights[k]! * input[Math.max(0, Math.min(final, start + k))]!;
    output[m] = sum;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
