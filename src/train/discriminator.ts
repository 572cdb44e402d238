/**
 * @file What tells made sound from recorded sound: small convolutional networks, each on complex spectrograms of another
 * resolution (spec §3.4; EnCodec, arXiv 2210.13438, section 3.4). Weights are named as in the reference.
 */

import * as ops from "../graph/ops.js";
import { known, type Scope, type Value } from "../graph/value.js";
import { stft } from "./spectral.js";

export interface DiscriminatorConfig {
  /** Samples that each network's transform sees; a frame starts every quarter of that. */
  readonly ffts: readonly number[];
  /** Channels inside. */
  readonly filters: number;
}

export const encodecDiscriminator: DiscriminatorConfig = { ffts: [2048, 1024, 512, 256, 128], filters: 32 };

/** What a network says of a sound [B, C, N]: */
export interface Verdict {
  /** above 0 where it sounds recorded, [B, 1, frames, bins / 8] */
  readonly logits: Value;
  /** and what it heard on the way, [B, filters, frames, bins / 1, 2, 4, 8, 8] */
  readonly features: readonly Value[];
}

/** What each network is given of a sound [B, C, N]: [B, 2 C, frames, bins], real parts of all channels, then imaginary. */
export const spectrograms = (sound: Value, c: DiscriminatorConfig): Value[] =>
  c.ffts.map((fft) => {
    const { real, imaginary } = stft(sound, { fft, hop: fft / 4, normalized: true });
    return ops.concat([real, imaginary], 1);
  });

/** The verdict of each network, on its spectrogram. */
export const discriminate = (p: Scope, spectrograms: readonly Value[], c: DiscriminatorConfig): Verdict[] =>
  spectrograms.map((spectrogram, i) => network(p.at("discriminators").at(i), spectrogram, c.filters));

// --- internal ---

/** Ever wider in time, ever fewer bins; a kernel's sides are [frames, bins]. */
function network(p: Scope, spectrogram: Value, width: number): Verdict {
  const layers = [
    { kernel: [3, 9], stride: 1, dilation: 1, plain: true }, // the reference, too, leaves weight norm out here
    { kernel: [3, 9], stride: 2, dilation: 1 },
    { kernel: [3, 9], stride: 2, dilation: 2 },
    { kernel: [3, 9], stride: 2, dilation: 4 },
    { kernel: [3, 3], stride: 1, dilation: 1 },
  ] as const;
  const features: Value[] = [];
  let x = spectrogram;
  for (const [i, layer] of layers.entries()) {
    x = ops.leakyRelu(conv(p.at("convs").at(i).at("conv"), x, width, layer), 0.3);
    features.push(x);
  }
  const logits = conv(p.at("conv_post").at("conv"), x, 1, { kernel: [3, 3], stride: 1, dilation: 1 });
  return { logits, features };
}

interface Layer {
  readonly kernel: readonly [number, number];
  /** Along bins. */
  readonly stride: number;
  /** Along frames. */
  readonly dilation: number;
  /** Without weight norm. */
  readonly plain?: boolean;
}

/** x [B, C, frames, bins] -> [B, width, frames, ceil(bins / stride)] */
function conv(p: Scope, x: Value, width: number, { kernel, stride, dilation, plain }: Layer): Value {
  const shape = [width, known(x.shape[1], "channels"), ...kernel];
  const weight = plain === true ? p.weight("weight", shape) : normed(p, shape);
  const [frames, bins] = [((kernel[0] - 1) * dilation) / 2, (kernel[1] - 1) / 2];
  const margins = [
    [frames, frames],
    [bins, bins],
  ] as const;
  return ops.conv(x, weight, p.weight("bias", [width]), [1, stride], [dilation, 1], margins);
}

/** w = g v / |v|, the norm of each output's kernel. */
function normed(p: Scope, shape: readonly number[]): Value {
  const v = p.weight("weight_v", shape);
  return ops.mul(v, ops.div(p.weight("weight_g", [shape[0]!, 1, 1, 1]), ops.reduceL2(v, [1, 2, 3])));
}
