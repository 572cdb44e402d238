/**
 * @file What people and programs write about a recording, made regular: the .json file beside it as audiocraft's data sets
 * have it, tidied as audiocraft tidies it (spec §8.1).
 */

import { HocketError } from "../errors.js";
import type { Info } from "./manifest.js";

/** What a file beside a recording, or a tag in it, says. */
export interface About {
  readonly info: Info;
  /** Further descriptions. */
  readonly captions?: readonly string[];
}

/**
 * `json` as `Info`: a key in small letters (none if it is a list of keys), a tempo as a number, lists in small letters;
 * "None" and nothing are null. Of several descriptions the first is the description, the others are captions.
 * @param where the file, for messages
 * @throws HocketError "bad-file" for a field that is no text, number or list as it should be
 */
export function parseInfo(json: unknown, where: string): About {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new HocketError("bad-file", `${where}: it holds no JSON object with title, description, and so on`);
  const given = json as Record<string, unknown>;
  const text = (field: string) => textIn(given[field], `${where}: ${field}`);
  const list = (field: string) => listIn(given[field], `${where}: ${field}`);
  const described = Array.isArray(given.description) ? given.description : [given.description];
  const [description = null, ...captions] = described
    .map((each) => textIn(each, `${where}: description`))
    .filter((each) => each !== null);
  const key = text("key")?.toLowerCase() ?? null;
  const info = {
    title: text("title") ?? text("name"),
    artist: text("artist"),
    key: key?.includes(",") ? null : key,
    bpm: tempoIn(given.bpm),
    genre: text("genre"),
    moods: list("moods"),
    keywords: list("keywords"),
    description,
    instrument: text("instrument"),
  };
  return captions.length === 0 ? { info } : { info, captions };
}

// --- internal ---

function textIn(value: unknown, place: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return String(value); // a title such as 1999
  if (typeof value !== "string") throw new HocketError("bad-file", `${place} is not a text`);
  const text = value.trim();
  return text === "" || text === "None" ? null : text;
}

/** A list, or a text with commas in it. */
function listIn(value: unknown, place: string): string[] | null {
  if (value === undefined || value === null) return null;
  const values = typeof value === "string" ? value.split(/[,;]/) : value;
  if (!Array.isArray(values)) throw new HocketError("bad-file", `${place} is neither a list nor a text`);
  const texts = values.map((each) => textIn(each, place)?.toLowerCase()).filter((each) => each !== undefined);
  return texts.length === 0 ? null : texts;
}

function tempoIn(value: unknown): number | null {
  const bpm = typeof value === "number" ? value : typeof value === "string" ? Number.parseFloat(value) : Number.NaN;
  return Number.isFinite(bpm) && bpm > 0 ? bpm : null;
}
