/**
 * @file SEANet: the encoder and the decoder around the quantiser, each in the pieces between which a long clip can be
 * cut: convolutions (a few frames of context decide a frame), the recurrence (the past decides), one more convolution.
 * Layers are numbered as in published checkpoints, where activations count too. Source: EnCodec (arXiv 2210.13438),
 * spec §1.2.
 */

import * as ops from "../graph/ops.js";
import { known, type Scope, type Value } from "../graph/value.js";
import type { CodecConfig } from "./config.js";
import { conv, convPadded, convToFew, convTranspose } from "./conv.js";
import { lstm, type Recurrence } from "./lstm.js";

/** Channels at the frame rate, inside: filters doubled at each ratio. */
export const innerWidth = (c: CodecConfig): number => c.num_filters * 2 ** c.upsampling_ratios.length;

/** Waveform [B, channels, N] -> [B, inner width, ceil(N / hop)]. N must be known. */
export function encoderConvolutions(p: Scope, waveform: Value, c: CodecConfig): Value {
  let index = 0;
  const layer = (x: (p: Scope) => Value) => named(p, "encoder", index++, x);
  let width = c.num_filters;
  let x = layer((q) => conv(q, waveform, width, { kernel: c.kernel_size }, c));
  for (const stride of [...c.upsampling_ratios].reverse()) {
    for (let j = 0; j < c.num_residual_layers; j++)
      x = layer((q) => residualBlock(q, x, c.dilation_growth_rate ** j, c));
    x = layer(() => ops.elu(x));
    width *= 2;
    x = layer((q) => conv(q, x, width, { kernel: 2 * stride, stride }, c));
  }
  return x;
}

/** The recurrence at the encoder's end, or the decoder's start. x [B, inner width, T] -> the same. */
export function encoderLstm(p: Scope, x: Value, state: { hidden: Value; cell: Value }, c: CodecConfig): Recurrence {
  return named(
    p,
    "encoder",
    encoderLstmIndex(c),
    (q) => lstm(q, x, c.num_lstm_layers, state),
    (y) => y.x,
  );
}

/** x [B, inner width, T + padding] -> the latent [B, dimension, T]. */
export function encoderEnd(p: Scope, x: Value, c: CodecConfig): Value {
  const first = encoderLstmIndex(c) + (c.num_lstm_layers > 0 ? 1 : 0);
  const active = named(p, "encoder", first, () => ops.elu(x));
  return named(p, "encoder", first + 1, (q) => convPadded(q, active, c.hidden_size, { kernel: c.last_kernel_size }, c));
}

/** Latent [B, dimension, T + padding] -> [B, inner width, T]. */
export const decoderStart = (p: Scope, latent: Value, c: CodecConfig): Value =>
  named(p, "decoder", 0, (q) => convPadded(q, latent, innerWidth(c), { kernel: c.kernel_size }, c));

export const decoderLstm = (p: Scope, x: Value, state: { hidden: Value; cell: Value }, c: CodecConfig): Recurrence =>
  named(
    p,
    "decoder",
    1,
    (q) => lstm(q, x, c.num_lstm_layers, state),
    (y) => y.x,
  );

/** [B, inner width, T] -> waveform [B, channels, hop T]. */
export function decoderConvolutions(p: Scope, start: Value, c: CodecConfig): Value {
  let index = c.num_lstm_layers > 0 ? 2 : 1;
  const layer = (x: (p: Scope) => Value) => named(p, "decoder", index++, x);
  let x = start;
  let width = innerWidth(c);
  for (const stride of c.upsampling_ratios) {
    x = layer(() => ops.elu(x));
    width /= 2;
    x = layer((q) => convTranspose(q, x, width, stride, c));
    for (let j = 0; j < c.num_residual_layers; j++)
      x = layer((q) => residualBlock(q, x, c.dilation_growth_rate ** j, c));
  }
  x = layer(() => ops.elu(x));
  return layer((q) => convToFew(q, x, c.audio_channels, c.last_kernel_size, c));
}

/** How many frames on each side can change what `decoderConvolutions` makes of a frame. */
export function decoderContext(c: CodecConfig): number {
  const reach = (kernel: number, dilation = 1) => (kernel - 1) * dilation;
  const residual = Array.from({ length: c.num_residual_layers }, (_, j) =>
    reach(c.residual_kernel_size, c.dilation_growth_rate ** j),
  ).reduce((a, b) => a + b, 0);
  // From the last layer back to the first; a transposed convolution mixes each frame with one neighbour.
  return [...c.upsampling_ratios]
    .reverse()
    .reduce((samples, stride) => Math.ceil((samples + residual) / stride) + 1, reach(c.last_kernel_size));
}

/** The same for `encoderConvolutions`: how many frames of waveform on each side can change a frame. */
export function encoderContext(c: CodecConfig): number {
  const reach = (kernel: number, dilation = 1) => (kernel - 1) * dilation;
  let samples = reach(c.kernel_size);
  let rate = 1; // samples per step at this depth
  for (const stride of [...c.upsampling_ratios].reverse()) {
    for (let j = 0; j < c.num_residual_layers; j++)
      samples += rate * reach(c.residual_kernel_size, c.dilation_growth_rate ** j);
    samples += rate * reach(2 * stride);
    rate *= stride;
  }
  return Math.ceil(samples / rate);
}

// --- internal ---

/** shortcut(x) + block(x): ELU, a dilated convolution to fewer channels, ELU, a convolution of kernel 1 back. */
function residualBlock(p: Scope, x: Value, dilation: number, c: CodecConfig): Value {
  const width = known(x.shape[1], "channels");
  const block = p.at("block");
  const narrow = conv(block.at(1), ops.elu(x), width / c.compress, { kernel: c.residual_kernel_size, dilation }, c);
  const wide = conv(block.at(3), ops.elu(narrow), width, { kernel: 1 }, c);
  return ops.add(c.use_conv_shortcut ? conv(p.at("shortcut"), x, width, { kernel: 1 }, c) : x, wide);
}

const encoderLstmIndex = (c: CodecConfig): number => 1 + c.upsampling_ratios.length * (c.num_residual_layers + 2);

/** Layer `index` of a side, under its published name, which is also the name under which its output can be seen. */
function named<T = Value>(
  p: Scope,
  side: "encoder" | "decoder",
  index: number,
  make: (p: Scope) => T,
  output: (made: T) => Value = (made) => made as Value,
): T {
  const made = make(p.at(side).at("layers").at(index));
  p.at(side).tap(`layers.${index}`, output(made));
  return made;
}
