/**
 * @file A codec model at work on sound as people have it: any sample rate, mono or stereo. Stereo MusicGen models code
 * left and right with a mono codec and put their codebooks in turn (spec §7.3).
 */

import { resample } from "./audio/resample.js";
import { type Waveform, withChannels } from "./audio/waveform.js";
import type { Samples } from "./codec/decoder.js";
import type { Chunk } from "./codec/encodec.js";
import { type Codes, codes } from "./codes.js";
import { HocketError } from "./errors.js";
import type { CodecModel } from "./model.js";

/** A waveform as codes, [1] grid a chunk. Same errors as `Encodec.encode`. */
export async function encodeWaveform(
  model: CodecModel,
  waveform: Waveform,
  options: { bandwidth?: number; signal?: AbortSignal } = {},
): Promise<Chunk[]> {
  const { codec, sides } = model;
  const sound = withChannels(resample(waveform, codec.sampleRate), sides === 1 ? codec.config.audio_channels : sides);
  const batch = sides === 1 ? [sound.channels] : sound.channels.map((side) => [side]);
  const chunks = await codec.encode(batch, options);
  return chunks.map((chunk) => ({ ...chunk, codes: [joinSides(chunk.codes)] }));
}

/**
 * [B] waveforms of B grids, as the codec made them: not clipped.
 * @throws HocketError "bad-request" for codes that this codec does not have
 */
export async function decodeCodes(
  model: CodecModel,
  chunks: readonly Chunk[],
  signal?: AbortSignal,
): Promise<Waveform[]> {
  const { codec, sides } = model;
  for (const chunk of chunks) for (const grid of chunk.codes) checkCodes(model, grid);
  const split = chunks.map((chunk) => ({ ...chunk, codes: chunk.codes.flatMap((grid) => splitSides(grid, sides)) }));
  const samples = await codec.decode(split, signal === undefined ? {} : { signal });
  return joinChannels(samples, sides).map((channels) => ({ sampleRate: codec.sampleRate, channels }));
}

/** [sides] grids of [K][T] -> [sides K][T], in turn. */
export const joinSides = (grids: readonly Codes[]): Codes =>
  codes(grids[0]!.flatMap((_, k) => grids.map((grid) => grid[k]!)));

/** The inverse. */
export const splitSides = (grid: Codes, sides: number): Codes[] =>
  Array.from({ length: sides }, (_, side) => codes(grid.filter((_, k) => k % sides === side)));

/** What the codec made of split grids, [B sides][channels][N], as [B][channels][N]. */
export const joinChannels = (samples: Samples, sides: number): Float32Array[][] =>
  Array.from({ length: samples.length / sides }, (_, b) => samples.slice(b * sides, (b + 1) * sides).flat());

// --- internal ---

function checkCodes({ name, codec, sides }: CodecModel, grid: Codes): void {
  const most = codec.codebooks * sides;
  if (grid.length > most || grid.length % sides !== 0)
    throw new HocketError(
      "bad-request",
      `the codes have ${grid.length} codebooks, and ${name} decodes ${sides === 2 ? "pairs up to" : "up to"} ${most}`,
    );
  const bins = codec.config.codebook_size;
  for (const [k, row] of grid.entries()) {
    const t = row.findIndex((code) => code < 0 || code >= bins);
    if (t >= 0)
      throw new HocketError(
        "bad-request",
        `codebook ${k} has code ${row[t]} at frame ${t}, and ${name} has codes 0 to ${bins - 1}`,
      );
  }
}
