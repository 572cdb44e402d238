/**
 * @file A codec model at work on sound as people have it: any sample rate, mono or stereo. Stereo MusicGen models code
 * left and right with a mono codec and put their codebooks in turn (spec §7.3).
 */

import { resampleInTurns } from "./audio/resample.js";
import { sampleCount, type Waveform, waveformProblem, withChannels } from "./audio/waveform.js";
import { chunking, hop } from "./codec/config.js";
import type { Samples } from "./codec/decoder.js";
import type { Chunk } from "./codec/encodec.js";
import { type Codes, codes, frameCount } from "./codes.js";
import { HocketError } from "./errors.js";
import type { CodecModel } from "./model.js";

/**
 * A waveform as codes, [1] grid a chunk.
 * @throws HocketError "bad-request" for what is no sound, or a bandwidth that the codec does not have
 */
export async function encodeWaveform(
  model: CodecModel,
  waveform: Waveform,
  options: { bandwidth?: number; signal?: AbortSignal } = {},
): Promise<Chunk[]> {
  const { codec, sides } = model;
  const wrong = waveformProblem(waveform);
  if (wrong !== undefined) throw new HocketError("bad-request", `the sound cannot be encoded: ${wrong}`);
  const resampled = await resampleInTurns(waveform, codec.sampleRate, options.signal);
  if (sampleCount(resampled) === 0)
    throw new HocketError("bad-request", `the sound is too short: not one sample at ${codec.sampleRate} Hz`);
  const sound = withChannels(resampled, sides === 1 ? codec.config.audio_channels : sides);
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
  checkChunks(model, chunks);
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

/**
 * @param codebooks so many there must be; if not said, at most what the codec has
 * @throws HocketError "bad-request" for codes that this codec does not have
 */
export function checkCodes({ name, codec, sides }: CodecModel, grid: Codes, codebooks?: number): void {
  const most = codec.codebooks * sides;
  if (codebooks !== undefined && grid.length !== codebooks)
    throw new HocketError("bad-request", `the codes have ${grid.length} codebooks, and ${name} has ${codebooks}`);
  if (grid.length > most || grid.length % sides !== 0)
    throw new HocketError(
      "bad-request",
      `the codes have ${grid.length} codebooks, and ${name} decodes ${sides === 2 ? "pairs up to" : "up to"} ${most}`,
    );
  const bins = codec.config.codebook_size;
  for (const [k, row] of grid.entries()) {
    if (row.length !== grid[0]!.length)
      throw new HocketError("bad-request", `codebook ${k} has ${row.length} frames, codebook 0 has ${grid[0]!.length}`);
    const t = row.findIndex((code) => !(code >= 0 && code < bins));
    if (t >= 0)
      throw new HocketError(
        "bad-request",
        `codebook ${k} has code ${row[t]} at frame ${t}, and ${name} has codes 0 to ${bins - 1}`,
      );
  }
}

// --- internal ---

/** Chunks, their lengths and their scales are those of this codec: others would sound wrong in silence. */
function checkChunks({ name, codec }: CodecModel, chunks: readonly Chunk[]): void {
  const bad = (what: string) => new HocketError("bad-request", `${what}: are the codes those of another codec?`);
  const chunk = chunking(codec.config);
  if (chunk === undefined && chunks.length !== 1)
    throw bad(`the codes come in ${chunks.length} chunks, and ${name} works without`);
  let longest = chunk === undefined ? Number.POSITIVE_INFINITY : Math.ceil(chunk.length / hop(codec.config));
  const covered = chunk === undefined ? 1 : Math.ceil(chunk.stride / hop(codec.config)); // up to the next chunk
  for (const [i, { codes, scale }] of chunks.entries()) {
    if ((scale !== undefined) !== codec.config.normalize)
      throw bad(`chunk ${i} has ${scale ? "a" : "no"} scale, and ${name} ${scale ? "knows none" : "needs one"}`);
    if (scale !== undefined && !(scale.length === codes.length && scale.every((x) => Number.isFinite(x) && x > 0)))
      throw bad(`the scale of chunk ${i} is [${scale.join(", ")}], and ${codes.length} numbers above 0 are needed`);
    const frames = codes[0] === undefined ? 0 : frameCount(codes[0]);
    if (frames < (i === chunks.length - 1 ? 1 : covered) || frames > longest)
      throw bad(`chunk ${i} has ${frames} frames, and ${name} makes no such chunk`);
    longest = Math.min(longest, frames); // only the end of a clip is short
  }
}
