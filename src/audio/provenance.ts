/** @file What made a sound, written into its file: so that a file can say itself which model, prompt and seed it came from. */

import { z } from "#zod";
import { assert } from "../errors.js";
import { type Id3Texts, readId3 } from "./id3.js";
import { type InfoTags, readInfo } from "./riff.js";
import { sniff } from "./sniff.js";
import { type Comments, readFlacComments, readOggComments } from "./vorbis-comment.js";

/** What made a file. It is stored as JSON, so `settings` holds what JSON can. */
export interface Provenance {
  /** Name and version, as "Hocket 0.1.0". */
  readonly software: string;
  readonly model: string;
  /** Of the model's weights, and so of what may be done with the sound. */
  readonly licence: string;
  readonly prompt: string;
  readonly seed: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** For `writeWav` and `wavHeader`: title and software for every player, the whole in the comment. */
export const wavTags = (provenance: Provenance): InfoTags => ({
  INAM: title(provenance),
  ISFT: provenance.software,
  ICOP: provenance.licence,
  ICMT: toJson(provenance),
});

/** For `writeId3`. */
export const id3Texts = (provenance: Provenance): Id3Texts => ({
  TIT2: title(provenance),
  TSSE: provenance.software,
  TCOP: provenance.licence,
  "COMM:": summary(provenance),
  [`TXXX:${field}`]: toJson(provenance),
});

/** For FLAC and Ogg. */
export const comments = (provenance: Provenance): Comments => ({
  TITLE: title(provenance),
  ENCODER: provenance.software,
  LICENSE: provenance.licence,
  DESCRIPTION: summary(provenance),
  [field]: toJson(provenance),
});

/** The provenance in a WAV, MP3, FLAC or Ogg file; undefined where there is none, or it is damaged. Never throws. */
export function readProvenance(bytes: Uint8Array): Provenance | undefined {
  try {
    const found = sniff(bytes);
    if (!found.format) return undefined;
    const json = fields[found.format](found.format === "mp3" ? bytes : bytes.subarray(found.start));
    if (json === undefined || json.length > maxLength) return undefined;
    return stored.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined; // what someone else wrote is no error of whoever asks
  }
}

// --- internal ---

const field = "HOCKET";
const maxLength = 2 ** 20;

const stored = z.object({
  software: z.string(),
  model: z.string(),
  licence: z.string(),
  prompt: z.string(),
  seed: z.number(),
  settings: z.record(z.string(), z.unknown()),
});

const fields = {
  wav: (bytes: Uint8Array) => readInfo(bytes).ICMT,
  mp3: (bytes: Uint8Array) => readId3(bytes)[`TXXX:${field}`],
  flac: (bytes: Uint8Array) => readFlacComments(bytes)[field],
  vorbis: (bytes: Uint8Array) => readOggComments(bytes)[field],
  opus: (bytes: Uint8Array) => readOggComments(bytes)[field],
};

/** ASCII alone, since readers of WAV and MP3 differ in how they take the rest. */
function toJson(provenance: Provenance): string {
  const json = JSON.stringify(provenance).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  assert(json.length <= maxLength, `a provenance of ${json.length} characters; at most ${maxLength} are stored`);
  return json;
}

/** The prompt on one line, short enough for a player's list. */
function title({ prompt }: Provenance): string {
  const words = prompt.replace(/\s+/g, " ").trim();
  return [...words].length <= 120 ? words : `${[...words].slice(0, 119).join("")}…`;
}

const summary = ({ software, model, seed, licence }: Provenance): string =>
  `Made with ${software}: model ${model}, seed ${seed}, licence ${licence}`;
