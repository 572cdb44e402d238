/** @file Reads WAV files: PCM of 8 to 32 bits and floats, tidy or not. Layout by Microsoft's RIFF and WAVEFORMATEX. */

import { HocketError } from "../errors.js";
import { signature, viewOf } from "./bytes.js";
import { bytesPerSample, fromPcm, type SampleFormat } from "./pcm.js";
import { chunksOf, unknownSize } from "./riff.js";
import { looksLikeText } from "./sniff.js";
import type { Waveform } from "./waveform.js";

/**
 * The waveform in a WAV file. A data size of 0 or 0xFFFFFFFF is a stream's, and means what is there; any other size must
 * be there.
 * @throws HocketError "bad-file" when it is damaged or no WAV file, "unsupported" for compressed samples and RF64.
 */
export function readWav(bytes: Uint8Array): Waveform {
  checkForm(bytes);
  let format: Format | undefined;
  for (const { id, size, body } of chunksOf(bytes, 12)) {
    if (id === "fmt ") format = readFormat(body);
    if (id !== "data") continue;
    if (!format) throw bad("the WAV file has samples before it says of what kind (no 'fmt ' chunk before 'data')");
    const data = size === 0 && isStream(bytes) ? bytes.subarray(body.byteOffset - bytes.byteOffset) : body;
    const frame = format.channels * bytesPerSample[format.sample];
    if (data.length < size && size !== unknownSize) {
      const [promised, present] = [size, data.length].map((length) => Math.floor(length / frame));
      throw bad(`the WAV file promises ${promised} samples and holds ${present}: it is cut short, get it again`);
    }
    if (data === body) checkRest(bytes.subarray(body.byteOffset - bytes.byteOffset + size), size / frame);
    return { sampleRate: format.sampleRate, channels: fromPcm(data, format.channels, format.sample) };
  }
  throw bad(`the WAV file has no ${format ? "'data'" : "'fmt '"} chunk: it is cut short or damaged`);
}

// --- internal ---

interface Format {
  readonly sampleRate: number;
  readonly channels: number;
  readonly sample: SampleFormat;
}

const bad = (message: string) => new HocketError("bad-file", message);
const maxChannels = 64;

const pcm = 1;
const float = 3;
const extensible = 0xfffe;
const compressed: Record<number, string> = {
  2: "Microsoft ADPCM",
  6: "A-law",
  7: "mu-law",
  17: "IMA ADPCM",
  49: "GSM",
  80: "MPEG layer II",
  85: "MP3",
};
const samples: Record<number, Record<number, SampleFormat>> = {
  [pcm]: { 8: "u8", 16: "s16", 24: "s24", 32: "s32" },
  [float]: { 32: "f32", 64: "f64" },
};

function checkForm(bytes: Uint8Array): void {
  if (bytes.length === 0) throw bad("the file is empty");
  const id = signature(bytes, 0, 4);
  if (id === "RF64" || id === "BW64")
    throw new HocketError("unsupported", `${id} (WAV beyond 4 GiB) is not implemented: convert it to WAV or FLAC`);
  if (id === "RIFX")
    throw new HocketError("unsupported", "RIFX (big-endian WAV) is not implemented: convert it to WAV");
  if (id !== "RIFF" || signature(bytes, 8, 4) !== "WAVE")
    throw bad(
      looksLikeText(bytes) ? "it is a text file, not a WAV file" : "it is not a WAV file (no RIFF WAVE header)",
    );
}

function readFormat(body: Uint8Array): Format {
  if (body.length < 16) throw bad(`the WAV file's 'fmt ' chunk has ${body.length} bytes, not the 16 it needs`);
  const view = viewOf(body);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  const frame = view.getUint16(12, true);
  const bits = view.getUint16(14, true);
  const outer = view.getUint16(0, true);
  // The extended header names the kind in the first two bytes of an identifier at 24.
  const kind = outer === extensible && body.length >= 40 ? view.getUint16(24, true) : outer;
  const sample = samples[kind]?.[bits];
  if (!samples[kind])
    throw new HocketError(
      "unsupported",
      `the WAV file holds ${compressed[kind] ?? `format ${kind}`}, not plain samples: convert it to 16-bit WAV`,
    );
  if (!sample) throw new HocketError("unsupported", `the WAV file holds ${bits}-bit samples: convert it to 16-bit WAV`);
  if (channels === 0 || sampleRate === 0)
    throw bad(`the WAV file says ${channels} channels at ${sampleRate} Hz: its header is damaged`);
  if (channels > maxChannels)
    throw new HocketError("unsupported", `the WAV file has ${channels} channels; at most ${maxChannels} can be read`);
  if (frame !== channels * bytesPerSample[sample])
    throw bad(`the WAV file says ${frame} bytes for ${channels} samples of ${bits} bits: its header is damaged`);
  return { sampleRate, channels, sample };
}

/**
 * What follows the samples: more chunks, which have names, or padding. Anything else are samples that the header kept
 * quiet about.
 */
function checkRest(rest: Uint8Array, samples: number): void {
  const isNamed = (at: number) => /^[ -~]{3}/.test(signature(rest, at, 4));
  // After an odd number of bytes comes one of padding; not every writer knows.
  if (rest.length < 8 || isNamed(0) || isNamed(1) || rest.every((byte) => byte === 0)) return;
  throw bad(
    `the WAV file says ${Math.floor(samples)} samples, and ${rest.length} bytes follow that belong to none of its parts: it is damaged`,
  );
}

/** Whether the size in the file's own header is not the file's: written before the length was known. */
const isStream = (bytes: Uint8Array): boolean => viewOf(bytes).getUint32(4, true) + 8 !== bytes.length;
