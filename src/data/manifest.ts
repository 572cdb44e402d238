/**
 * @file A data set's list of contents, `data.jsonl`: one recording a line, with what is known about it. The field names are
 * audiocraft's, so that either reads the other's (spec §8.1).
 */

import { makeFolder, openFolder, writeFileAtomically } from "#platform";
import { z } from "#zod";
import { problemOf } from "../checked.js";
import { HocketError } from "../errors.js";
import type { ByteSource, Folder } from "../platform/platform.js";
import { parseInfo } from "./info.js";

/** What is known about a recording; null where it is not. */
export interface Info {
  readonly title: string | null;
  readonly artist: string | null;
  readonly key: string | null;
  readonly bpm: number | null;
  readonly genre: string | null;
  readonly moods: readonly string[] | null;
  readonly keywords: readonly string[] | null;
  readonly description: string | null;
  readonly instrument: string | null;
}

export const splits = ["train", "valid", "test"] as const;
export type Split = (typeof splits)[number];

export interface Entry {
  /** Relative to the manifest's folder, or absolute. */
  readonly path: string;
  /** Seconds */
  readonly duration: number;
  readonly sample_rate: number;
  /** 0 where the manifest does not say: audiocraft's do not. */
  readonly channels: number;
  readonly split: Split;
  readonly info: Info;
  /** Other ways to describe it; training picks one of `info.description` and these. */
  readonly captions?: readonly string[];
  /** How often it is drawn, against others of the same length; 1 where it is not there. */
  readonly weight?: number;
  /** What the recipe that made it knows beyond that. */
  readonly labels?: unknown;
}

/**
 * The entries of a folder's `data.jsonl` or `data.jsonl.gz`. An entry without `info` takes it from the .json file beside
 * the recording, if there is one, as audiocraft's do.
 * @throws HocketError "bad-file" naming file and line
 */
export async function readManifest(folder: string): Promise<Entry[]> {
  const { text, where } = await manifestText(await openFolder(folder));
  const entries: Entry[] = [];
  for (const { info, ...entry } of parseLines(text, where)) {
    const beside = info === undefined ? await readInfoBeside(pathOf(folder, entry)) : { info };
    entries.push({ ...entry, ...beside });
  }
  return entries;
}

/** Replaces the folder's manifest; makes the folder. @throws HocketError "disk" */
export async function writeManifest(folder: string, entries: readonly Entry[]): Promise<void> {
  await makeFolder(folder);
  await writeFileAtomically(`${folder}/${name}`, new TextEncoder().encode(formatManifest(entries)));
}

/** One line of JSON an entry. */
export const formatManifest = (entries: readonly Entry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

/** The inverse. @param where the file's name, for messages */
export const parseManifest = (text: string, where: string): Entry[] =>
  parseLines(text, where).map(({ info, ...entry }) => ({ ...entry, info: info ?? parseInfo({}, where).info }));

/** Where an entry's recording is. */
export const pathOf = (folder: string, { path }: { readonly path: string }): string =>
  /^([\\/]|[a-z]:[\\/])/i.test(path) ? path : `${folder}/${path}`;

/** What the .json file of the same stem says; nothing where there is none. @throws HocketError "bad-file" */
export async function readInfoBeside(path: string): Promise<ReturnType<typeof parseInfo>> {
  const [, folder = ".", file = path] = /^(.*)[\\/]([^\\/]*)$/s.exec(path) ?? [];
  const source = await (await openFolder(folder || "/")).open(`${file.replace(/\.[^.]*$/, "")}.json`);
  return source === undefined
    ? parseInfo({}, path)
    : parseInfo(json(await textOf(source), source.location), source.location);
}

// --- internal ---

const name = "data.jsonl";

const words = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);

const entrySchema = z.object({
  path: z.string().min(1),
  duration: z.number().positive(),
  sample_rate: z.int().positive(),
  channels: z.int().nonnegative().default(0),
  split: z.enum(splits).default("train"), // audiocraft has a folder a split
  info: z
    .object({
      title: words,
      artist: words,
      key: words,
      bpm: z
        .number()
        .nullish()
        .transform((value) => value ?? null),
      genre: words,
      moods: list,
      keywords: list,
      description: words,
      instrument: words,
    })
    .optional(),
  captions: z.array(z.string()).optional(),
  weight: z.number().nonnegative().nullish(),
  labels: z.unknown().optional(),
});

type Line = Omit<Entry, "info"> & { readonly info?: Info };

function parseLines(text: string, where: string): Line[] {
  const entries: Line[] = [];
  for (const [i, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const place = `${where}, line ${i + 1}`;
    const parsed = entrySchema.safeParse(json(line, place), { reportInput: true });
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${problemOf(issue)}`);
      throw new HocketError("bad-file", `${place}: ${problems.join("; ")}`);
    }
    const { weight, info, captions, ...rest } = parsed.data;
    if (/\.zip:/.test(rest.path))
      throw new HocketError("unsupported", `${place}: recordings inside a ZIP file are not read: unpack it`);
    entries.push({
      ...rest,
      ...(info === undefined ? {} : { info }),
      ...(captions === undefined ? {} : { captions }),
      ...(weight === undefined || weight === null ? {} : { weight }),
    });
  }
  return entries;
}

function json(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HocketError("bad-file", `${place}: it is not JSON (${(cause as Error).message})`, { cause });
  }
}

async function manifestText(folder: Folder): Promise<{ text: string; where: string }> {
  const plain = await folder.open(name);
  if (plain !== undefined) return { text: await textOf(plain), where: `${folder.location}/${name}` };
  const where = `${folder.location}/${name}.gz`;
  const packed = await folder.open(`${name}.gz`);
  if (packed === undefined)
    throw new HocketError(
      "bad-file",
      `${folder.location} holds no ${name}: make one with 'hocket data scan' or 'hocket data make'`,
    );
  const bytes = await bytesOf(packed);
  try {
    const unpacked = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
    return { text: await new Response(unpacked).text(), where };
  } catch (cause) {
    throw new HocketError("bad-file", `${where} is not a whole gzip file: get it again`, { cause });
  }
}

const textOf = async (source: ByteSource): Promise<string> => new TextDecoder().decode(await bytesOf(source));

async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}
