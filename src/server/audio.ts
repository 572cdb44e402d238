/** @file A generation's sound as files: whole, in any format, or as a stream while it is being composed. */

import { stat } from "node:fs/promises";
import { type Mp3Writer, mp3Writer } from "../audio/encode.js";
import type { Strategy } from "../audio/loudness.js";
import { toPcm } from "../audio/pcm.js";
import { type Provenance, wavTags } from "../audio/provenance.js";
import { wavHeader } from "../audio/write-wav.js";
import { type Desk, isOver } from "./desk.js";
import { looks } from "./follow.js";
import type { Started } from "./live.js";
import { Problem } from "./problems.js";
import { codesFile, fileBytes, pieceFile } from "./shelf.js";
import { makeFile } from "./sound-work.js";
import type { Row } from "./store.js";
import { type Reader, streamOf } from "./stream.js";

export const formats = { wav: "audio/wav", mp3: "audio/mpeg", flac: "audio/flac" } as const;
export type Format = keyof typeof formats;

export interface SoundQuery {
  readonly piece: number;
  readonly loudness: Strategy;
  readonly bits?: 16 | 24 | 32 | undefined;
  /** To be saved, not played. */
  readonly download: boolean;
}

/** @throws Problem where there is no such sound, or not yet in this form */
export async function soundResponse(
  desk: Desk,
  row: Row,
  format: Format,
  query: SoundQuery,
  reader: Reader,
): Promise<Response> {
  if (query.piece >= row.pieces.length)
    throw new Problem("not-found", `generation ${row.id} has ${row.pieces.length} pieces, counted from 0`);
  if (query.bits !== undefined && (format === "mp3" || (format === "flac" && query.bits === 32)))
    throw Problem.invalid([["bits", format === "mp3" ? "mp3 has no bit depth" : "flac holds 16 or 24 bits"]]);
  const headers = {
    "content-type": formats[format],
    "content-disposition": disposition(row, query, format),
  };
  if (row.state === "done") return whole(desk, row, format, query, reader, headers);
  const level = query.loudness === "clip" || query.loudness === "none";
  if (format === "flac" || !level || (query.bits ?? 16) !== 16) {
    if (isOver(row.state)) throw nothing(row);
    throw new Problem("not-finished", `as ${format} of these options, the sound is there once it is done`, {
      headers: { "retry-after": "2" },
    });
  }
  return growing(desk, row, format, query.piece, reader, headers);
}

/** All pieces' codes, as safetensors. */
export async function codesResponse(desk: Desk, row: Row, reader: Reader): Promise<Response> {
  if (row.state !== "done") {
    if (isOver(row.state)) throw nothing(row);
    throw new Problem("not-finished", "the codes are there once it is done", { headers: { "retry-after": "2" } });
  }
  const query = { piece: 0, loudness: "clip", download: true } as const;
  const { shelf } = desk.options;
  return fileResponse(await shelf.here(codesFile(shelf.folder(row.id))), reader, `${row.id}-codes`, {
    "content-type": "application/octet-stream",
    "content-disposition": disposition(row, query, "safetensors"),
  });
}

/** What a file that we make says about itself. */
export const provenance = (
  { model, licence, pieces }: Row,
  piece: number,
  software: string,
  settings: object,
): Provenance => ({
  software,
  model,
  licence: licence ?? "not stated",
  prompt: pieces[piece]!.prompt,
  seed: pieces[piece]!.seed,
  settings: { ...settings },
});

/** A file's name in a header: of any script, for those who read RFC 6266, and in plain letters for the others. */
export function fileName(kind: "inline" | "attachment", name: string): string {
  const plain = name.normalize("NFKD").replace(/[^\w.-]+/g, "_");
  const escaped = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${escaped}`;
}

// --- internal ---

const nothing = ({ id, state }: Row) => new Problem("no-sound", `generation ${id} is ${state}`);

function disposition(row: Row, { piece, download }: SoundQuery, ending: string): string {
  const { prompt, seed } = row.pieces[piece]!;
  const words = (row.title ?? prompt)
    .normalize("NFKC")
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
  const short = [...words].slice(0, 60).join("").trim().replaceAll(" ", "-");
  return fileName(download ? "attachment" : "inline", `${short === "" ? "hocket" : short}-${seed}.${ending}`);
}

async function whole(
  desk: Desk,
  row: Row,
  format: Format,
  { piece, loudness, bits }: SoundQuery,
  reader: Reader,
  headers: Record<string, string>,
): Promise<Response> {
  const { shelf, software } = desk.options;
  const name = `${piece}-${loudness}-${bits ?? 16}.${format}`;
  const made = provenance(row, piece, software, row.result!.settings);
  const path = await shelf.derived(row.id, name, async () => {
    const from = await shelf.here(pieceFile(shelf.folder(row.id), piece));
    return makeFile({ from, format, bits, loudness, provenance: made });
  });
  return fileResponse(path, reader, `${row.id}-${name}`, headers);
}

/** A file that never changes: with ranges, for players that jump, and a tag, for those who have it already. */
async function fileResponse(
  path: string,
  reader: Reader,
  tag: string,
  headers: Record<string, string>,
): Promise<Response> {
  const { size } = await stat(path);
  const etag = `"${tag}"`;
  const all = { ...headers, etag, "accept-ranges": "bytes", "cache-control": "private, max-age=31536000, immutable" };
  if (reader.request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers: all });
  const asked = reader.request.headers.get("if-range") ?? etag;
  const range = asked === etag ? rangeOf(reader.request.headers.get("range"), size) : undefined;
  const [start, end] = range ?? [0, size];
  const partial: Record<string, string> =
    range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` };
  return new Response(
    reader.request.method === "HEAD" ? null : await streamOf(() => fileBytes(path, start, end), reader),
    {
      status: range === undefined ? 200 : 206,
      headers: { ...all, ...partial, "content-length": `${end - start}` },
    },
  );
}

/** One range of bytes; several, and other units, are answered with the whole. */
function rangeOf(header: string | null, size: number): [start: number, end: number] | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start < end) return [start, end];
  throw new Problem("range-not-satisfiable", `the sound has ${size} bytes`, {
    headers: { "content-range": `bytes */${size}` },
  });
}

/** Waits for the beginning, so that what cannot begin is a problem and no empty sound. */
async function growing(
  desk: Desk,
  row: Row,
  format: "wav" | "mp3",
  piece: number,
  reader: Reader,
  headers: Record<string, string>,
): Promise<Response> {
  const body =
    reader.request.method === "HEAD"
      ? null
      : await streamOf((signal) => growingBytes(desk, row, format, piece, signal), reader);
  return new Response(body, { headers: { ...headers, "cache-control": "no-store" } });
}

async function* growingBytes(
  desk: Desk,
  { id }: Row,
  format: "wav" | "mp3",
  piece: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let writer: Mp3Writer | undefined;
  let samples = 0;
  for await (const { row, live } of looks(desk, id, signal)) {
    if (row === undefined) throw new Problem("not-found", `generation ${id} was deleted`);
    if (row.state === "failed" || row.state === "cancelled") throw nothing(row);
    const { started } = live ?? {};
    if (live === undefined || started === undefined) continue;
    if (writer === undefined) {
      const made = provenance(row, piece, desk.options.software, started.settings);
      if (format === "wav") yield wavHeader({ ...layout(started), tags: wavTags(made) });
      writer = format === "wav" ? wavWriter : await mp3Writer(started.sampleRate, started.channels, made);
    }
    while (samples < live.samples) {
      const to = Math.min(live.samples, samples + 32_768);
      const bytes = writer.push(live.sound(piece, samples, to));
      samples = to;
      if (bytes.length > 0) yield bytes;
    }
    if (isOver(row.state)) yield writer.finish();
  }
}

const layout = ({ sampleRate, channels }: Started) => ({ sampleRate, channels, bits: 16 as const });

const wavWriter: Mp3Writer = { push: (channels) => toPcm(channels, 16), finish: () => new Uint8Array(0) };
