/** @file Amplitudes <-> interleaved little-endian PCM, the bytes inside a WAV file or an HTTP stream. */

import { assert } from "../errors.js";
import { viewOf } from "./bytes.js";

/** How one sample is stored; u8 is the only unsigned one. */
export type SampleFormat = "u8" | "s16" | "s24" | "s32" | "f32" | "f64";

export const bytesPerSample: Record<SampleFormat, number> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 };

/** Interleaved bytes -> [C][N]; integers are divided by 2^(bits - 1). A last frame that is not whole is left out. */
export function fromPcm(bytes: Uint8Array, channelCount: number, format: SampleFormat): Float32Array[] {
  const read = readers[format];
  const view = viewOf(bytes);
  const frame = channelCount * bytesPerSample[format];
  const length = Math.floor(bytes.length / frame);
  return Array.from({ length: channelCount }, (_, c) => {
    const channel = new Float32Array(length);
    for (let n = 0, at = c * bytesPerSample[format]; n < length; n++, at += frame) channel[n] = read(view, at);
    return channel;
  });
}

/** [C][N] -> interleaved bytes: 16 and 24 are integers as `toInteger` makes them, 32 is float, bit for bit. */
export function toPcm(channels: readonly Float32Array[], bits: 16 | 24 | 32): Uint8Array {
  const size = bits / 8;
  const length = channels[0]?.length ?? 0;
  const bytes = new Uint8Array(length * channels.length * size);
  const view = viewOf(bytes);
  for (const [c, channel] of channels.entries()) {
    assert(channel.length === length, `channel ${c} has ${channel.length} samples, channel 0 has ${length}`);
    for (let n = 0, at = c * size; n < length; n++, at += channels.length * size) {
      const x = channel[n]!;
      if (bits === 32) view.setFloat32(at, x, true);
      else if (bits === 16) view.setInt16(at, toInteger(x, 16), true);
      else {
        const value = toInteger(x, 24);
        view.setInt16(at, value, true); // keeps the low 16 bits
        view.setInt8(at + 2, value >> 16);
      }
    }
  }
  return bytes;
}

/** Rounds to the nearest of 2^bits steps; what lies outside is clipped, so +1 becomes the largest value. No dither. */
export function toInteger(x: number, bits: 16 | 24): number {
  assert(!Number.isNaN(x), "a sample is not a number");
  const scale = 2 ** (bits - 1);
  return Math.max(-scale, Math.min(scale - 1, Math.round(x * scale)));
}

/** `toInteger` of a whole channel. */
export function toIntegers(channel: Float32Array, bits: 16 | 24): Int32Array {
  const integers = new Int32Array(channel.length);
  const scale = 2 ** (bits - 1);
  for (let n = 0; n < channel.length; n++) {
    const value = Math.floor(channel[n]! * scale + 0.5); // Math.round takes several times as long
    if (value >= scale) integers[n] = scale - 1;
    else if (value >= -scale) integers[n] = value;
    else integers[n] = toInteger(channel[n]!, bits);
  }
  return integers;
}

// --- internal ---

const readers: Record<SampleFormat, (view: DataView, at: number) => number> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  s16: (view, at) => view.getInt16(at, true) / 2 ** 15,
  s24: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  s32: (view, at) => view.getInt32(at, true) / 2 ** 31,
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
};
