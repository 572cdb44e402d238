/** @file Reads FLAC (RFC 9639): every integer as it was stored, each frame checked against its checksum. */

import { HocketError } from "../errors.js";
import { BitReader } from "./bits.js";
import { viewOf } from "./bytes.js";
import { crc8, crc16 } from "./crc.js";
import { readSubframe } from "./flac-subframe.js";
import { maxUnpackedSamples, type Waveform } from "./waveform.js";

/**
 * The waveform in a FLAC file; integers are divided by 2^(bits - 1).
 * @throws HocketError "bad-file" when a frame is damaged or missing, "unsupported" beyond 24 bits, for a file whose
 *   shape changes on the way, and beyond `maxSamples` over all channels.
 */
export function readFlac(bytes: Uint8Array, maxSamples = maxUnpackedSamples): Waveform {
  const info = readInfo(bytes);
  if (info.bits > 24) throw unsupported(`has ${info.bits}-bit samples`);
  if (info.length * info.channels > maxSamples) throw unsupported(`unpacks to ${info.length} samples a channel`);
  const blocks: Int32Array[][] = [];
  let length = 0;
  for (let at = info.frames; info.length === 0 ? at < bytes.length : length < info.length; ) {
    const { block, end } = readFrame(bytes, at, info, length);
    blocks.push(block);
    length += block[0]!.length;
    if (length * info.channels > maxSamples) throw unsupported("unpacks to too many samples");
    at = end;
  }
  if (info.length !== 0 && length !== info.length) throw incomplete(info, length);
  return { sampleRate: info.sampleRate, channels: join(blocks, info, length) };
}

// --- internal ---

interface Info {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  /** Samples of one channel; 0 where it is not known. */
  readonly length: number;
  /** Where the first frame starts. */
  readonly frames: number;
}

const damaged = (at: number) => new HocketError("bad-file", `the FLAC file is damaged at byte ${at}: get it again`);
const unsupported = (what: string) =>
  new HocketError("unsupported", `the FLAC file ${what}: convert it to 16-bit WAV, in pieces if it is very long`);
const incomplete = ({ length }: Info, present: number) =>
  new HocketError(
    "bad-file",
    `the FLAC file promises ${length || "more"} samples and holds ${present}: it is cut short, get it again`,
  );

/** STREAMINFO, which is the first block behind "fLaC", and the length of all blocks. */
function readInfo(bytes: Uint8Array): Info {
  if (bytes.length < 42 || (bytes[4]! & 0x7f) !== 0) throw damaged(4);
  const view = viewOf(bytes);
  let at = 4;
  for (let last = false; !last && at + 4 <= bytes.length; at += 4 + (view.getUint32(at) & 0xff_ffff))
    last = (bytes[at]! & 0x80) !== 0;
  const word = view.getUint32(18);
  const info = {
    sampleRate: word >>> 12,
    channels: ((word >>> 9) & 7) + 1,
    bits: ((word >>> 4) & 31) + 1,
    length: (word & 15) * 2 ** 32 + view.getUint32(22),
    frames: at,
  };
  if (info.sampleRate === 0) throw damaged(18);
  return info;
}

const sampleSizes = [undefined, 8, 12, undefined, 16, 20, 24, 32];

/** [C][n], the block that starts at byte `at` and sample `done`, and where the next one starts. */
function readFrame(bytes: Uint8Array, at: number, info: Info, done: number): { block: Int32Array[]; end: number } {
  try {
    const bits = new BitReader(bytes, at);
    if (bits.read(15) !== 0b111111111111100) throw damaged(at);
    bits.read(1); // whether blocks vary in size: they say so themselves
    const sizeCode = bits.read(4);
    const rateCode = bits.read(4);
    const arrangement = bits.read(4);
    const size = sampleSizes[bits.read(3)];
    bits.read(1);
    for (let head = bits.read(8); (head & 0xc0) === 0xc0; head <<= 1) bits.read(8); // its number, as UTF-8 writes it
    const length = blockLength(sizeCode, bits);
    bits.read([8, 16, 16][rateCode - 12] ?? 0);
    const header = bytes.subarray(at, bits.position);
    if (crc8(header) !== bits.read(8) || length === undefined) throw damaged(at);

    const channels = arrangement < 8 ? arrangement + 1 : 2;
    if (arrangement > 10) throw damaged(at);
    if (channels !== info.channels || (size ?? info.bits) !== info.bits) throw unsupported("changes on the way");
    const block = Array.from({ length: channels }, (_, c) => {
      const isSide = arrangement === 9 ? c === 0 : arrangement >= 8 && c === 1;
      const signal = readSubframe(bits, length, info.bits + (isSide ? 1 : 0));
      if (!signal) throw damaged(at);
      return signal;
    });
    bits.align();
    const frame = bytes.subarray(at, bits.position);
    if (crc16(frame) !== bits.read(16)) throw damaged(at);
    if (arrangement >= 8) separate(block[0]!, block[1]!, arrangement);
    return { block, end: bits.position };
  } catch (error) {
    if (error instanceof RangeError) throw incomplete(info, done);
    throw error;
  }
}

function blockLength(code: number, bits: BitReader): number | undefined {
  if (code === 0) return undefined;
  if (code === 1) return 192;
  if (code < 6) return 576 << (code - 2);
  if (code < 8) return bits.read(code === 6 ? 8 : 16) + 1;
  return 256 << (code - 8);
}

/** In place: left and side (8), side and right (9), or middle and side (10) become left and right. */
function separate(first: Int32Array, second: Int32Array, arrangement: number): void {
  for (let n = 0; n < first.length; n++) {
    const [a, b] = [first[n]!, second[n]!];
    if (arrangement === 8) second[n] = a - b;
    else if (arrangement === 9) first[n] = a + b;
    else {
      const sum = 2 * a + (b & 1); // halving lost the lowest bit, which is also the side's
      first[n] = (sum + b) >> 1;
      second[n] = (sum - b) >> 1;
    }
  }
}

function join(blocks: readonly Int32Array[][], { channels, bits }: Info, length: number): Float32Array[] {
  const scale = 2 ** (1 - bits);
  return Array.from({ length: channels }, (_, c) => {
    const channel = new Float32Array(length);
    let n = 0;
    for (const block of blocks) for (const value of block[c]!) channel[n++] = value * scale;
    return channel;
  });
}
