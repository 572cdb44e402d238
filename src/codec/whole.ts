/** @file The codec as one graph, for clips of one known length: what learns sees whole clips, where streaming sees pieces. */

import { constant, known, type Scope, type Value } from "../graph/value.js";
import { tensor } from "../tensor.js";
import type { CodecConfig } from "./config.js";
import { pad } from "./conv.js";
import { convPadding } from "./padding.js";
import * as seanet from "./seanet.js";

/** Waveform [B, channels, N] -> latent [B, dimension, ceil(N / hop)], B and N known. */
export function encoder(p: Scope, waveform: Value, c: CodecConfig): Value {
  const inside = recur(seanet.encoderLstm, p, seanet.encoderConvolutions(p, waveform, c), c);
  return seanet.encoderEnd(p, padFor(c.last_kernel_size, inside, c), c);
}

/** Latent [B, dimension, T] -> waveform [B, channels, hop T], B and T known. */
export function decoder(p: Scope, latent: Value, c: CodecConfig): Value {
  const start = seanet.decoderStart(p, padFor(c.kernel_size, latent, c), c);
  return seanet.decoderConvolutions(p, recur(seanet.decoderLstm, p, start, c), c);
}

// --- internal ---

function recur(lstm: typeof seanet.encoderLstm, p: Scope, x: Value, c: CodecConfig): Value {
  if (c.num_lstm_layers === 0) return x;
  const silence = constant(tensor("float32", [c.num_lstm_layers, known(x.shape[0], "a batch"), seanet.innerWidth(c)]));
  return lstm(p, x, { hidden: silence, cell: silence }, c).x;
}

function padFor(kernel: number, x: Value, c: CodecConfig): Value {
  return pad(x, convPadding(kernel, 1, 1, known(x.shape[2], "a clip's length"), c.use_causal_conv), c);
}
