/** @file One file of sound, looked at whole: can it be learnt from, how long is it, and what do words in and beside it say. */

import { openFolder } from "#platform";
import { decodeAudio } from "../audio/decode.js";
import { duration } from "../audio/waveform.js";
import { HocketError } from "../errors.js";
import { type About, parseInfo } from "./info.js";
import { readInfoBeside } from "./manifest.js";
import { maxFileBytes } from "./recordings.js";
import { tagsOf } from "./tags.js";

export interface Examined extends About {
  /** Seconds */
  readonly duration: number;
  readonly sampleRate: number;
  readonly channels: number;
  /** What is wrong with the words in and beside it. */
  readonly notes: readonly string[];
}

/** Shorter recordings are left out, in seconds. */
const shortest = 1;
/** Sound that nowhere gets louder is silence: -60 dB. */
const silence = 0.001;
/** In Hz; below, nothing of music is left but its bass. */
const lowestRate = 8000;
/** In characters; a longer text beside a recording is no description. */
const longestText = 5000;

/**
 * The recording at `path`. Words are taken from the .json file beside it, then the .txt file (a description a line), then its
 * own tags.
 * @throws HocketError "bad-file" or "unsupported", saying why it cannot be learnt from
 */
export async function examine(path: string): Promise<Examined> {
  const [, folder = ".", name = path] = /^(.*)[\\/]([^\\/]*)$/s.exec(path) ?? [];
  const place = await openFolder(folder || "/");
  const bytes = await steadily(place, name);
  const waveform = await decodeAudio(bytes, name);
  const problem = problemOf(waveform.channels, waveform.sampleRate, duration(waveform));
  if (problem !== undefined) throw new HocketError("unsupported", `${name}: ${problem}`);
  const { notes, ...about } = await wordsFor(place, path, name, bytes);
  return {
    duration: duration(waveform),
    sampleRate: waveform.sampleRate,
    channels: waveform.channels.length,
    ...about,
    notes,
  };
}

// --- internal ---

type Place = Awaited<ReturnType<typeof openFolder>>;

/** A file's bytes, if they stay the same while they are read. */
async function steadily(place: Place, name: string): Promise<Uint8Array> {
  const size = async <T>(use: (source: NonNullable<Awaited<ReturnType<Place["open"]>>>) => Promise<T>): Promise<T> => {
    const source = await place.open(name);
    if (source === undefined) throw new HocketError("bad-file", `${name}: it is gone; it was there a moment ago`);
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  };
  const bytes = await size(async (source) => {
    if (source.size <= maxFileBytes) return source.read(0, source.size);
    const megabytes = Math.round(source.size / 1e6);
    throw new HocketError("unsupported", `${name}: it is enormous (${megabytes} MB): cut it into pieces`);
  });
  if ((await size(async (source) => source.size)) !== bytes.length)
    throw new HocketError("bad-file", `${name}: it changed while it was read; scan again when it is whole`);
  return bytes;
}

function problemOf(channels: readonly Float32Array[], rate: number, seconds: number): string | undefined {
  if (channels.length > 2) return `it has ${channels.length} channels, and 1 or 2 are learnt from: mix it down`;
  if (rate < lowestRate) return `it has ${rate} samples a second, and music needs at least ${lowestRate}`;
  if (seconds < shortest) return `it is too short (${seconds.toFixed(2)} s; at least ${shortest} s)`;
  for (const channel of channels)
    for (let n = 0; n < channel.length; n++) if (Math.abs(channel[n]!) >= silence) return undefined;
  return "it is silent";
}

async function wordsFor(
  place: Place,
  path: string,
  name: string,
  bytes: Uint8Array,
): Promise<About & { notes: string[] }> {
  const notes: string[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HocketError)) throw error;
      notes.push(error.message);
      return undefined;
    }
  };
  const tags = await attempt(() => tagsOf(bytes, name));
  const text = await attempt(() => textBeside(place, `${name.replace(/\.[^.]*$/, "")}.txt`));
  const beside = await attempt(() => readInfoBeside(path));
  const all = [beside, text, tags].filter((each) => each !== undefined);
  const info = {
    ...parseInfo({}, name).info,
    ...Object.fromEntries(all.toReversed().flatMap(({ info }) => known(info))),
  };
  const captions = all.find(({ info: { description } }) => description !== null)?.captions;
  return { info, ...(captions === undefined ? {} : { captions }), notes };
}

const known = (info: object) => Object.entries(info).filter(([, value]) => value !== null);

/** The descriptions in a text file, one a line. */
async function textBeside(place: Place, name: string): Promise<About | undefined> {
  const source = await place.open(name);
  if (source === undefined) return undefined;
  try {
    const bad = (why: string) => new HocketError("bad-file", `${name}: ${why}; a description a line is expected`);
    if (source.size > longestText) throw bad(`${source.size} bytes are no description`);
    const text = new TextDecoder().decode(await source.read(0, source.size)).trim();
    if (text === "") throw bad("it is empty");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells text from the rest
    if (/[\0-\x08\x0e-\x1f\ufffd]/.test(text)) throw bad("it is no text in UTF-8");
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
    return parseInfo({ description: lines }, name);
  } finally {
    await source.close();
  }
}
