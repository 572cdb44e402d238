/** @file Sound that grows with the codes: decoded beside the language model, while it composes the rest. */

import type { Waveform } from "./audio/waveform.js";
import type { DecoderStream, Samples } from "./codec/decoder.js";
import { type Codes, frameCount, joinFrames } from "./codes.js";
import { HocketError } from "./errors.js";
import type { MusicModel } from "./model.js";
import type { GenerateEvent } from "./request.js";
import { joinChannels, splitSides } from "./sound.js";

export class GrowingSound {
  readonly #decoder: Promise<DecoderStream>;
  readonly #heard: Float32Array[][][]; // [piece][channel][chunk]
  #waiting: Codes[] | undefined;
  #wanted = firstSound;
  #decoding: Promise<void> = Promise.resolve();
  #ready: GenerateEvent[] = [];
  #failed: unknown;
  #samples = 0;

  constructor(
    readonly model: MusicModel,
    readonly pieces: number,
  ) {
    this.#decoder = model.codec.decoder(model.lm.config.num_codebooks / model.sides);
    this.#decoder.catch(() => {}); // whoever awaits it is told
    this.#heard = Array.from({ length: pieces }, () => Array.from({ length: model.sides }, () => []));
  }

  /**
   * More frames of every piece. Little is decoded at first, so that something is heard soon; then more, up to a second at a
   * time. The first sound is waited for, all other is decoded while composing goes on.
   */
  async push(grids: readonly Codes[]): Promise<void> {
    this.#waiting = this.#waiting?.map((grid, i) => joinFrames([grid, grids[i]!])) ?? [...grids];
    if (frameCount(this.#waiting[0]!) < this.#wanted * this.model.codec.frameRate) return;
    this.#wanted = Math.min(1, 2 * this.#wanted);
    this.#flush();
    if (this.#samples === 0) await this.#decoding;
  }

  /** What has been decoded since the last call. @throws what decoding failed of */
  *ready(): Generator<GenerateEvent> {
    if (this.#failed !== undefined) throw this.#failed;
    const events = this.#ready;
    this.#ready = [];
    yield* events;
  }

  async finish(): Promise<void> {
    this.#flush();
    this.#decode((decoder) => decoder.finish(this.pieces * this.model.sides));
    await this.#decoding;
  }

  waveform(piece: number): Waveform {
    return { sampleRate: this.model.codec.sampleRate, channels: this.#heard[piece]!.map(concatenate) };
  }

  #flush(): void {
    const grids = this.#waiting;
    this.#waiting = undefined;
    if (grids === undefined || frameCount(grids[0]!) === 0) return;
    const split = grids.flatMap((grid) => splitSides(grid, this.model.sides));
    this.#decode((decoder) => decoder.push(split));
  }

  /** One after the other. After a failure there is no more sound. */
  #decode(work: (decoder: DecoderStream) => Promise<Samples>): void {
    this.#decoding = this.#decoding.then(async () => {
      if (this.#failed !== undefined) return;
      try {
        this.#take(await work(await this.#decoder));
      } catch (error) {
        this.#failed = error;
      }
    });
  }

  #take(samples: Samples): void {
    const length = samples[0]![0]!.length;
    if (length === 0) return;
    const { sampleRate } = this.model.codec;
    for (const [piece, channels] of joinChannels(samples, this.model.sides).entries()) {
      if (channels.some((row) => row.some((sample) => !Number.isFinite(sample))))
        throw new HocketError("internal", "the codec's sound is not a number");
      for (const [c, row] of channels.entries()) this.#heard[piece]![c]!.push(row);
      this.#ready.push({ type: "audio", piece, at: this.#samples / sampleRate, waveform: { sampleRate, channels } });
    }
    this.#samples += length;
  }
}

// --- internal ---

/** Seconds that are decoded at first. */
const firstSound = 0.2;

function concatenate(rows: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    whole.set(row, at);
    at += row.length;
  }
  return whole;
}
