/** @file ID3v2 tags, which stand before the frames of an MP3 file (id3.org, "ID3v2.4.0 frames"). */

import { join, signature, utf8, viewOf } from "./bytes.js";
import { id3Length } from "./sniff.js";

/** Texts by frame: TIT2 (title), TSSE (software)...; "TXXX:name" and "COMM:name" for those that carry a name. */
export type Id3Texts = Readonly<Record<string, string>>;

/** A tag of version 2.4, in UTF-8. */
export function writeId3(texts: Id3Texts): Uint8Array {
  const frames = join(
    Object.entries(texts).map(([key, text]) => {
      const [id, name] = [key.slice(0, 4), key.slice(5)];
      const named = id === "COMM" ? `eng${name}\0` : id === "TXXX" ? `${name}\0` : "";
      const body = join([Uint8Array.of(3), utf8(named + text)]);
      return join([utf8(id), syncSafe(body.length), new Uint8Array(2), body]);
    }),
  );
  return join([utf8("ID3"), Uint8Array.of(4, 0, 0), syncSafe(frames.length), frames]);
}

/** The texts of the tag that a file starts with (2.3 or 2.4); none where there is no tag, or one scrambled or damaged. */
export function readId3(bytes: Uint8Array): Id3Texts {
  const texts: Record<string, string> = {};
  const version = bytes[3];
  const end = Math.min(id3Length(bytes), bytes.length);
  const plain = (bytes[5]! & 0xc0) === 0; // neither unsynchronised nor with an extended header
  if (end === 0 || !plain || (version !== 3 && version !== 4)) return texts;
  for (let at = 10; at + 10 <= end; ) {
    const id = signature(bytes, at, 4);
    const size = version === 4 ? fromSyncSafe(bytes.subarray(at + 4, at + 8)) : viewOf(bytes).getUint32(at + 4);
    const body = bytes.subarray(at + 10, Math.min(at + 10 + size, end));
    at += 10 + size;
    if (!/^(T...|COMM)$/.test(id) || body.length === 0) continue;
    const named = id === "COMM" || id === "TXXX";
    const text = decode(body[0]!, body.subarray(id === "COMM" ? 4 : 1));
    const split = named ? text.indexOf("\0") : -1;
    const key = named ? `${id}:${text.slice(0, Math.max(split, 0))}` : id;
    texts[key] = text.slice(split + 1).replace(/^\ufeff|\0+$/g, "");
  }
  return texts;
}

// --- internal ---

/** 28 bits in four bytes whose highest bit is 0, so that no player takes them for the start of a frame. */
const syncSafe = (value: number): Uint8Array =>
  Uint8Array.from({ length: 4 }, (_, i) => (value >> (7 * (3 - i))) & 0x7f);
const fromSyncSafe = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);

const encodings = ["latin1", "utf-16", "utf-16be", "utf-8"];

function decode(encoding: number, bytes: Uint8Array): string {
  const bigEndianMark = encoding === 1 && bytes[0] === 0xfe && bytes[1] === 0xff;
  return new TextDecoder(bigEndianMark ? "utf-16be" : (encodings[encoding] ?? "utf-8")).decode(bytes);
}
