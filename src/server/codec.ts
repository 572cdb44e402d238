/** @file The codec by itself: sound to codes and back, for those who work with codes. */

import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "#zod";
import { fileName, formats } from "./audio.js";
import { mediaType, readBytes, readForm } from "./bodies.js";
import type { Context } from "./handlers.js";
import { operationsFor, type queries } from "./operations.js";
import { Problem } from "./problems.js";
import { makeFile, takeSound } from "./sound-work.js";

export async function encodeResponse(
  context: Context,
  request: Request,
  { model, bandwidth }: z.output<typeof queries.encode>,
): Promise<Response> {
  const { limits, models, software } = context.desk.options;
  const { place } = await models.find(model);
  return alone(context, async (path) => {
    const { bytes, name } = await soundOf(request, limits);
    await takeSound({ bytes, name, to: path, maxSeconds: limits.uploadSeconds });
    const codes = await context.engine.call({ do: "encode", model: place, path, bandwidth, software });
    return new Response(new Uint8Array(codes!), {
      headers: {
        "content-type": "application/octet-stream",
        "content-disposition": fileName("attachment", "codes.safetensors"),
      },
    });
  });
}

export async function decodeResponse(
  context: Context,
  request: Request,
  { model, format, bits, loudness }: z.output<typeof queries.decode>,
): Promise<Response> {
  const { limits, models } = context.desk.options;
  const { place, facts } = await models.find(model);
  if (mediaType(request) !== "application/octet-stream")
    throw new Problem("unsupported-media-type", "send a safetensors file as application/octet-stream");
  if (bits !== undefined && (format === "mp3" || (format === "flac" && bits === 32)))
    throw Problem.invalid([["bits", format === "mp3" ? "mp3 has no bit depth" : "flac holds 16 or 24 bits"]]);
  return alone(context, async (path) => {
    const codes = await readBytes(request, longestCodes);
    const frames = Math.ceil(limits.uploadSeconds * facts.frameRate);
    await context.engine.call({ do: "decode", model: place, codes, path, frames });
    const bytes = await makeFile({ from: path, format, bits, loudness, provenance: undefined });
    return new Response(new Uint8Array(bytes), {
      headers: {
        "content-type": formats[format],
        "content-disposition": fileName("inline", `decoded.${format}`),
        "content-length": `${bytes.length}`,
      },
    });
  });
}

// --- internal ---

/** In bytes. An hour of four codebooks has three million. */
const longestCodes = 2 ** 24;

/** At work at the same time: each holds a file in memory. */
const most = 8;
let atWork = 0;

/** Work with a file of its own, which is gone afterwards. */
async function alone({ desk }: Context, work: (path: string) => Promise<Response>): Promise<Response> {
  if (desk.stopping) throw new Problem("stopping", "the server is stopping");
  if (atWork >= most)
    throw new Problem("too-many", `${most} sounds are at work: ask again in 2 s`, { headers: { "retry-after": "2" } });
  atWork++;
  const folder = join(desk.options.shelf.data, "passing");
  const path = join(folder, `${randomBytes(16).toString("hex")}.wav`);
  try {
    await mkdir(folder, { recursive: true });
    return await work(path);
  } finally {
    atWork--;
    await rm(path, { force: true });
  }
}

async function soundOf(request: Request, limits: Parameters<typeof operationsFor>[0]) {
  if (mediaType(request) !== "multipart/form-data") {
    if (!/^(application\/octet-stream|audio\/[\w.+-]+)$/.test(mediaType(request)))
      throw new Problem(
        "unsupported-media-type",
        "send the sound file as application/octet-stream, or in a form as audio",
      );
    return { bytes: await readBytes(request, limits.uploadBytes), name: "the file" };
  }
  const schema = operationsFor(limits).encode.body["multipart/form-data"];
  const audio = (await readForm(request, schema, limits.uploadBytes)).files.get("audio");
  if (audio === undefined) throw Problem.invalid([["audio", "the sound file is missing"]]);
  return audio;
}
