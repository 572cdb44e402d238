/**
 * @file Codes to waveform, as the codes arrive. The recurrence carries its state; the convolutions re-read a few frames
 * on each side; so the sound equals that of decoding the whole clip, and memory does not grow with its length.
 */

import { type Codes, frameCount, sliceFrames } from "../codes.js";
import type { Session } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { type CodecConfig, hop } from "./config.js";
import { cut, Frames } from "./frames.js";
import { convPadding } from "./padding.js";
import { Convolved, Recurrent } from "./pipeline.js";
import { decoderContext, innerWidth } from "./seanet.js";

/** The decoder's graphs: codes -> latent; padded latent -> recurrence; recurrence -> waveform. */
export interface DecoderSessions {
  readonly latent: Session;
  readonly start: Session;
  readonly convolutions: Session;
}

/** Samples of a batch: [B][channels][n], all of one length. */
export type Samples = readonly (readonly Float32Array[])[];

export class DecoderStream {
  readonly #latent: Convolved;
  readonly #recurrent: Recurrent;
  readonly #inner = new Frames();
  readonly #context: number;
  #done = 0; // frames whose samples have been returned

  /** @param window frames a pass; group norm looks at the whole clip, so then there is one pass, at the end */
  constructor(
    readonly sessions: DecoderSessions,
    readonly config: CodecConfig,
    readonly window = config.norm_type === "time_group_norm" ? Number.POSITIVE_INFINITY : 100,
  ) {
    this.#latent = new Convolved(convPadding(config.kernel_size, 1, 1, 0, config.use_causal_conv), config.pad_mode);
    this.#recurrent = new Recurrent(sessions.start, config.num_lstm_layers, innerWidth(config));
    this.#context = decoderContext(config);
  }

  /** The next frames of every batch item. Returns the samples that are now certain (maybe none yet). */
  async push(batch: readonly Codes[]): Promise<Samples> {
    const pieces: Tensor[] = [];
    const frames = frameCount(batch[0]!);
    for (let start = 0; start < frames; start += this.window) {
      await this.#append(batch.map((codes) => sliceFrames(codes, start, start + this.window)));
      if (Number.isFinite(this.window)) pieces.push(...(await this.#advance(false)));
    }
    return joined(pieces, batch.length, this.config.audio_channels);
  }

  /** The clip ends here: what is left of it. */
  async finish(batchSize: number): Promise<Samples> {
    return joined(await this.#advance(true), batchSize, this.config.audio_channels);
  }

  async #append(batch: readonly Codes[]): Promise<void> {
    const result = await this.sessions.latent.run({ codes: codesTensor(batch) });
    this.#latent.append(result.latent!);
  }

  async #advance(last: boolean): Promise<Tensor[]> {
    const window = this.#latent.next(last);
    if (window !== undefined) this.#inner.append(await this.#recurrent.run(window));
    const { end } = this.#inner;
    const pieces: Tensor[] = [];
    const until = last ? end : end - this.#context;
    while (this.#done < until) {
      const to = Math.min(until, this.#done + this.window);
      const from = Math.max(0, this.#done - this.#context);
      const x = this.#inner.window(from, Math.min(end, to + this.#context));
      const { waveform } = await this.sessions.convolutions.run({ x });
      const samples = hop(this.config);
      pieces.push(cut(waveform!, (this.#done - from) * samples, (to - from) * samples));
      this.#done = to;
      this.#inner.drop(to - this.#context);
    }
    return pieces;
  }
}

/** [B][K][T] -> int64 [B, K, T]. */
export function codesTensor(batch: readonly Codes[]): Tensor<"int64"> {
  const [codebooks, frames] = [batch[0]!.length, frameCount(batch[0]!)];
  const data = new BigInt64Array(batch.length * codebooks * frames);
  for (const [b, grid] of batch.entries())
    for (const [k, row] of grid.entries())
      for (let t = 0; t < frames; t++) data[(b * codebooks + k) * frames + t] = BigInt(row[t]!);
  return tensor("int64", [batch.length, codebooks, frames], data);
}

// --- internal ---

function joined(pieces: readonly Tensor[], batch: number, channels: number): Samples {
  const length = pieces.reduce((sum, piece) => sum + piece.shape[2]!, 0);
  return Array.from({ length: batch }, (_, b) =>
    Array.from({ length: channels }, (_, c) => {
      const row = new Float32Array(length);
      let at = 0;
      for (const piece of pieces) {
        const size = piece.shape[2]!;
        const start = (b * channels + c) * size;
        row.set((piece.data as Float32Array).subarray(start, start + size), at);
        at += size;
      }
      return row;
    }),
  );
}
