/** @file For tests: the golden set of the codec's training, under our names. */

import assert from "node:assert/strict";
import { type CodecConfig, codecConfig } from "../src/codec/config.js";
import type { Tensor } from "../src/tensor.js";
import type { DiscriminatorConfig } from "../src/train/discriminator.js";
import { codecFromAudiocraft } from "./audiocraft-names.js";
import { readGolden, readGoldenJson } from "./golden.js";

const folder = "encodec_train_tiny";
const { seanet, rvq, msstftd, ...rest } = readGoldenJson<{
  seanet: Record<string, never>;
  rvq: { n_q: number; bins: number };
  msstftd: { n_ffts: number[]; filters: number };
  sample_rate: number;
}>(folder);

export const inputs = readGolden(folder, "inputs.safetensors");
export const expected = readGolden(folder);
export const codebooks = rvq.n_q;
export const config: CodecConfig = codecConfig(
  {
    sampling_rate: rest.sample_rate,
    audio_channels: 1,
    hidden_size: seanet.dimension,
    num_filters: seanet.n_filters,
    num_residual_layers: seanet.n_residual_layers,
    upsampling_ratios: seanet.ratios,
    use_causal_conv: seanet.causal,
    pad_mode: seanet.pad_mode,
    num_lstm_layers: seanet.lstm,
    codebook_size: rvq.bins,
    use_conv_shortcut: false,
  },
  folder,
);

export const discriminator: DiscriminatorConfig = { ffts: msstftd.n_ffts, filters: msstftd.filters };

/** The tensors whose names start with `prefix`, without it; the codec's under our names. */
export const family = (prefix: string, tensors: ReadonlyMap<string, Tensor> = expected): Map<string, Tensor> =>
  codecFromAudiocraft(
    new Map(
      [...tensors].flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
    ),
  );

const model = readGolden(folder, "model.safetensors");
/** The codec's and its codebooks' numbers at the start, and the discriminators'. */
export const codecWeights = family("model.", model);
export const discriminatorWeights = family("disc.", model);

/** Every number of a gradient is the reference's: the golden README's advice. */
export function assertSlope(ours: Tensor, theirs: Tensor | undefined, name: string): void {
  assert.ok(theirs !== undefined, `the reference has no slope for ${name}`);
  const largest = (theirs.data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assertClose(ours, theirs, 1e-6 + 2e-4 * largest, name);
}

/** No number differs by more than `most`. */
export function assertClose(ours: Tensor | undefined, theirs: Tensor | undefined, most: number, name: string): void {
  assert.ok(ours !== undefined && theirs !== undefined, `${name} is missing`);
  assert.deepEqual([...ours.shape], [...theirs.shape], name);
  for (const [i, value] of ours.data.entries()) {
    const off = Math.abs(Number(value) - Number(theirs.data[i]));
    assert.ok(off <= most, `${name}[${i}]: ${value}, reference ${theirs.data[i]}`);
  }
}
