/**
 * @file How far two sounds are apart as spectrograms (spec §3.3). A Fourier transform of short frames is a product with a
 * matrix of waves, so all of this is graph, and learns.
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

/** Waveform [B, C, N] -> its spectrum, [B, C, frames, fft / 2 + 1] each part. Only frames that lie inside. */
export function stft(x: Value, frames: Frames): { real: Value; imaginary: Value } {
  const [seen, waves] = [framed(x, frames), wavesOf(frames)];
  return { real: ops.matmul(seen, waves.real), imaginary: ops.matmul(seen, waves.imaginary) };
}

/** [B, C, N] -> [B, C, ceil(N / hop), bands]: power in bands as wide as they sound, mirrored at the ends. */
export function melSpectrogram(x: Value, mel: Mel): Value {
  const margin = Math.floor((mel.fft - mel.hop) / 2);
  const inside = ops.padLast(x, margin, margin, "reflect");
  const length = known(inside.shape[2], "a clip's length");
  const missing = (mel.hop - ((length - mel.fft) % mel.hop)) % mel.hop; // of the last frame
  const power = powerOf(stft(ops.padLast(inside, 0, missing, "constant"), mel)); // [B, C, frames, bins]
  const bands = constant(tensor("float32", [mel.bands, mel.fft / 2 + 1], melBands(mel)));
  return ops.matmul(power, ops.transpose(bands, [1, 0]));
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

/**
 * [bands, bins]: triangles that overlap by half, equally spaced by ear (2595 log10(1 + f / 700), as HTK does), from `low`
 * to the highest frequency, each 1 at its peak.
 */
export function melBands({ fft, bands, low, sampleRate }: Mel): Float32Array<ArrayBuffer> {
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

// --- internal ---

const epsilon = 2 ** -23;

/**
 * [B, C, N] -> [B, C, frames, hops of a frame x hop]: what each frame sees, hop by hop, and what follows up to a whole
 * number of hops.
 */
function framed(x: Value, { fft, hop }: Frames): Value {
  const [batch, channels, length] = x.shape.map((dim) => known(dim, "a clip's size")) as [number, number, number];
  const frames = Math.floor((length - fft) / hop) + 1;
  const inFrame = Math.ceil(fft / hop);
  const all = frames + inFrame - 1;
  const missing = Math.max(0, all * hop - length);
  const whole = ops.padLast(ops.slice(x, 2, 0, Math.min(length, all * hop)), 0, missing, "constant");
  const hops = ops.reshape(whole, [batch, channels, all, hop]);
  return ops.concat(
    Array.from({ length: inFrame }, (_, i) => ops.slice(hops, 2, i, i + frames)),
    3,
  );
}

const made = new Map<string, { real: Value; imaginary: Value }>();

/** Windowed waves of every frequency, a column each, [hops of a frame x hop, bins]; made once, so that a graph has them once. */
function wavesOf({ fft, hop, window = fft, normalized = false }: Frames): { real: Value; imaginary: Value } {
  const key = [fft, hop, window, normalized].join();
  const known = made.get(key);
  if (known !== undefined) return known;
  const bins = fft / 2 + 1;
  const size = [Math.ceil(fft / hop) * hop, bins];
  const [real, imaginary] = [tensor("float32", size), tensor("float32", size)];
  const shape = periodicHann(window);
  const scale = normalized ? Math.hypot(...shape) : 1;
  const first = Math.floor((fft - window) / 2);
  for (const [n, w] of shape.entries())
    for (let k = 0; k < bins; k++) {
      const turn = (2 * Math.PI * ((k * (n + first)) % fft)) / fft;
      real.data[(first + n) * bins + k] = (w * Math.cos(turn)) / scale;
      imaginary.data[(first + n) * bins + k] = (-w * Math.sin(turn)) / scale;
    }
  const waves = { real: constant(real), imaginary: constant(imaginary) };
  made.set(key, waves);
  return waves;
}

/** real^2 + imaginary^2 */
const powerOf = ({ real, imaginary }: { real: Value; imaginary: Value }): Value =>
  add(mul(real, real), mul(imaginary, imaginary));

const atLeast = (x: Value, floor: number): Value => ops.where(ops.less(x, scalar(floor)), scalar(floor), x);

/** A Hann window whose next sample would be its first again. */
const periodicHann = (length: number): number[] =>
  Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length));
