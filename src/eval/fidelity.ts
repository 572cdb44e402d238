/**
 * @file How much of a sound a codec keeps, in three numbers: SI-SNR of the waveform (train/evaluate.ts), and distances of
 * mel and of linear spectra that forgive shifted phases.
 */

import { assert } from "../errors.js";
import { filtered, melFilters, powerSpectra } from "./hearing.js";

/**
 * Mean |difference| of log10 mel amplitudes over three sizes of frame: 512, 1024 and 2048 samples with 64, 80 and 128
 * bands, each a quarter of its size after the last. A sine of amplitude 1 has 1 at its frequency; the floor is 1e-5.
 * @param made, real [N], one sound at `sampleRate`
 */
export function melDistance(made: Float32Array, real: Float32Array, sampleRate: number): number {
  const sizes = [
    { fft: 512, bands: 64 },
    { fft: 1024, bands: 80 },
    { fft: 2048, bands: 128 },
  ];
  const distances = sizes.map(({ fft, bands }) => {
    const filters = melFilters({ fft, hop: fft / 4, bands, low: 0, sampleRate });
    return meanOverFrames(made, real, fft, (a, b) => {
      const [x, y] = [a, b].map((power) => filtered(amplitudes(power), filters)) as [Float32Array, Float32Array];
      let sum = 0;
      for (let band = 0; band < bands; band++)
        sum += Math.abs(Math.log10(Math.max(x[band]!, 1e-5)) - Math.log10(Math.max(y[band]!, 1e-5)));
      return sum / bands;
    });
  });
  return distances.reduce((sum, distance) => sum + distance, 0) / sizes.length;
}

/** Log-spectral distance: the RMS over frequencies of the difference of log10 power (floor 1e-8), mean over frames. */
export function logSpectralDistance(made: Float32Array, real: Float32Array): number {
  return meanOverFrames(made, real, 2048, (a, b) => {
    let sum = 0;
    for (let k = 0; k < a.length; k++)
      sum += (Math.log10(Math.max(a[k]!, 1e-8)) - Math.log10(Math.max(b[k]!, 1e-8))) ** 2;
    return Math.sqrt(sum / a.length);
  });
}

// --- internal ---

/** Of a Hann window's power spectrum: twice the magnitude over the window's sum. */
function amplitudes(power: Float64Array): Float64Array {
  const scale = 2 / (power.length - 1);
  const result = new Float64Array(power.length);
  for (let k = 0; k < result.length; k++) result[k] = scale * Math.sqrt(power[k]!);
  return result;
}

function meanOverFrames(
  made: Float32Array,
  real: Float32Array,
  fft: number,
  distance: (made: Float64Array, real: Float64Array) => number,
): number {
  assert(made.length === real.length, `sounds of ${made.length} and ${real.length} samples cannot be compared`);
  const theirs = powerSpectra(real, fft, fft / 4);
  let [sum, frames] = [0, 0];
  for (const power of powerSpectra(made, fft, fft / 4)) {
    sum += distance(power, theirs.next().value as Float64Array);
    frames++;
  }
  return sum / frames;
}
