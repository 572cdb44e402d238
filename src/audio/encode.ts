/** @file Waveform -> audio file: WAV and FLAC by our own writers, MP3 and Ogg Vorbis by WASM loaded when needed. */

import { HocketError } from "../errors.js";
import { join } from "./bytes.js";
import { writeId3 } from "./id3.js";
import { comments, id3Texts, type Provenance, wavTags } from "./provenance.js";
import { withVorbisComments } from "./vorbis-comment.js";
import { assertStorable, type Waveform } from "./waveform.js";
import { writeFlac } from "./write-flac.js";
import { writeWav } from "./write-wav.js";

export const encodings = ["wav", "mp3", "flac", "ogg"] as const;
export type Encoding = (typeof encodings)[number];

export interface EncodeOptions {
  readonly format: Encoding;
  /** For WAV (16, 24, or 32 which is float) and FLAC (16 or 24); 16 if not said. */
  readonly bits?: 16 | 24 | 32;
  readonly provenance?: Provenance;
}

/**
 * An audio file. MP3 is made at the highest constant rate it has (320 kbit/s from 32 kHz on), Ogg Vorbis at quality 8.
 * What exceeds ±1 is clipped, but in WAV of 32 bits. The same waveform gives the same bytes.
 * @throws HocketError "unsupported" for a rate, channel count or bit depth that the format cannot hold.
 */
export async function encodeAudio(waveform: Waveform, options: EncodeOptions): Promise<Uint8Array> {
  const { format, bits, provenance } = options;
  assertStorable(waveform);
  if (bits && (format === "mp3" || format === "ogg"))
    throw new HocketError("bad-request", `${format} has no bit depth: leave out bits, or choose wav or flac`);
  switch (format) {
    case "wav":
      return writeWav(waveform, { bits: bits ?? 16, tags: provenance && wavTags(provenance) });
    case "flac":
      return writeFlac(waveform, bits ?? 16, provenance && comments(provenance));
    case "mp3":
      return encodeMp3(waveform, provenance);
    case "ogg":
      return encodeVorbis(waveform, provenance);
  }
}

/** Makes an MP3 file of a sound that is still growing: its pieces joined are the file that `encodeAudio` makes. */
export interface Mp3Writer {
  /** The bytes that more samples complete, perhaps none. [C][n] */
  push(channels: readonly Float32Array[]): Uint8Array;
  finish(): Uint8Array;
}

export async function mp3Writer(sampleRate: number, channels: number, provenance?: Provenance): Promise<Mp3Writer> {
  const encoder = await mp3Encoder(sampleRate, channels);
  let head: Uint8Array | undefined = provenance && writeId3(id3Texts(provenance));
  const withHead = (bytes: Uint8Array): Uint8Array => {
    const whole = head === undefined ? bytes.slice() : join([head, bytes]);
    head = undefined;
    return whole;
  };
  return {
    push: (more) => withHead(encoder.encode(more.map((channel) => channel.map(clip)))),
    finish: () => withHead(encoder.finalize()),
  };
}

// --- internal ---

/** Sample rates that MP3 has, each with its highest bit rate in kbit/s (LAME gives 64 below 16 kHz). */
const mp3Bitrates = {
  8000: 64,
  11025: 64,
  12000: 64,
  16000: 160,
  22050: 160,
  24000: 160,
  32000: 320,
  44100: 320,
  48000: 320,
} as const;
type Mp3Rate = keyof typeof mp3Bitrates;

const vorbisQuality = 8; // of 10: about 256 kbit/s for stereo at 44.1 kHz
const vorbisRates = [8000, 192_000] as const;

/** Ogg tells streams apart by a number; a file of ours has one stream, so any will do. */
const oggSerial = 1;

async function encodeMp3({ sampleRate, channels }: Waveform, provenance: Provenance | undefined): Promise<Uint8Array> {
  const encoder = await mp3Encoder(sampleRate, channels.length);
  return join([...(provenance ? [writeId3(id3Texts(provenance))] : []), ...run(encoder, channels)]);
}

async function mp3Encoder(sampleRate: number, channels: number): Promise<Encoder> {
  checkChannels("MP3", channels);
  if (!(sampleRate in mp3Bitrates))
    throw new HocketError(
      "unsupported",
      `MP3 has no sample rate of ${sampleRate} Hz: resample to one of ${Object.keys(mp3Bitrates).join(", ")}, or choose wav or flac`,
    );
  const rate = sampleRate as Mp3Rate;
  const { createMp3Encoder } = await import("wasm-media-encoders");
  const encoder = await createMp3Encoder();
  encoder.configure({
    sampleRate,
    channels: channels as 1 | 2,
    bitrate: mp3Bitrates[rate],
    outputSampleRate: rate, // it would choose a lower one for some bit rates
  });
  return encoder;
}

async function encodeVorbis(waveform: Waveform, provenance: Provenance | undefined): Promise<Uint8Array> {
  const { sampleRate, channels } = waveform;
  checkChannels("Ogg Vorbis", channels.length);
  if (sampleRate < vorbisRates[0] || sampleRate > vorbisRates[1])
    throw new HocketError(
      "unsupported",
      `Ogg Vorbis is made at ${vorbisRates.join(" to ")} Hz, not ${sampleRate} Hz: resample, or choose wav or flac`,
    );
  const { createOggEncoder } = await import("wasm-media-encoders");
  const encoder = await createOggEncoder();
  encoder.configure({ sampleRate, channels: channels.length as 1 | 2, vbrQuality: vorbisQuality });
  return withVorbisComments(join(run(encoder, channels)), provenance ? comments(provenance) : {}, oggSerial);
}

function checkChannels(format: string, count: number): void {
  if (count > 2)
    throw new HocketError("unsupported", `${format} is made of 1 or 2 channels, not ${count}: choose wav or flac`);
}

interface Encoder {
  encode(channels: Float32Array[]): Uint8Array;
  finalize(): Uint8Array;
}

/** The encoder's bytes, second by second: it would copy the whole waveform into its memory otherwise. */
function run(encoder: Encoder, channels: readonly Float32Array[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const length = 32_768;
  for (let start = 0; start < channels[0]!.length; start += length) {
    const piece = channels.map((channel) => channel.slice(start, start + length).map(clip));
    parts.push(encoder.encode(piece).slice()); // it owns what it returns
  }
  parts.push(encoder.finalize().slice());
  return parts;
}

const clip = (x: number): number => Math.max(-1, Math.min(1, x));
