/** @file How good a codec in training is: what becomes of clips that it does not learn from. */

import type { CodecConfig } from "../codec/config.js";
import type { Samples } from "../codec/decoder.js";
import { dequantize, quantize } from "../codec/rvq.js";
import * as whole from "../codec/whole.js";
import { type Codes, codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input, Scope } from "../graph/value.js";
import type { Fed, Runtime, SessionOptions } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { melScales, multiScaleMel } from "./spectral.js";

export interface Heard {
  /** [clip][C][N], as the clips */
  readonly made: Samples;
  /** [clip] of [K][T] */
  readonly grids: readonly Codes[];
  /** Mean distance of the clips as mel spectrograms. */
  readonly mel: number;
}

/** Clips that go through the codec together. */
const together = 4;

/**
 * A function that puts clips [clip][C][N], all of one length, through the codec whose weights and codebooks it is given.
 */
export async function codecChecker(
  runtime: Runtime,
  c: CodecConfig,
  codebooks: number,
  clips: Samples,
  options: SessionOptions,
): Promise<(weights: Fed) => Promise<Heard>> {
  const [channels, samples] = [c.audio_channels, clips[0]![0]!.length];
  const batch = Math.min(together, clips.length);
  const p = new Scope();
  const sound = input("sound", "float32", [batch, channels, samples]);
  const grid = quantize(p, whole.encoder(p, sound, c), codebooks, c);
  const made = ops.slice(whole.decoder(p, dequantize(p, grid, codebooks, c), c), 2, 0, samples);
  const outputs = { made, grid, mel: multiScaleMel(made, sound, melScales(c.sampling_rate)) };
  const session = await compile(runtime, outputs, async () => new Map(), options);

  return async (weights) => {
    const fed = Object.fromEntries([...p.weights.keys()].map((name) => [name, weights[name]!]));
    const heard: { made: Float32Array[][]; grids: Codes[]; mel: number } = { made: [], grids: [], mel: 0 };
    for (let first = 0; first < clips.length; first += batch) {
      // The last batch is filled up with the last clip, which is then counted once.
      const chosen = Array.from({ length: batch }, (_, i) => clips[Math.min(first + i, clips.length - 1)]!);
      const count = Math.min(batch, clips.length - first);
      const result = await session.run({ sound: joined(chosen, channels, samples), ...fed });
      heard.mel += ((result.mel!.data as Float32Array)[0]! * count) / clips.length;
      for (let b = 0; b < count; b++) {
        const rows = (data: Tensor["data"], of: number, length: number) =>
          Array.from({ length: of }, (_, i) => data.slice((b * of + i) * length, (b * of + i + 1) * length));
        heard.made.push(rows(result.made!.data, channels, samples) as Float32Array[]);
        const frames = result.grid!.shape[2]!;
        heard.grids.push(codes(rows(result.grid!.data, codebooks, frames).map((row) => Int32Array.from(row, Number))));
      }
    }
    return heard;
  };
}

// --- internal ---

function joined(clips: Samples, channels: number, samples: number): Tensor {
  const all = new Float32Array(clips.length * channels * samples);
  for (const [b, clip] of clips.entries())
    for (const [i, row] of clip.entries()) all.set(row, (b * channels + i) * samples);
  return tensor("float32", [clips.length, channels, samples], all);
}
