/** @file What is sent in the body of a request: JSON, forms with files, files alone. All of it bounded. */

import type { z } from "#zod";
import { Problem } from "./problems.js";

export interface Upload {
  readonly bytes: Uint8Array;
  /** As the sender calls it, for messages. */
  readonly name: string;
}

export interface Form {
  /** Like a JSON body. */
  readonly fields: Record<string, unknown>;
  readonly files: ReadonlyMap<string, Upload>;
}

/** "application/json", say, in lower case, without parameters. */
export const mediaType = (request: Request): string =>
  (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();

/** @throws Problem where the body is larger than `limit` bytes */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem("too-large", `the body is larger than ${limit} bytes`, { headers: { connection: "close" } });
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > limit) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("invalid", "the body ended before it was whole");
  }
  return Buffer.concat(parts);
}

/** @throws Problem for what is no JSON */
export async function readJson(request: Request): Promise<unknown> {
  if (mediaType(request) !== "application/json")
    throw new Problem("unsupported-media-type", "send application/json, and say so in Content-Type");
  const text = new TextDecoder().decode(await readBytes(request, longestJson));
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("invalid", "the body is not JSON");
  }
}

/**
 * A form with files. Text becomes what `schema` wants of its field: a number, yes or no, or a list where the field is
 * there several times.
 */
export async function readForm(request: Request, schema: z.ZodObject, limit: number): Promise<Form> {
  const bytes = await readBytes(request, limit);
  const headers = { "content-type": request.headers.get("content-type")! };
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(bytes), { headers }).formData();
  } catch {
    throw new Problem("invalid", "the body is not multipart/form-data as its Content-Type says");
  }
  const fields: Record<string, unknown> = {};
  const files = new Map<string, Upload>();
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name);
    const texts = values.filter((value) => typeof value === "string");
    const [file] = values.filter((value) => typeof value !== "string");
    if (values.length > 1 && file !== undefined) throw Problem.invalid([[name, "one file, once"]]);
    if (file === undefined) fields[name] = fromTexts(schema.shape[name], texts);
    else files.set(name, { bytes: new Uint8Array(await file.arrayBuffer()), name: plain(file.name) });
  }
  return { fields, files };
}

// --- internal ---

const longestJson = 2 ** 20;

/** A name that can be shown in a line. */
const plain = (name: string): string =>
  name
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 100) || "the file";

/** The first reading of a text that its field takes; else the text, for the schema to refuse. */
function fromTexts(schema: z.core.$ZodType | undefined, texts: readonly string[]): unknown {
  const read = (text: string): unknown[] => [text, ...(text.trim() === "" ? [] : [Number(text)]), yesOrNo[text]];
  const several = texts.map((text) => read(text));
  const candidates =
    texts.length === 1
      ? [...several[0]!, ...several[0]!.map((value) => [value])]
      : [texts, several.map(([, number]) => number)];
  const takes = (value: unknown) => value !== undefined && (schema as z.ZodType).safeParse(value).success;
  const json = texts.length === 1 ? jsonOf(texts[0]!) : undefined;
  if (schema === undefined) return texts[0];
  return [...candidates, json].find(takes) ?? json ?? firstUseful(candidates);
}

const yesOrNo: Record<string, boolean> = { true: true, false: false };

/** For the message: a number is complained of as one. */
function firstUseful(candidates: readonly unknown[]): unknown {
  return candidates.find((value) => typeof value === "number" && !Number.isNaN(value)) ?? candidates[0];
}

/** A reference to another generation's sound, or sections. */
function jsonOf(text: string): unknown {
  if (!/^[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
