/** @file What the tags inside a sound file say about it: ID3, Vorbis comments, or RIFF's INFO. */

import { readId3 } from "../audio/id3.js";
import { readProvenance } from "../audio/provenance.js";
import { readInfo } from "../audio/riff.js";
import { type AudioFormat, sniff } from "../audio/sniff.js";
import { readFlacComments, readOggComments } from "../audio/vorbis-comment.js";
import { type About, parseInfo } from "./info.js";

/** The tags of a sound file that has been decoded. One that was made from a prompt is described by it. */
export function tagsOf(bytes: Uint8Array, name: string): About {
  const found = sniff(bytes);
  if (!found.format) return parseInfo({}, name);
  const made = readProvenance(bytes);
  if (made !== undefined) return parseInfo({ description: made.prompt }, name);
  const tags = readers[found.format](found.format === "mp3" ? bytes : bytes.subarray(found.start));
  const fields: Record<string, string | undefined> = {};
  for (const [field, names] of Object.entries(spellings)) fields[field] = names.map((each) => tags[each]).find(Boolean);
  const description = fields.description ?? remark(tags);
  return parseInfo({ ...fields, description, key: keyName(fields.key), genre: genreName(fields.genre) }, name);
}

// --- internal ---

const readers: Record<AudioFormat, (bytes: Uint8Array) => Readonly<Record<string, string>>> = {
  wav: readInfo,
  mp3: readId3,
  flac: readFlacComments,
  vorbis: readOggComments,
  opus: readOggComments,
};

/** Names of each field in Vorbis comments, ID3 and INFO. */
const spellings: Record<string, readonly string[]> = {
  title: ["TITLE", "TIT2", "INAM"],
  artist: ["ARTIST", "TPE1", "IART"],
  key: ["KEY", "INITIALKEY", "TKEY"],
  bpm: ["BPM", "TEMPO", "TBPM"],
  genre: ["GENRE", "TCON", "IGNR"],
  moods: ["MOOD", "TMOO", "TXXX:MOOD"],
  keywords: ["KEYWORDS", "TXXX:KEYWORDS", "IKEY"],
  description: ["DESCRIPTION"],
  instrument: ["INSTRUMENT", "TXXX:INSTRUMENT"],
};

/** A comment, where it may be about the music: most are about programs, shops and rights. */
function remark(tags: Readonly<Record<string, string>>): string | undefined {
  const comment = tags.COMMENT ?? tags["COMM:"] ?? tags.ICMT;
  const words = comment?.trim().split(/\s+/).length ?? 0;
  return words < 3 ||
    /https?:|www\.|[.](com|net|org)\b|©|\(c\)|\ufffd|\b(copyright|encode|ripped|converted|made with|created with|visit)/i.test(
      comment!,
    )
    ? undefined
    : comment;
}

/** "F#m" -> "f# minor"; what is spelled otherwise stays. */
function keyName(key: string | undefined): string | undefined {
  const [, tonic, minor] = /^([A-G][#b]?)(m?)$/.exec(key?.trim() ?? "") ?? [];
  return tonic === undefined ? key : `${tonic} ${minor === "m" ? "minor" : "major"}`;
}

/** ID3 may put a number before or instead of the name: "(17)Rock". */
const genreName = (genre: string | undefined): string | undefined =>
  genre?.replace(/^(\(\d+\))+/, "").replace(/^\d+$/, "");
