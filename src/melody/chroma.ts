/**
 * @file What MusicGen Melody hears of a tune: for each moment the pitch class (C, C sharp, ... B) that is loudest in all
 * octaves together (MusicGen, section 2.4; the settings are audiocraft's and transformers').
 */

import { assert } from "../errors.js";
import { realFft } from "./fft.js";

/** In preprocessor_config.json: sampling_rate, n_fft, hop_length, feature_size. */
export interface ChromaConfig {
  readonly sampleRate: number;
  /** Samples of a frame; a power of two. */
  readonly fftSize: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  readonly bins: number;
}

export const melodyChroma: ChromaConfig = { sampleRate: 32000, fftSize: 16384, hop: 4096, bins: 12 };

/**
 * [frames] the loudest bin of each, C = 0; silence counts as C. Frame t is centred on sample t * hop.
 * @param samples mono, at the configured rate
 */
export const chroma = (samples: Float32Array, config: ChromaConfig = melodyChroma): Int32Array =>
  Int32Array.from(normalisedChroma(samples, config), (frame) => {
    let loudest = 0;
    for (let bin = 1; bin < frame.length; bin++) if (frame[bin]! > frame[loudest]!) loudest = bin;
    return loudest;
  });

/** [frames][bins] power in each bin, as a share of that in the loudest bin of the frame. */
export function normalisedChroma(samples: Float32Array, config: ChromaConfig = melodyChroma): Float32Array[] {
  const { sampleRate, fftSize, hop, bins } = config;
  const filters = filterBank(sampleRate, fftSize, bins);
  const fft = realFft(fftSize);
  const window = Float64Array.from({ length: fftSize }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / fftSize));
  const windowPower = window.reduce((sum, w) => sum + w * w, 0);

  // A tune shorter than a frame has silence on both sides; any tune is mirrored at its ends.
  const length = Math.max(samples.length, fftSize);
  const silence = Math.floor((length - samples.length) / 2);
  const padded = new Float64Array(length + fftSize);
  for (let i = 0; i < padded.length; i++) {
    const at = i - fftSize / 2;
    const inside = at < 0 ? -at : at < length ? at : 2 * (length - 1) - at;
    padded[i] = samples[inside - silence] ?? 0;
  }

  const frame = new Float64Array(fftSize);
  const re = new Float64Array(fftSize / 2 + 1);
  const im = new Float64Array(fftSize / 2 + 1);
  return Array.from({ length: 1 + Math.floor(length / hop) }, (_, t) => {
    for (let i = 0; i < fftSize; i++) frame[i] = window[i]! * padded[t * hop + i]!;
    fft(frame, re, im);
    for (let i = 0; i < re.length; i++) re[i] = (re[i]! * re[i]! + im[i]! * im[i]!) / windowPower;
    const powers = Float32Array.from(filters, (filter) => dot(filter, re));
    const loudest = Math.max(1e-6, ...powers);
    return powers.map((power) => power / loudest);
  });
}

/** `frames`, repeated from the start or cut off to be `length`: a model wants the length that it was trained on. */
export function fitLength(frames: Int32Array, length: number): Int32Array {
  assert(frames.length > 0, "there are no frames to repeat");
  return Int32Array.from({ length }, (_, t) => frames[t % frames.length]!);
}

/**
 * [bins][fftSize / 2 + 1]: how much each frequency counts towards each bin. A bell around every pitch of the bin, as
 * wide as the bin or as one step of the transform, under a bell of octaves around the fifth. As librosa's
 * `filters.chroma` with its defaults and no tuning.
 */
export function chromaFilterBank(sampleRate: number, fftSize: number, bins: number): Float64Array[] {
  const frequencies = fftSize / 2 + 1;
  // Place of each frequency in bins above A0; frequency 0 has none and is put one octave and a half below the next.
  const place = Float64Array.from(
    { length: frequencies + 1 },
    (_, i) => bins * Math.log2((i * sampleRate) / fftSize / 27.5),
  );
  place[0] = place[1]! - 1.5 * bins;
  const filters = Array.from({ length: bins }, () => new Float64Array(frequencies));
  const middle = Math.round(bins / 2);
  const fromA = 3 * Math.floor(bins / 12); // bins count from C, places from A
  for (let i = 0; i < frequencies; i++) {
    const width = Math.max(1, place[i + 1]! - place[i]!);
    const column = Float64Array.from({ length: bins }, (_, bin) => {
      const distance = modulo(place[i]! - bin + middle, bins) - middle;
      return Math.exp(-0.5 * ((2 * distance) / width) ** 2);
    });
    const norm = Math.hypot(...column);
    const octave = Math.exp(-0.5 * ((place[i]! / bins - 5) / 2) ** 2);
    for (let bin = 0; bin < bins; bin++) filters[modulo(bin - fromA, bins)]![i] = (column[bin]! / norm) * octave;
  }
  return filters;
}

// --- internal ---

/** The last bank made: a data set asks for the same one thousands of times, and making it takes as long as a few seconds' frames. */
let made: { readonly key: string; readonly filters: readonly Float64Array[] } | undefined;

function filterBank(sampleRate: number, fftSize: number, bins: number): readonly Float64Array[] {
  const key = `${sampleRate} ${fftSize} ${bins}`;
  if (made?.key !== key) made = { key, filters: chromaFilterBank(sampleRate, fftSize, bins) };
  return made.filters;
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
