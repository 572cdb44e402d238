/** @file Any audio file -> waveform: WAV and FLAC by our own readers, MP3, Vorbis and Opus by WASM loaded when needed. */

import { HocketError } from "../errors.js";
import { viewOf } from "./bytes.js";
import { readFlac } from "./flac.js";
import { mp3Layout } from "./mp3.js";
import { packetsOf, readPages } from "./ogg.js";
import { canResample } from "./resample.js";
import { type AudioFormat, id3Length, sniff } from "./sniff.js";
import { withVorbisComments } from "./vorbis-comment.js";
import { readWav } from "./wav.js";
import { maxUnpackedSamples, type Waveform, waveformProblem } from "./waveform.js";

/**
 * The waveform in an audio file, of whatever format its first bytes say.
 * @param name of the file, for messages.
 * @param maxSamples over all channels: what a compressed file may unpack to.
 * @throws HocketError "bad-file" when it is empty, damaged, cut short or silent of samples, "unsupported" for a format
 *   that is not read here, or more than `maxSamples`.
 */
export async function decodeAudio(bytes: Uint8Array, name: string, maxSamples = maxUnpackedSamples): Promise<Waveform> {
  try {
    const waveform = await decode(bytes, maxSamples);
    checkSamples(waveform);
    return waveform;
  } catch (error) {
    if (!(error instanceof HocketError)) throw error;
    throw new HocketError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}

// --- internal ---

const bad = (message: string) => new HocketError("bad-file", message);

const decoders: Record<AudioFormat, (bytes: Uint8Array, maxSamples: number) => Waveform | Promise<Waveform>> = {
  wav: readWav,
  mp3: decodeMp3,
  flac: readFlac,
  vorbis: decodeVorbis,
  opus: decodeOpus,
};

async function decode(bytes: Uint8Array, maxSamples: number): Promise<Waveform> {
  if (bytes.length === 0) throw bad("the file is empty");
  const found = sniff(bytes);
  if (found.format) return decoders[found.format](bytes.subarray(found.format === "mp3" ? 0 : found.start), maxSamples);
  if (found.instead === "a text file") throw bad("it is a text file, not audio");
  throw new HocketError(
    "unsupported",
    `it is ${found.instead ?? "of an unknown format"}; WAV, MP3, FLAC, Ogg Vorbis and Opus can be read: convert it to WAV`,
  );
}

function checkSamples(waveform: Waveform): void {
  const wrong = waveform.channels.length === 0 ? "it holds no samples" : waveformProblem(waveform);
  if (wrong !== undefined) throw bad(wrong);
  if (!canResample(waveform.sampleRate))
    throw bad(`it says ${waveform.sampleRate} samples a second, and sound has 1000 to 768000: its header is damaged`);
}

async function decodeMp3(bytes: Uint8Array, maxSamples: number): Promise<Waveform> {
  const { frames, channels } = mp3Layout(bytes, id3Length(bytes));
  const { MPEGDecoder } = await import("mpg123-decoder");
  const stereo = await collect(new MPEGDecoder(), pieces(frames, 65_536), maxSamples);
  return { ...stereo, channels: stereo.channels.slice(0, channels) }; // it doubles mono
}

async function decodeVorbis(bytes: Uint8Array, maxSamples: number): Promise<Waveform> {
  const { OggVorbisDecoder } = await import("@wasm-audio-decoders/ogg-vorbis");
  const bare = withVorbisComments(bytes, {}, 1); // every page checked; without cover pictures, which the decoder cannot hold
  return collect(new OggVorbisDecoder(), pieces(bare, 4096), maxSamples);
}

/** Opus in Ogg (RFC 7845): it is always decoded at 48 kHz, and its header says how much of the beginning to drop. */
async function decodeOpus(bytes: Uint8Array, maxSamples: number): Promise<Waveform> {
  const pages = readPages(bytes);
  const [head, , ...packets] = packetsOf(pages);
  if (!head || head.length < 19) throw bad("the Opus file is damaged: it does not say what it holds");
  const view = viewOf(head);
  const channels = view.getUint8(9);
  const preSkip = view.getUint16(10, true);
  const gain = 10 ** (view.getInt16(16, true) / 256 / 20);
  if (view.getUint8(18) !== 0 || channels < 1 || channels > 2)
    throw new HocketError(
      "unsupported",
      `the Opus file has ${channels} channels in mapping ${view.getUint8(18)}, not 1 or 2 plain ones: convert it to WAV`,
    );
  const { OpusDecoder } = await import("opus-decoder");
  const decoder = new OpusDecoder({ channels, preSkip });
  const batches = Array.from({ length: Math.ceil(packets.length / 50) }, (_, i) => packets.slice(50 * i, 50 * (i + 1)));
  const whole = await collect(
    { ready: decoder.ready, decode: (batch: Uint8Array[]) => decoder.decodeFrames(batch), free: () => decoder.free() },
    batches,
    maxSamples,
  );
  const length = Math.max(0, Number(pages.at(-1)!.granule) - preSkip); // the last packet is padded
  return {
    sampleRate: whole.sampleRate,
    channels: whole.channels.map((channel) => channel.subarray(0, length).map((x) => gain * x)),
  };
}

interface Decoded {
  readonly channelData: Float32Array[];
  readonly sampleRate: number;
  readonly errors: readonly { readonly message: string }[];
}

interface Decoder<Piece> {
  readonly ready: Promise<void>;
  decode(piece: Piece): Decoded | Promise<Decoded>;
  flush?(): Promise<Decoded>;
  free(): void;
}

/** Feeds a decoder, and stops at its first complaint. It is freed in any case. */
async function collect<Piece>(decoder: Decoder<Piece>, fed: Iterable<Piece>, maxSamples: number): Promise<Waveform> {
  await decoder.ready;
  const parts: Float32Array[][] = [];
  let sampleRate = 0;
  let samples = 0;
  const keep = ({ channelData, sampleRate: rate, errors }: Decoded) => {
    if (errors[0]) throw bad(`the file is damaged (${errors[0].message})`);
    if (!channelData[0]?.length) return;
    if (parts[0] && (channelData.length !== parts[0].length || rate !== sampleRate))
      throw new HocketError("unsupported", "its channels or sample rate change on the way: convert it to a WAV file");
    sampleRate = rate;
    samples += channelData.length * channelData[0].length;
    if (samples > maxSamples)
      throw new HocketError("unsupported", `it unpacks to more than ${maxSamples} samples: cut it into pieces`);
    parts.push(channelData);
  };
  try {
    for (const piece of fed) keep(await quietly(() => decoder.decode(piece)));
    if (decoder.flush) keep(await quietly(() => decoder.flush!()));
  } catch (error) {
    if (error instanceof HocketError) throw error;
    throw new HocketError("bad-file", `the file is damaged (${String(error)})`, { cause: error });
  } finally {
    decoder.free();
  }
  const count = parts[0]?.length ?? 0;
  return { sampleRate, channels: Array.from({ length: count }, (_, c) => concatenate(parts.map((part) => part[c]!))) };
}

/** The decoders print to the console, while they are called, what they also return as errors. */
function quietly<T>(call: () => T): T {
  const print = console.error;
  console.error = () => {};
  try {
    return call();
  } finally {
    console.error = print;
  }
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
