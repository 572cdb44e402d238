/**
 * @file EnCodec: waveform to codes and back (arXiv 2210.13438). Holds the compiled pieces of one codec, each compiled
 * when it is first needed, since most uses need only one direction.
 */

import type { Codes } from "../codes.js";
import { HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import { Sessions } from "../graph/sessions.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { Runtime, SessionOptions } from "../platform/platform.js";
import { chunkBounds, loudness, overlapAdd, scaled } from "./chunks.js";
import { type CodecConfig, chunking, codebooksFor, frameRate, hop } from "./config.js";
import { type DecoderSessions, DecoderStream, type Samples } from "./decoder.js";
import { type EncoderSessions, encodeClip } from "./encoder.js";
import { lstmState } from "./lstm.js";
import { dequantize, quantize } from "./rvq.js";
import * as seanet from "./seanet.js";

/** What a clip becomes: one chunk, or several for codecs that work in chunks. All batch items have the same length. */
export interface Chunk {
  /** [B] grids of [K][T] */
  readonly codes: readonly Codes[];
  /** [B]: what the decoded samples are multiplied by, for codecs that normalise. */
  readonly scale?: Float32Array;
}

export interface EncodeOptions {
  /** kbit/s, one of the codec's; without it every codebook is used. */
  readonly bandwidth?: number;
  readonly signal?: AbortSignal;
  /** Frames a pass. */
  readonly window?: number;
}

export class Encodec {
  readonly #sessions: Sessions;
  #encoding: Promise<unknown> = Promise.resolve();

  /** @param codebooks how many the checkpoint holds */
  constructor(
    readonly config: CodecConfig,
    readonly codebooks: number,
    runtime: Runtime,
    bind: Binder,
    options: SessionOptions = {},
  ) {
    this.#sessions = new Sessions(runtime, bind, options);
  }

  get sampleRate(): number {
    return this.config.sampling_rate;
  }
  get frameRate(): number {
    return frameRate(this.config);
  }
  /** Samples a frame. */
  get hop(): number {
    return hop(this.config);
  }

  /**
   * @param samples [B][channels][N], the codec's sample rate and channels
   * @throws HocketError "bad-request" for an empty clip, wrong channels, or a bandwidth that the codec does not have
   */
  async encode(samples: Samples, options: EncodeOptions = {}): Promise<Chunk[]> {
    const channels = samples[0]?.length ?? 0;
    const length = samples[0]?.[0]?.length ?? 0;
    if (length === 0) throw new HocketError("bad-request", "there is no audio to encode: the clip has no samples");
    if (channels !== this.config.audio_channels)
      throw new HocketError(
        "bad-request",
        `this codec wants ${this.config.audio_channels} channel(s), the clip has ${channels}`,
      );
    const kept = codebooksFor(this.config, options.bandwidth, this.codebooks);
    // One clip at a time: clips of different lengths would dispose of each other's sessions.
    const encoding = this.#encoding.then(() => this.#encode(samples, kept, options));
    this.#encoding = encoding.catch(() => {});
    return encoding;
  }

  async #encode(samples: Samples, kept: number, options: EncodeOptions): Promise<Chunk[]> {
    const length = samples[0]![0]!.length;
    const chunks: Chunk[] = [];
    for (const [start, end] of chunkBounds(length, chunking(this.config))) {
      const piece = samples.map((item) => item.map((row) => row.subarray(start, end)));
      const scale = this.config.normalize ? Float32Array.from(piece, loudness) : undefined;
      const level = scale === undefined ? piece : piece.map((item, b) => scaled(item, 1 / scale[b]!));
      const grids = await encodeClip(await this.#encoder(), this.config, level, options);
      const codes = grids.map((grid) => grid.slice(0, kept) as unknown as Codes);
      chunks.push(scale === undefined ? { codes } : { codes, scale });
    }
    return chunks;
  }

  /** @returns [B][channels][hop T], not clipped; for chunked codecs joined with overlap */
  async decode(chunks: readonly Chunk[], options: { signal?: AbortSignal } = {}): Promise<Samples> {
    const decoded: Samples[] = [];
    for (const { codes, scale } of chunks) {
      options.signal?.throwIfAborted();
      const stream = await this.decoder(codes[0]!.length);
      const [head, tail] = [await stream.push(codes), await stream.finish(codes.length)];
      const whole = head.map((item, b) => item.map((row, c) => join(row, tail[b]![c]!)));
      decoded.push(scale === undefined ? whole : whole.map((item, b) => scaled(item, scale[b]!)));
    }
    const chunk = chunking(this.config);
    if (chunk === undefined || decoded.length === 1) return decoded[0]!;
    return decoded[0]!.map((_, b) =>
      overlapAdd(
        decoded.map((samples) => samples[b]!),
        chunk.stride,
      ),
    );
  }

  /** Decodes codes of `codebooks` rows as they arrive. For codecs without chunks. */
  async decoder(codebooks = this.codebooks, window?: number): Promise<DecoderStream> {
    if (codebooks > this.codebooks)
      throw new HocketError("bad-request", `the codes have ${codebooks} codebooks, this codec has ${this.codebooks}`);
    return new DecoderStream(await this.#decoder(codebooks), this.config, window);
  }

  /** A binder for every weight of the codec, so that a checkpoint can be checked whole before anything is compiled. */
  describe(): Scope {
    const p = new Scope();
    for (const describe of Object.values(this.#graphs(p, this.hop, this.codebooks))) describe();
    return p;
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  async #encoder(): Promise<EncoderSessions> {
    return {
      convolutions: async (length) => {
        // One length at a time: the passes over a clip need one session, and another for its end.
        const name = `features ${length}`;
        await this.#sessions.dispose((other) => other.startsWith("features") && other !== name);
        return this.#sessions.get(name, (p) => this.#graphs(p, length, this.codebooks).features());
      },
      recurrence: await this.#sessions.get("recurrence", (p) => this.#graphs(p, this.hop, this.codebooks).recurrence()),
      end: await this.#sessions.get("codes", (p) => this.#graphs(p, this.hop, this.codebooks).end()),
    };
  }

  async #decoder(codebooks: number): Promise<DecoderSessions> {
    const [latent, start, convolutions] = await Promise.all([
      this.#sessions.get(`latent ${codebooks}`, (p) => this.#graphs(p, this.hop, codebooks).latent()),
      this.#sessions.get("start", (p) => this.#graphs(p, this.hop, codebooks).start()),
      this.#sessions.get("waveform", (p) => this.#graphs(p, this.hop, codebooks).waveform()),
    ]);
    return { latent, start, convolutions };
  }

  /** Every graph of the codec: its outputs, once it is asked for. */
  #graphs(p: Scope, length: number, codebooks: number) {
    const c = this.config;
    const width = seanet.innerWidth(c);
    const x = input("x", "float32", ["B", width, "T"]);
    const state = lstmState(c.num_lstm_layers, width);
    const latent = input("x", "float32", ["B", c.hidden_size, "T"]);
    const wave = input("waveform", "float32", ["B", c.audio_channels, length]);
    const recur = (inside: Value, lstm: typeof seanet.encoderLstm): Record<string, Value> =>
      c.num_lstm_layers === 0 ? { x: inside } : { ...lstm(p, inside, state, c) };
    return {
      features: () => ({ features: seanet.encoderConvolutions(p, wave, c) }),
      recurrence: () => recur(x, seanet.encoderLstm),
      end: () => ({
        codes: quantize(p, seanet.encoderEnd(p, input("features", "float32", ["B", width, "T"]), c), codebooks, c),
      }),
      latent: () => ({ latent: dequantize(p, input("codes", "int64", ["B", codebooks, "T"]), codebooks, c) }),
      start: () => recur(seanet.decoderStart(p, latent, c), seanet.decoderLstm),
      waveform: () => ({ waveform: seanet.decoderConvolutions(p, x, c) }),
    };
  }
}

// --- internal ---

function join(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
