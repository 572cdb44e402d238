/** @file Vorbis comments, the tags of FLAC, Ogg Vorbis and Opus: NAME=value lines in UTF-8 (xiph.org, "v-comment"). */

import { HocketError } from "../errors.js";
import { fromUtf8, join, littleEndian, utf8, viewOf } from "./bytes.js";
import { type OggPage, packetsOf, paginate, readPages, writePages } from "./ogg.js";

/** Tags by name; names are ASCII, and told apart without regard to case. */
export type Comments = Readonly<Record<string, string>>;

/** The comment block, as FLAC stores it; Vorbis adds a signature before and a framing bit behind. */
export function writeComments(comments: Comments): Uint8Array {
  const lines = Object.entries(comments).map(([name, value]) => utf8(`${name}=${value}`));
  return join([
    ...withLength(utf8("Hocket")),
    littleEndian(lines.length, 4),
    ...lines.flatMap((line) => withLength(line)),
  ]);
}

/** The tags in a comment block, names in capitals; those that are whole, if it is cut off. */
export function readComments(block: Uint8Array): Comments {
  const view = viewOf(block);
  const comments: Record<string, string> = {};
  const length = (at: number) => (at + 4 <= block.length ? view.getUint32(at, true) : Infinity);
  const vendor = length(0);
  for (let at = 4 + vendor + 4; at + 4 <= block.length; ) {
    const end = at + 4 + length(at);
    if (end > block.length) break;
    const line = fromUtf8(block.subarray(at + 4, end));
    const equals = line.indexOf("=");
    if (equals > 0) comments[line.slice(0, equals).toUpperCase()] = line.slice(equals + 1);
    at = end;
  }
  return comments;
}

/** A whole Ogg Vorbis file with other tags, on pages of one `serial`, numbered and checksummed anew. */
export function withVorbisComments(ogg: Uint8Array, comments: Comments, serial: number): Uint8Array {
  const pages = readPages(ogg);
  // The second and third packets are the tags and the codebooks; sound begins on a page of its own (Vorbis I, A.2).
  const headers = headerPages(pages);
  const [, , setup] = packetsOf(pages.slice(0, headers));
  const tags = join([utf8("\x03vorbis"), writeComments(comments), Uint8Array.of(1)]);
  return writePages([pages[0]!, ...paginate([tags, setup!]), ...pages.slice(headers)], serial);
}

/** The tags of an Ogg Vorbis or Opus file. */
export function readOggComments(ogg: Uint8Array): Comments {
  const pages = readPages(ogg);
  const packet = packetsOf(pages)[1] ?? new Uint8Array(0);
  return readComments(packet.subarray(packet[0] === 3 ? 7 : 8)); // behind "\x03vorbis" or "OpusTags"
}

/** The tags of a FLAC file. */
export function readFlacComments(flac: Uint8Array): Comments {
  for (let at = 4; at + 4 <= flac.length; ) {
    const size = viewOf(flac).getUint32(at) & 0xff_ffff;
    if ((flac[at]! & 0x7f) === 4) return readComments(flac.subarray(at + 4, at + 4 + size));
    if ((flac[at]! & 0x80) !== 0) break; // the last block before the sound
    at += 4 + size;
  }
  return {};
}

// --- internal ---

const withLength = (bytes: Uint8Array): Uint8Array[] => [littleEndian(bytes.length, 4), bytes];

/** How many pages the first three packets take. */
function headerPages(pages: readonly OggPage[]): number {
  let packets = 0;
  for (const [index, { segments }] of pages.entries()) {
    packets += segments.filter((size) => size < 255).length;
    if (packets >= 3) return index + 1;
  }
  throw new HocketError("bad-file", "the Ogg file ends within its headers");
}
