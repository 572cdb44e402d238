/** @file RIFF, the box of boxes that a WAV file is: its chunks, and the INFO tags among them. */

import { fromUtf8, join, littleEndian, signature, utf8, viewOf } from "./bytes.js";

/** A size that means "until the end": the writer did not know. */
export const unknownSize = 0xffff_ffff;

export interface Chunk {
  readonly id: string;
  /** What the header says; `body` is shorter where the file ends before. */
  readonly size: number;
  readonly body: Uint8Array;
}

/** INFO tags by their four letters: INAM (title), ISFT (software), ICMT (comment)... */
export type InfoTags = Readonly<Record<string, string>>;

/** The chunks between `start` and the end of `bytes`, in order; a header that is cut off ends them. */
export function* chunksOf(bytes: Uint8Array, start: number): Generator<Chunk> {
  const view = viewOf(bytes);
  for (let at = start; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    yield { id: signature(bytes, at, 4), size, body: bytes.subarray(at + 8, at + 8 + size) };
    at += 8 + size + (size % 2); // odd bodies are followed by one byte of padding
  }
}

/** One chunk, padded to an even length. */
export const chunk = (id: string, body: Uint8Array): Uint8Array =>
  join([utf8(id), littleEndian(body.length, 4), body, new Uint8Array(body.length % 2)]);

/** The LIST chunk that carries `tags`, as UTF-8; nothing for no tags. */
export function infoChunk(tags: InfoTags): Uint8Array {
  const entries = Object.entries(tags).map(([id, text]) => chunk(id, utf8(`${text}\0`)));
  return entries.length === 0 ? new Uint8Array(0) : chunk("LIST", join([utf8("INFO"), ...entries]));
}

/** The INFO tags of a WAV file; none for anything else. */
export function readInfo(bytes: Uint8Array): InfoTags {
  const tags: Record<string, string> = {};
  if (signature(bytes, 0, 4) !== "RIFF") return tags;
  for (const { id, body } of chunksOf(bytes, 12)) {
    if (id !== "LIST" || signature(body, 0, 4) !== "INFO") continue;
    for (const tag of chunksOf(body, 4)) tags[tag.id] = fromUtf8(tag.body).replace(/\0.*$/s, "");
  }
  return tags;
}
