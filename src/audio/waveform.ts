/** @file Sound as numbers: what the codec reads and writes, and what every audio file becomes. */

import { assert, HocketError } from "../errors.js";

/** Amplitudes, nominally within ±1: `channels` is [C][N], every row as long as the first. */
export interface Waveform {
  /** Samples a second, in Hz. */
  readonly sampleRate: number;
  readonly channels: readonly Float32Array[];
}

/**
 * How many samples, over all channels, a compressed file may unpack to: 1 GiB of memory. Compressed silence can be a
 * million times smaller than what it unpacks to.
 */
export const maxUnpackedSamples = 2 ** 28;

/** N, the samples of one channel. */
export const sampleCount = (waveform: Waveform): number => waveform.channels[0]?.length ?? 0;

/** In seconds. */
export const duration = (waveform: Waveform): number => sampleCount(waveform) / waveform.sampleRate;

/** Samples `start` to `end` (exclusive) of every channel, copied. */
export const sliceSamples = ({ sampleRate, channels }: Waveform, start: number, end?: number): Waveform => ({
  sampleRate,
  channels: channels.map((channel) => channel.slice(start, end)),
});

/**
 * The same sound on `count` channels, as audiocraft does it: many become one by their mean, one is repeated, of more
 * than asked for the first are kept. Two cannot become three: an error.
 */
export function withChannels(waveform: Waveform, count: number): Waveform {
  const { sampleRate, channels } = waveform;
  assert(count >= 1 && channels.length >= 1, `cannot turn ${channels.length} channels into ${count}`);
  if (channels.length === count) return waveform;
  if (count === 1) return { sampleRate, channels: [monoMix(channels)] };
  if (channels.length === 1) return { sampleRate, channels: Array.from({ length: count }, () => channels[0]!) };
  if (channels.length > count) return { sampleRate, channels: channels.slice(0, count) };
  throw new HocketError(
    "bad-request",
    `a sound of ${channels.length} channels cannot become one of ${count}: give it 1 channel, or at least ${count}`,
  );
}

/** [C][N] -> [N], the mean of the channels. */
export function monoMix(channels: readonly Float32Array[]): Float32Array {
  const mix = new Float32Array(channels[0]!.length);
  for (let n = 0; n < mix.length; n++) {
    let sum = 0;
    for (const channel of channels) sum += channel[n]!;
    mix[n] = sum / channels.length;
  }
  return mix;
}

/** Why `value`, which comes from outside, is no waveform with sound in it; undefined if it is one. */
export function waveformProblem(value: unknown): string | undefined {
  const { sampleRate, channels } = (value ?? {}) as Partial<Waveform>;
  if (!Array.isArray(channels) || !channels.every((channel) => channel instanceof Float32Array))
    return "it is not a waveform: { sampleRate, channels }, a Float32Array a channel";
  if (!(Number.isInteger(sampleRate) && sampleRate! > 0))
    return `a sample rate of ${sampleRate} Hz is not a whole number`;
  const length = channels[0]?.length ?? 0;
  if (length === 0) return "it holds no samples";
  for (const [c, channel] of channels.entries()) {
    if (channel.length !== length) return `channel ${c} has ${channel.length} samples, channel 0 has ${length}`;
    const n = firstNonFinite(channel);
    if (n >= 0) return `sample ${n} of channel ${c} is ${channel[n]}, not a number between -1 and 1`;
  }
  return undefined;
}

/** For those about to store a waveform of ours. */
export function assertStorable(waveform: Waveform): void {
  const wrong = waveformProblem(waveform);
  assert(wrong === undefined, `the sound to store: ${wrong}`);
}

// --- internal ---

/** Its index, or -1. Sounds are long, and calling back for each sample takes several times as long. */
function firstNonFinite(channel: Float32Array): number {
  for (let n = 0; n < channel.length; n++) if (!Number.isFinite(channel[n])) return n;
  return -1;
}
