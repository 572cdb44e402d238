/** @file Tells what kind of file some bytes are, by their first bytes alone: names lie more often. */

import { signature, viewOf } from "./bytes.js";

/** What can be decoded. */
export type AudioFormat = "wav" | "mp3" | "flac" | "vorbis" | "opus";

/** Either a format and where it starts, or the name of what it is instead (undefined: no idea). */
export type Sniffed = { format: AudioFormat; start: number } | { format: undefined; instead: string | undefined };

export function sniff(bytes: Uint8Array): Sniffed {
  const start = id3Length(bytes); // some encoders put an ID3 tag before anything
  const known = (format: AudioFormat): Sniffed => ({ format, start });
  const instead = (name: string | undefined): Sniffed => ({ format: undefined, instead: name });
  const at = (offset: number, text: string) => signature(bytes, start + offset, text.length) === text;

  if (at(0, "RIFF") ? at(8, "WAVE") : at(0, "RF64") || at(0, "BW64") || at(0, "RIFX")) return known("wav");
  if (at(0, "fLaC")) return known("flac");
  if (at(0, "OggS")) {
    const packet = 27 + (bytes[start + 26] ?? 0); // past the page's header and its table
    if (at(packet, "\x01vorbis")) return known("vorbis");
    if (at(packet, "OpusHead")) return known("opus");
    return instead("an Ogg file of another codec than Vorbis and Opus");
  }
  if (start > 0) return known("mp3");
  for (const [offset, text, name] of others) if (at(offset, text)) return instead(name);
  const sync = bytes.length >= 2 ? viewOf(bytes).getUint16(0) : 0;
  if ((sync & 0xffe6) === 0xffe2) return known("mp3"); // 11 bits of sync, then layer III
  if ((sync & 0xfff6) === 0xfff0) return instead("AAC");
  return instead(looksLikeText(bytes) ? "a text file" : undefined);
}

/** Whether the first bytes are UTF-8 without control characters, as no audio file's are. */
export function looksLikeText(bytes: Uint8Array): boolean {
  const head = new TextDecoder().decode(bytes.subarray(0, 512), { stream: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells text from the rest
  return head.length > 0 && !/[\0-\x08\x0e-\x1f\ufffd]/.test(head);
}

/** Bytes of the ID3v2 tag that the file starts with, header and footer included; 0 without one. */
export function id3Length(bytes: Uint8Array): number {
  if (signature(bytes, 0, 3) !== "ID3" || bytes.length < 10) return 0;
  const size = bytes.subarray(6, 10).reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);
  const footer = (bytes[5]! & 0x10) !== 0 ? 10 : 0;
  return 10 + size + footer;
}

// --- internal ---

const others: readonly (readonly [offset: number, signature: string, name: string])[] = [
  [4, "ftyp", "an MP4 or M4A file"],
  [0, "\x1aE\xdf\xa3", "a WebM or Matroska file"],
  [0, "ADIF", "AAC"],
  [0, "FORM", "an AIFF file"],
  [0, "caff", "a Core Audio file"],
  [0, ".snd", "an AU file"],
  [0, "0&\xb2u", "a Windows Media file"],
  [0, "MThd", "a MIDI file, notes without sound"],
  [0, "RIFF", "a RIFF file without WAVE sound"],
  [0, "PK\x03\x04", "a ZIP file"],
];
