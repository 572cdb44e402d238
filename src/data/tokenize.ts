/** @file Every recording of a data folder as codes and pitch classes, kept for training (spec §8.3, token cache). */

import { inThreads } from "#platform";
import { type Codes, codes } from "../codes.js";
import { HocketError } from "../errors.js";
import type { CodecModel } from "../model.js";
import { joinSides } from "../sound.js";
import { pathOf, readManifest } from "./manifest.js";
import { type Made, TokenCache, type TokenFormat, tokenFormat } from "./token-cache.js";
import type { Heard, Task } from "./tokenize-task.js";

export interface TokenizeEvent {
  readonly done: number;
  readonly recordings: number;
  /** Seconds of sound encoded so far; what had been before does not count. */
  readonly seconds: number;
  /** A recording that cannot be encoded, with the reason. */
  readonly skipped?: string;
}

export interface TokenizeOptions {
  /** That decode; encoding has its own. */
  readonly threads: number;
  /** Who encodes; this process with the model, if not said. */
  readonly encoder?: Encoder | undefined;
  readonly signal?: AbortSignal;
}

/** Turns sounds of one length, made for the codec, into codes. */
export interface Encoder {
  /** How many batches it is given before the first is waited for. */
  readonly ahead: number;
  /** [B][channels][N] -> [B] grids. */
  encode(clips: Clips, signal: AbortSignal | undefined): Promise<Codes[]>;
}

export type Clips = readonly (readonly Float32Array[])[];

/**
 * Encodes what has no tokens of this codec yet, or has changed. What was stopped goes on where it was: a file of tokens is
 * written every so many recordings, and when it stops. What is encoded together, and what lies in which file, is the same
 * whoever encodes.
 */
export async function* tokenize(
  folder: string,
  model: CodecModel,
  { threads, encoder = encoderOf(model), signal }: TokenizeOptions,
): AsyncGenerator<TokenizeEvent, { readonly seconds: number; readonly skipped: number }> {
  const format = await tokenFormat(model);
  const cache = await TokenCache.open(folder, format);
  // Recordings of one length lie side by side, and are encoded together.
  const entries = (await readManifest(folder)).toSorted((a, b) => a.duration - b.duration);
  const tasks = entries.map(
    (entry): Task => ({
      path: pathOf(folder, entry),
      known: cache.fingerprintOf(entry),
      format,
      chroma: format.chroma,
    }),
  );
  const most = batchSamples / model.codec.config.num_filters;
  const made: Made[] = [];
  const underway: Promise<readonly Made[]>[] = []; // in order
  let batch: Waiting[] = [];
  let [done, samples, skipped] = [0, 0, 0];
  let { silence } = cache;
  let silent = silence.length === 0 ? undefined : Promise.resolve(silence);

  const send = (): void => {
    const sent = batch;
    batch = [];
    silent ??= encodeSilence(encoder, format, signal);
    const clips = sent.map(({ channels }) => channels);
    const result = silent.then(async (codes) => {
      silence = codes;
      const grids = await encoder.encode(clips, signal);
      return sent.map(({ path, fingerprint, chroma }, i) => ({
        path,
        fingerprint,
        tokens: { codes: grids[i]!, chroma },
      }));
    });
    result.catch(() => {}); // whoever takes it is told
    underway.push(result);
  };
  const take = async (left: number): Promise<void> => {
    for (; underway.length > left; underway.shift()) {
      made.push(...(await underway[0]!));
      if (made.length >= shardSize) await cache.keep(made.splice(0), silence);
    }
  };
  try {
    for await (const { result: heard } of inThreads<Task, Heard>(module, "hear", tasks, threads)) {
      signal?.throwIfAborted();
      if (heard instanceof HocketError) throw heard;
      const entry = entries[done++]!;
      const { fingerprint, sound, reason } = heard;
      const event = { done, recordings: entries.length };
      if (reason !== undefined) {
        skipped++;
        underway.push(Promise.resolve([{ path: entry.path, fingerprint, tokens: undefined }]));
        yield { ...event, seconds: samples / format.sampleRate, skipped: reason };
      } else if (sound !== undefined) {
        const length = sound.channels[0]!.length;
        if (batch.length > 0 && (length !== batch[0]!.channels[0]!.length || (batch.length + 1) * length > most))
          send();
        batch.push({ path: entry.path, fingerprint, ...sound });
        samples += length;
      }
      await take(encoder.ahead);
      yield { ...event, seconds: samples / format.sampleRate };
    }
    if (batch.length > 0) send();
    await take(0);
    return { seconds: samples / format.sampleRate, skipped };
  } finally {
    if (made.length > 0) await cache.keep(made, silence);
    await cache.close();
  }
}

/** This process, with a model. */
export const encoderOf = ({ codec, sides }: CodecModel): Encoder => ({
  ahead: 0,
  async encode(clips, signal) {
    const sounds = sides === 1 ? clips : clips.flatMap((channels) => channels.map((side) => [side]));
    const [chunk] = await codec.encode(sounds, { window, ...(signal === undefined ? {} : { signal }) });
    return clips.map((_, b) =>
      sides === 1 ? codes(chunk!.codes[b]!) : joinSides(chunk!.codes.slice(2 * b, 2 * b + 2)),
    );
  },
});

// --- internal ---

const module = new URL("./tokenize-task.js", import.meta.url);

/** Recordings a file. */
const shardSize = 128;
/** Samples encoded at once, times the channels of the codec's first layer: some 500 MB while it is at work. */
const batchSamples = 2 ** 25;
/** Frames that the encoder sees at once: whole clips of 30 s, so that those of one length share a graph. */
const window = 1500;

interface Waiting {
  readonly path: string;
  readonly fingerprint: string;
  readonly channels: readonly Float32Array[];
  readonly chroma: Uint8Array;
}

/** [K] the codes of a frame with a second of silence before and behind it. */
async function encodeSilence(
  encoder: Encoder,
  { channels, sampleRate }: TokenFormat,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const second = Array.from({ length: channels }, () => new Float32Array(2 * sampleRate));
  const [grid] = await encoder.encode([second], signal);
  return Int32Array.from(grid!, (row) => row[row.length >> 1]!);
}
