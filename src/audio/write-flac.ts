/** @file Writes FLAC (RFC 9639): lossless, about half the size of WAV. Fixed predictors and Rice codes; no LPC search. */

import { HocketError } from "../errors.js";
import { BitWriter } from "./bits.js";
import { bigEndian, join, utf8 } from "./bytes.js";
import { crc8, crc16 } from "./crc.js";
import { type Subframe, subframe } from "./flac-subframe.js";
import { toIntegers } from "./pcm.js";
import { type Comments, writeComments } from "./vorbis-comment.js";
import type { Waveform } from "./waveform.js";

/**
 * A FLAC file of integers as `toInteger` makes them. Its checksum of the samples (MD5) is left out, which the format
 * allows; every frame has its own.
 * @throws HocketError "unsupported" for more than 8 channels, 32 bits, or a rate that no frame can state.
 */
export function writeFlac(waveform: Waveform, bits: 16 | 24 | 32, tags: Comments = {}): Uint8Array {
  const { sampleRate, channels } = waveform;
  if (bits === 32) throw new HocketError("unsupported", "FLAC is made of 16 or 24 bits, not 32: choose wav for floats");
  const rate = statedRate(sampleRate);
  if (channels.length > 8 || !rate)
    throw new HocketError(
      "unsupported",
      `FLAC cannot hold ${channels.length} channels at ${sampleRate} Hz: choose wav`,
    );
  const samples = channels.map((channel) => toIntegers(channel, bits));
  const length = samples[0]!.length;
  const frames: Uint8Array[] = [];
  for (let start = 0; start < length; start += blockSize)
    frames.push(
      frame(
        samples.map((channel) => channel.subarray(start, start + blockSize)),
        bits,
        rate,
        frames.length,
      ),
    );
  const comment = writeComments(tags);
  return join([
    utf8("fLaC\0\0\0\x22"), // the first block, of 34 bytes
    streamInfo(sampleRate, channels.length, bits, length),
    Uint8Array.of(0x80 | 4), // the last block: comments
    bigEndian(comment.length, 3),
    comment,
    ...frames,
  ]);
}

// --- internal ---

const blockSize = 4096;

/** How each frame states the rate, which decoders of single frames rely on: 16 bits of Hz, or of tens of Hz. */
interface Rate {
  readonly code: number;
  readonly value: number;
}

function statedRate(sampleRate: number): Rate | undefined {
  if (sampleRate < 2 ** 16) return { code: 0b1101, value: sampleRate };
  const tens = sampleRate / 10;
  return Number.isInteger(tens) && tens < 2 ** 16 ? { code: 0b1110, value: tens } : undefined;
}

/** Zeros are "not known", in this order: the sizes of frames; at the end the MD5 of the samples. */
function streamInfo(sampleRate: number, channels: number, bits: number, length: number): Uint8Array {
  const out = new BitWriter();
  for (const [value, width] of [
    [blockSize, 16],
    [blockSize, 16],
    [0, 24],
    [0, 24],
    [sampleRate, 20],
    [channels - 1, 3],
    [bits - 1, 5],
    [Math.floor(length / 2 ** 32), 4],
    [length % 2 ** 32, 32],
  ] as const)
    out.write(value, width);
  return join([out.bytes(), new Uint8Array(16)]);
}

/** [C][n] -> one frame: a header with a checksum of 8 bits, a subframe for each signal, a checksum of 16 bits. */
function frame(channels: readonly Int32Array[], bits: 16 | 24, rate: Rate, index: number): Uint8Array {
  const { code, subframes } = arrange(channels, bits);
  const out = new BitWriter();
  out.write(0b11111111_11111000, 16); // sync, blocks of fixed size
  out.write(0b0111, 4); // the block's length follows in 16 bits
  out.write(rate.code, 4);
  out.write(code, 4);
  out.write(bits === 16 ? 0b1000 : 0b1100, 4); // bits a sample, and a zero
  for (const byte of codedNumber(index)) out.write(byte, 8);
  out.write(channels[0]!.length - 1, 16);
  out.write(rate.value, 16);
  out.write(crc8(out.bytes()), 8);
  for (const { write } of subframes) write(out);
  out.align();
  out.write(crc16(out.bytes()), 16);
  return out.bytes();
}

/** The channels as they are, or of two the arrangement that takes the fewest bits. */
function arrange(channels: readonly Int32Array[], bits: number): { code: number; subframes: readonly Subframe[] } {
  const plain = channels.map((channel) => subframe(channel, bits));
  const [left, right] = plain;
  if (!left || !right || plain.length > 2) return { code: plain.length - 1, subframes: plain };
  const side = subframe(
    channels[0]!.map((x, n) => x - channels[1]![n]!),
    bits + 1,
  );
  const middle = subframe(
    channels[0]!.map((x, n) => (x + channels[1]![n]!) >> 1),
    bits,
  );
  const size = (pair: readonly Subframe[]) => pair[0]!.size + pair[1]!.size;
  return [
    { code: 1, subframes: plain },
    { code: 8, subframes: [left, side] },
    { code: 9, subframes: [side, right] },
    { code: 10, subframes: [middle, side] },
  ].reduce((best, other) => (size(other.subframes) < size(best.subframes) ? other : best));
}

/** UTF-8's way of writing a number, to 31 bits. */
function codedNumber(value: number): number[] {
  if (value < 0x80) return [value];
  const rest: number[] = [];
  let head = value;
  let room = 0x40; // what the first byte can hold
  do {
    rest.unshift(0x80 | (head & 0x3f));
    head >>>= 6;
    room >>= 1;
  } while (head >= room);
  return [(0xff & ~(2 * room - 1)) | head, ...rest];
}
