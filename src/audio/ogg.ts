/** @file Ogg pages (RFC 3533): read with their checksums, split into packets, and written again. */

import { HocketError } from "../errors.js";
import { join, littleEndian, signature, utf8, viewOf } from "./bytes.js";
import { crc32 } from "./crc.js";

export interface OggPage {
  /** 1 continues a packet, 2 begins the stream, 4 ends it. */
  readonly flags: number;
  /** Samples up to the end of this page, as the codec counts them; -1 where no packet ends. */
  readonly granule: bigint;
  /** Sizes of the pieces that packets are cut into; one below 255 ends a packet. */
  readonly segments: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * The pages of an Ogg file with one stream in it.
 * @throws HocketError "bad-file" when a page is damaged or missing, "unsupported" for several streams.
 */
export function readPages(bytes: Uint8Array): OggPage[] {
  const pages: OggPage[] = [];
  const view = viewOf(bytes);
  let serial: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    if (signature(bytes, at, 4) !== "OggS") throw bad(`is damaged at byte ${at}: no page starts there`);
    const table = at + 27;
    const body = table + (bytes[at + 26] ?? 0);
    const segments = bytes.subarray(table, body);
    const end = body + segments.reduce((sum, size) => sum + size, 0);
    if (table > bytes.length || end > bytes.length) throw bad(`is cut short in page ${pages.length}`);
    const page = new Uint8Array(bytes.subarray(at, end)); // a copy, also of a Buffer
    page.fill(0, 22, 26); // the checksum is made over a page without it
    if (crc32(page) !== view.getUint32(at + 22, true)) throw bad(`is damaged in page ${pages.length} (wrong checksum)`);
    serial ??= view.getUint32(at + 14, true);
    if (view.getUint32(at + 14, true) !== serial)
      throw new HocketError("unsupported", "the Ogg file holds several streams: convert it to a WAV file");
    if (view.getUint32(at + 18, true) !== pages.length) throw bad(`lacks page ${pages.length}`);
    const flags = bytes[at + 5]!;
    pages.push({ flags, granule: view.getBigInt64(at + 6, true), segments, body: bytes.subarray(body, end) });
    at = end;
  }
  if (((pages.at(-1)?.flags ?? 0) & 4) === 0) throw bad("is cut short: its last page is missing");
  return pages;
}

/** The packets of a stream, whole; the last one is left out if it never ends. */
export function packetsOf(pages: readonly OggPage[]): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  for (const { segments, body } of pages) {
    let at = 0;
    for (const size of segments) {
      pieces.push(body.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(join(pieces));
      pieces = [];
    }
  }
  return packets;
}

/** `packets` on as few pages as they need, none of which is the stream's first or last, and no audio ends on them. */
export function paginate(packets: readonly Uint8Array[]): OggPage[] {
  const segments = packets.flatMap((packet) => [
    ...Array.from({ length: Math.floor(packet.length / 255) }, () => 255),
    packet.length % 255,
  ]);
  const body = join(packets);
  const pages: OggPage[] = [];
  for (let first = 0, at = 0; first < segments.length; first += 255) {
    const held = Uint8Array.from(segments.slice(first, first + 255));
    const size = held.reduce((sum, each) => sum + each, 0);
    const continued = first > 0 && segments[first - 1] === 255;
    const granule = held.some((each) => each < 255) ? 0n : -1n;
    pages.push({ flags: continued ? 1 : 0, granule, segments: held, body: body.subarray(at, at + size) });
    at += size;
  }
  return pages;
}

/** Pages as bytes, numbered from 0, with their checksums. */
export function writePages(pages: readonly OggPage[], serial: number): Uint8Array {
  return join(
    pages.map(({ flags, granule, segments, body }, sequence) => {
      const page = join([
        utf8("OggS\0"),
        Uint8Array.of(flags),
        new Uint8Array(8), // granule, below
        littleEndian(serial, 4),
        littleEndian(sequence, 4),
        new Uint8Array(4), // checksum, below
        Uint8Array.of(segments.length),
        segments,
        body,
      ]);
      viewOf(page).setBigInt64(6, granule, true);
      viewOf(page).setUint32(22, crc32(page), true);
      return page;
    }),
  );
}

// --- internal ---

const bad = (problem: string) => new HocketError("bad-file", `the Ogg file ${problem}; get it again`);
