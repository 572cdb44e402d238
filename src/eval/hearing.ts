/**
 * @file What every judge of music hears: one channel at 16 kHz, at one loudness, and its mel spectrogram, 100 frames a
 * second. Made once a clip.
 */

import { resample } from "../audio/resample.js";
import { type Waveform, withChannels } from "../audio/waveform.js";
import { realFft } from "../melody/fft.js";
import { type Mel, melBands } from "../train/spectral.js";

/** Hz */
export const hearingRate = 16000;
/** Frames a second of `mel`. */
export const frameRate = 100;
export const bands = 64;

export interface Heard {
  /** At `hearingRate`, with an RMS of 0.1; silence stays silence. */
  readonly samples: Float32Array;
  /** [frames][bands] power; frame t is centred on t / `frameRate` seconds. */
  readonly mel: readonly Float32Array[];
}

export function hear(waveform: Waveform): Heard {
  const [heard] = withChannels(resample(withChannels(waveform, 1), hearingRate), 1).channels as [Float32Array];
  let energy = 0;
  for (const sample of heard) energy += sample * sample;
  const gain = energy > 0 ? 0.1 / Math.sqrt(energy / heard.length) : 0;
  const samples = heard.map((sample) => gain * sample);
  return { samples, mel: melSpectrogram(samples) };
}

/**
 * The power spectrum of each Hann window of `size` samples, the first centred on sample 0, silence around the sound.
 * What is yielded is overwritten by the next.
 */
export function* powerSpectra(samples: Float32Array, size: number, hop: number): Generator<Float64Array> {
  const fft = realFft(size);
  const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const frame = new Float64Array(size);
  const [re, im, power] = [1, 2, 3].map(() => new Float64Array(size / 2 + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let centre = 0; centre < samples.length; centre += hop) {
    const start = centre - size / 2;
    frame.fill(0);
    const end = Math.min(size, samples.length - start);
    for (let i = Math.max(0, -start); i < end; i++) frame[i] = window[i]! * samples[start + i]!;
    fft(frame, re, im);
    for (let k = 0; k < power.length; k++) power[k] = re[k]! * re[k]! + im[k]! * im[k]!;
    yield power;
  }
}

/** A band's weights, from its first bin on that counts. */
export interface Filter {
  readonly first: number;
  readonly row: Float32Array;
}

export function melFilters(mel: Mel): Filter[] {
  const weights = melBands(mel);
  const bins = mel.fft / 2 + 1;
  return Array.from({ length: mel.bands }, (_, band) => {
    const row = weights.subarray(band * bins, (band + 1) * bins);
    const first = row.findIndex((weight) => weight > 0); // none: a band narrower than a bin stays silent
    return { first, row: first < 0 ? new Float32Array() : row.slice(first, row.findLastIndex((x) => x > 0) + 1) };
  });
}

/** [bands] the power that each band lets through. */
export function filtered(power: Float64Array, filters: readonly Filter[]): Float32Array {
  const result = new Float32Array(filters.length);
  for (let band = 0; band < result.length; band++) {
    const { first, row } = filters[band]!;
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += row[i]! * power[first + i]!;
    result[band] = sum;
  }
  return result;
}

// --- internal ---

const fft = 1024;

const filters = melFilters({ fft, hop: hearingRate / frameRate, bands, low: 30, sampleRate: hearingRate });

function melSpectrogram(samples: Float32Array): Float32Array[] {
  const frames: Float32Array[] = [];
  for (const power of powerSpectra(samples, fft, hearingRate / frameRate)) frames.push(filtered(power, filters));
  return frames;
}
