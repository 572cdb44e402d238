/**
 * @file How far two sounds are apart as spectrograms (spec §3.3). A Fourier transform of short frames is a convolution
 * whose kernels are waves, so all of this is graph, and learns.
 */

import * as ops from "../graph/ops.js";
import { constant, known, type Value } from "../graph/value.js";
import { tensor } from "../tensor.js";
import { l1, size, squaredError } from "./distance.js";

const { add, div, log, mul, scalar, sqrt, sub } = ops;

export interface Frames {
  /** Samples that a transform sees, and so twice its highest bin. */
  readonly fft: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** Samples of the (periodic Hann) window, in the middle of the frame; without it, all. */
  readonly window?: number;
  /** Whether the transform is divided by the window's energy, sqrt(sum w^2). */
  readonly normalized?: boolean;
}

export interface Mel extends Frames {
  readonly sampleRate: number;
  readonly bands: number;
  readonly low: number;
}

/** Waveform [B, C, N] -> [B, C, 2, fft / 2 + 1, frames]: real parts, then imaginary. Only frames that lie inside. */
export function stft(x: Value, { fft, hop, window = fft, normalized = false }: Frames): Value {
  const [batch, channels, length] = x.shape.map((dim) => known(dim, "a clip's size")) as [number, number, number];
  const bins = fft / 2 + 1;
  const shape = periodicHann(window);
  const scale = normalized ? Math.hypot(...shape) : 1;
  const waves = new Float32Array(2 * bins * fft);
  const first = Math.floor((fft - window) / 2);
  for (let k = 0; k < bins; k++)
    for (const [n, w] of shape.entries()) {
      const turn = (2 * Math.PI * ((k * (n + first)) % fft)) / fft;
      waves[k * fft + first + n] = (w * Math.cos(turn)) / scale;
      waves[(bins + k) * fft + first + n] = (-w * Math.sin(turn)) / scale;
    }
  const kernels = constant(tensor("float32", [2 * bins, 1, fft], waves));
  const spectra = ops.conv(ops.reshape(x, [batch * channels, 1, length]), kernels, undefined, hop);
  return ops.reshape(spectra, [batch, channels, 2, bins, -1]);
}

/** [B, C, N] -> [B, C, bands, ceil(N / hop)]: power in bands as wide as they sound, mirrored at the ends. */
export function melSpectrogram(x: Value, mel: Mel): Value {
  const margin = Math.floor((mel.fft - mel.hop) / 2);
  const inside = ops.padLast(x, margin, margin, "reflect");
  const length = known(inside.shape[2], "a clip's length");
  const missing = (mel.hop - ((length - mel.fft) % mel.hop)) % mel.hop; // of the last frame
  const power = powerOf(stft(ops.padLast(inside, 0, missing, "constant"), mel)); // [B, C, bins, frames]
  return ops.matmul(constant(tensor("float32", [mel.bands, mel.fft / 2 + 1], melBands(mel))), power);
}

/** log10 of a mel spectrogram, with a floor under silence. */
export const logMel = (spectrogram: Value): Value => mul(log(add(scalar(1e-5), spectrogram)), scalar(1 / Math.LN10));

/** Mean distance of the log-mel spectrograms. */
export const melDistance = (y: Value, x: Value, mel: Mel): Value =>
  l1(logMel(melSpectrogram(y, mel)), logMel(melSpectrogram(x, mel)));

/** The scales of `multiScaleMel`. Of the shortest transforms many bands hold no bin at all, and stay silent. */
export const melScales = (sampleRate: number): Mel[] =>
  [64, 128, 256, 512, 1024].map((fft) => ({ fft, hop: fft / 4, normalized: true, sampleRate, bands: 64, low: 64 }));

/** Over all scales, the mean of: distance of the mel spectrograms, and squared distance of their logarithms. */
export function multiScaleMel(y: Value, x: Value, scales: readonly Mel[]): Value {
  const terms = scales.flatMap((mel) => {
    const [a, b] = [melSpectrogram(y, mel), melSpectrogram(x, mel)];
    return [l1(a, b), squaredError(logMel(a), logMel(b))];
  });
  return div(terms.reduce(add), scalar(terms.length));
}

/**
 * Half of each: how far the magnitudes are apart for their size, |X - Y| / |X|, and their logarithms' mean distance.
 * Mean over three scales (Yamamoto, Song and Kim, arXiv 1910.11480).
 */
export function multiResolution(y: Value, x: Value): Value {
  const terms = [
    { fft: 1024, hop: 120, window: 600 },
    { fft: 2048, hop: 240, window: 1200 },
    { fft: 512, hop: 50, window: 240 },
  ].map((frames) => {
    const [a, b] = [y, x].map((wave) => {
      const whole = ops.padLast(wave, frames.fft / 2, frames.fft / 2, "reflect");
      return sqrt(atLeast(powerOf(stft(whole, frames)), 1e-7));
    }) as [Value, Value];
    const apart = div(size(sub(b, a)), add(size(b), scalar(epsilon)));
    const quieter = l1(log(add(scalar(epsilon), b)), log(add(scalar(epsilon), a)));
    return mul(scalar(0.5), add(apart, quieter));
  });
  return div(terms.reduce(add), scalar(terms.length));
}

// --- internal ---

const epsilon = 2 ** -23;

/** [B, C, 2, bins, frames] -> [B, C, bins, frames]: real^2 + imaginary^2. */
const powerOf = (spectra: Value): Value => ops.squeeze(ops.reduceSum(mul(spectra, spectra), [2]), [2]);

const atLeast = (x: Value, floor: number): Value => ops.where(ops.less(x, scalar(floor)), scalar(floor), x);

/** A Hann window whose next sample would be its first again. */
const periodicHann = (length: number): number[] =>
  Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length));

/**
 * [bands, bins]: triangles that overlap by half, equally spaced by ear (2595 log10(1 + f / 700), as HTK does), from `low`
 * to the highest frequency, each 1 at its peak.
 */
function melBands({ fft, bands, low, sampleRate }: Mel): Float32Array<ArrayBuffer> {
  const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const [from, to] = [toMel(low), toMel(sampleRate / 2)];
  const corners = Array.from({ length: bands + 2 }, (_, i) => {
    const pitch = from + ((to - from) * i) / (bands + 1);
    return 700 * (10 ** (pitch / 2595) - 1);
  });
  const bins = fft / 2 + 1;
  return Float32Array.from({ length: bands * bins }, (_, at) => {
    const [band, hertz] = [Math.floor(at / bins), ((at % bins) * sampleRate) / fft];
    const [left, peak, right] = corners.slice(band, band + 3) as [number, number, number];
    return Math.max(0, Math.min((hertz - left) / (peak - left), (right - hertz) / (right - peak)));
  });
}
