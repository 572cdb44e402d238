/** @file How loud a sound is (ITU-R BS.1770), and bringing it to the level that is asked for, as audiocraft does. */

import { HocketError } from "../errors.js";
import { monoMix, sampleCount, type Waveform } from "./waveform.js";

/**
 * What to do with the level. "clip": only cut what exceeds ±1. "peak": the largest sample becomes -1 dB. "rms": the
 * mono mix gets an RMS of -18 dB. "loudness": -14 LUFS. The last two cut what then exceeds ±1.
 */
export const strategies = ["none", "clip", "peak", "rms", "loudness"] as const;
export type Strategy = (typeof strategies)[number];

/** The sound at the strategy's level. Silence stays as it is, and "loudness" leaves alone what is below an RMS of 0.002. */
export function normalise(waveform: Waveform, strategy: Strategy): Waveform {
  if (strategy === "none") return waveform;
  const scale = scales[strategy](waveform);
  return withGain(waveform, Number.isFinite(scale) ? scale : 1);
}

/**
 * Integrated loudness in LUFS; -Infinity for silence. Blocks of 400 ms count when they are above -70 LUFS and at most
 * 10 LU below the mean of those. A clip shorter than a block is measured as one block, so that a short sound has a
 * loudness too. Channels are taken as left, right, centre and two surrounds.
 * @throws HocketError "unsupported" beyond five channels.
 */
export function integratedLoudness(waveform: Waveform): number {
  const power = weightedPower(waveform);
  const block = Math.min(Math.round(0.4 * waveform.sampleRate), power.length);
  const hop = Math.max(1, Math.round(0.1 * waveform.sampleRate));
  const blocks: number[] = [];
  for (let n = 1; n < power.length; n++) power[n]! += power[n - 1]!; // sums up to and with n
  for (let start = 0; block > 0 && start + block <= power.length; start += hop)
    blocks.push((power[start + block - 1]! - (start > 0 ? power[start - 1]! : 0)) / block);

  const audible = blocks.filter((energy) => lufs(energy) > -70);
  const floor = lufs(mean(audible)) - 10;
  return lufs(mean(audible.filter((energy) => lufs(energy) > floor)));
}

// --- internal ---

const fromDecibel = (level: number): number => 10 ** (level / 20);
const lufs = (energy: number): number => -0.691 + 10 * Math.log10(energy);
const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** What to multiply by; not finite for silence. */
const scales: Record<Exclude<Strategy, "none">, (waveform: Waveform) => number> = {
  clip: () => 1,
  peak: ({ channels }) => fromDecibel(-1) / channels.reduce((peak, channel) => Math.max(peak, peakOf(channel)), 0),
  rms: ({ channels }) => fromDecibel(-18) / rootMeanSquare([monoMix(channels)]),
  loudness: (waveform) =>
    rootMeanSquare(waveform.channels) < 2e-3 ? 1 : fromDecibel(-14 - integratedLoudness(waveform)),
};

function withGain({ sampleRate, channels }: Waveform, gain: number): Waveform {
  return {
    sampleRate,
    channels: channels.map((channel) => channel.map((x) => Math.max(-1, Math.min(1, gain * x)))),
  };
}

const peakOf = (channel: Float32Array): number => channel.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);

function rootMeanSquare(channels: readonly Float32Array[]): number {
  let sum = 0;
  for (const channel of channels) for (const x of channel) sum += x * x;
  return Math.sqrt(sum / (channels.length * channels[0]!.length));
}

const gains = [1, 1, 1, 1.41, 1.41];

/** [N]: the squares of the K-weighted channels, added up with the channels' gains. */
function weightedPower(waveform: Waveform): Float64Array {
  if (waveform.channels.length > gains.length)
    throw new HocketError(
      "unsupported",
      `the loudness of ${waveform.channels.length} channels is not implemented, only of up to ${gains.length}`,
    );
  const power = new Float64Array(sampleCount(waveform));
  const [b0, b1, b2, a1, a2] = highShelf(waveform.sampleRate);
  const [d0, d1, d2, c1, c2] = highPass(waveform.sampleRate);
  for (const [c, channel] of waveform.channels.entries()) {
    const gain = gains[c]!;
    let [first, second, third, fourth] = [0, 0, 0, 0]; // both in transposed direct form II
    for (let n = 0; n < power.length; n++) {
      const x = channel[n]!;
      const y = b0 * x + first;
      first = b1 * x - a1 * y + second;
      second = b2 * x - a2 * y;
      const z = d0 * y + third;
      third = d1 * y - c1 * z + fourth;
      fourth = d2 * y - c2 * z;
      power[n]! += gain * z * z;
    }
  }
  return power;
}

/** b0, b1, b2, a1, a2 of a filter of second order, a0 being 1. */
type Coefficients = readonly [b0: number, b1: number, b2: number, a1: number, a2: number];

// Both filters are the Audio EQ Cookbook's (R. Bristow-Johnson), with the numbers that make them BS.1770's K-weighting.

/** The head's effect: +4 dB above 1500 Hz, Q 1/sqrt 2. */
function highShelf(sampleRate: number): Coefficients {
  const amplitude = fromDecibel(4 / 2);
  const w = (2 * Math.PI * 1500) / sampleRate;
  const slope = 2 * Math.sqrt(amplitude) * (Math.sin(w) / 2 / Math.SQRT1_2);
  const [up, down] = [(amplitude + 1) * Math.cos(w), (amplitude - 1) * Math.cos(w)];
  const a0 = amplitude + 1 - down + slope;
  return [
    (amplitude * (amplitude + 1 + down + slope)) / a0,
    (-2 * amplitude * (amplitude - 1 + up)) / a0,
    (amplitude * (amplitude + 1 + down - slope)) / a0,
    (2 * (amplitude - 1 - up)) / a0,
    (amplitude + 1 - down - slope) / a0,
  ];
}

/** The ear's weakness in the bass: 38 Hz, Q 1/2. */
function highPass(sampleRate: number): Coefficients {
  const w = (2 * Math.PI * 38) / sampleRate;
  const alpha = Math.sin(w);
  const a0 = 1 + alpha;
  const rise = (1 + Math.cos(w)) / a0;
  return [rise / 2, -rise, rise / 2, (-2 * Math.cos(w)) / a0, (1 - alpha) / a0];
}
