/** @file Writes WAV files: whole, or as a header followed by PCM while the sound is still being made. */

import { assert, HocketError } from "../errors.js";
import { join, littleEndian, utf8 } from "./bytes.js";
import { toPcm } from "./pcm.js";
import { chunk, type InfoTags, infoChunk, unknownSize } from "./riff.js";
import type { Waveform } from "./waveform.js";

export interface WavLayout {
  readonly sampleRate: number;
  readonly channels: number;
  /** 16 and 24 are integers, 32 is float. */
  readonly bits: 16 | 24 | 32;
  readonly tags?: InfoTags;
}

/**
 * A WAV file. Integers are rounded and clipped, floats kept bit for bit.
 * @throws HocketError "unsupported" beyond 4 GiB, which a WAV file cannot hold.
 */
export function writeWav(
  waveform: Waveform,
  { bits, tags }: { readonly bits: 16 | 24 | 32; readonly tags?: InfoTags },
): Uint8Array {
  const layout = { sampleRate: waveform.sampleRate, channels: waveform.channels.length, bits, tags: tags ?? {} };
  const data = toPcm(waveform.channels, bits);
  return join([wavHeader(layout, waveform.channels[0]?.length ?? 0), data, new Uint8Array(data.length % 2)]);
}

/**
 * What comes before the samples, tags included. Without `samples` (of one channel) the sizes say "until the end", and
 * the stream is this header followed by any number of `toPcm` pieces.
 */
export function wavHeader({ sampleRate, channels, bits, tags = {} }: WavLayout, samples?: number): Uint8Array {
  assert(channels >= 1 && channels < 65536, `a WAV file of ${channels} channels`);
  const frame = (channels * bits) / 8;
  const format = [
    littleEndian(bits === 32 ? 3 : 1, 2), // IEEE float, or PCM
    littleEndian(channels, 2),
    littleEndian(sampleRate, 4),
    littleEndian(sampleRate * frame, 4),
    littleEndian(frame, 2),
    littleEndian(bits, 2),
  ];
  const body = [utf8("WAVE")];
  if (bits === 32) {
    body.push(chunk("fmt ", join([...format, littleEndian(0, 2)])));
    if (samples !== undefined) body.push(chunk("fact", littleEndian(samples, 4)));
  } else body.push(chunk("fmt ", join(format)));
  body.push(infoChunk(tags), utf8("data"));

  const head = join(body);
  const data = samples === undefined ? unknownSize : samples * frame;
  const whole = samples === undefined ? unknownSize : head.length + 4 + data + (data % 2);
  if (samples !== undefined && whole >= unknownSize)
    throw new HocketError("unsupported", `${data} bytes of samples are too many for a WAV file (4 GiB): use FLAC`);
  return join([utf8("RIFF"), littleEndian(whole, 4), head, littleEndian(data, 4)]);
}
