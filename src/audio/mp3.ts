/** @file Walks the frames of an MP3 file without decoding them: ISO/IEC 11172-3 headers, and the Xing frame count. */

import { HocketError } from "../errors.js";
import { signature, viewOf } from "./bytes.js";

export interface Mp3Layout {
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** The bytes from the first frame to behind the last whole one. */
  readonly frames: Uint8Array;
}

/**
 * Finds the run of frames in an MP3 file. Tags at either end are passed over; a last frame that is cut off is left out,
 * since MP3 says nowhere how long it is, except in a Xing or Info header, which is held to its word.
 * @param start where to look first, behind a leading ID3 tag.
 * @throws HocketError "bad-file" without frames, with fewer than promised, or with something else between them.
 */
export function mp3Layout(bytes: Uint8Array, start: number): Mp3Layout {
  const first = findFirst(bytes, start);
  if (first === undefined) throw new HocketError("bad-file", "the MP3 file holds no sound: it is cut short or damaged");
  const header = readHeader(bytes, first)!;
  let end = first;
  let count = 0;
  for (let next: Header | undefined = header; next; next = readHeader(bytes, end)) {
    if (!agree(header, next) || end + next.size > bytes.length) break;
    end += next.size;
    count++;
  }
  const promised = xingFrames(bytes.subarray(first, first + header.size));
  if (promised !== undefined && count < promised)
    throw new HocketError(
      "bad-file",
      `the MP3 file promises ${promised} frames and holds ${count}: it is cut short or damaged, get it again`,
    );
  if (!isEnd(bytes, end, header))
    throw new HocketError("bad-file", `the MP3 file is damaged at byte ${end}: no frame starts there`);
  return { sampleRate: header.sampleRate, channels: header.channels, frames: bytes.subarray(first, end) };
}

// --- internal ---

interface Header {
  readonly version: 1 | 2 | 2.5;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Bytes of the frame, header included. */
  readonly size: number;
}

/** How far behind a tag the first frame may be: some writers pad. */
const searched = 65_536;
const kbps = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const rates = [44_100, 48_000, 32_000];

function readHeader(bytes: Uint8Array, at: number): Header | undefined {
  if (at + 4 > bytes.length) return undefined;
  const word = viewOf(bytes).getUint32(at);
  const version = ([2.5, undefined, 2, 1] as const)[(word >>> 19) & 3];
  const bitrate = kbps[version === 1 ? 1 : 2][(word >>> 12) & 15];
  const rate = rates[(word >>> 10) & 3];
  const layerThree = ((word >>> 17) & 3) === 1;
  if (word >>> 21 !== 0x7ff || !version || !layerThree || !bitrate || !rate) return undefined;
  const sampleRate = version === 1 ? rate : version === 2 ? rate / 2 : rate / 4;
  const samples = version === 1 ? 1152 : 576;
  const size = Math.floor((samples * bitrate * 125) / sampleRate) + ((word >>> 9) & 1);
  return { version, sampleRate, channels: ((word >>> 6) & 3) === 3 ? 1 : 2, size };
}

const agree = (a: Header, b: Header): boolean =>
  a.version === b.version && a.sampleRate === b.sampleRate && a.channels === b.channels;

/** The first place where one frame follows another of its kind, or where a single one ends the file. */
function findFirst(bytes: Uint8Array, start: number): number | undefined {
  for (let at = start; at < Math.min(start + searched, bytes.length); at++) {
    const header = readHeader(bytes, at);
    if (!header) continue;
    const next = readHeader(bytes, at + header.size);
    if (next ? agree(header, next) : at + header.size === bytes.length) return at;
  }
  return undefined;
}

/** Frames promised by the Xing or Info frame that `frame` is; undefined when it is none or does not say. */
function xingFrames(frame: Uint8Array): number | undefined {
  const header = readHeader(frame, 0)!;
  const side = header.version === 1 ? (header.channels === 1 ? 17 : 32) : header.channels === 1 ? 9 : 17;
  const name = signature(frame, 4 + side, 4);
  if ((name !== "Xing" && name !== "Info") || frame.length < side + 16) return undefined;
  const view = viewOf(frame);
  return (view.getUint32(side + 8) & 1) !== 0 ? view.getUint32(side + 12) : undefined;
}

/** Whether what is at `end` is what may follow the last frame: nothing, a tag, zeros, or the start of a cut-off frame. */
function isEnd(bytes: Uint8Array, end: number, header: Header): boolean {
  const rest = bytes.subarray(end);
  const last = readHeader(bytes, end);
  return (
    rest.length < 4 ||
    (last !== undefined && agree(header, last)) ||
    ["TAG", "APETAGEX", "LYRICSBEGIN", "ID3", "3DI"].some((name) => signature(rest, 0, name.length) === name) ||
    rest.every((byte) => byte === 0)
  );
}
