/**
 * @file Every operation of the API: where it is, what it takes and what it answers. The routes, the OpenAPI document and
 * the tests all come from this table.
 */

import { z } from "#zod";
import type { ProblemKind } from "./problems.js";
import { trainOperations } from "./train-operations.js";
import {
  Generation,
  GenerationList,
  GenerationPatch,
  generationInput,
  Health,
  type Limits,
  loudness,
  states,
} from "./wire.js";
import { ModelList, Pull, PullInput } from "./wire-models.js";

export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI spells it. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Of strings, as they stand in the address. */
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it takes, by media type; a string says what bytes. */
  readonly body?: Readonly<Record<string, z.ZodType | string>>;
  /** What it answers, by status and media type. */
  readonly answers: Readonly<
    Record<number, readonly [description: string, body?: Readonly<Record<string, z.ZodType | string>>]>
  >;
  readonly problems: readonly ProblemKind[];
}

const flag = z.stringbool().default(false);
const number = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(schema);
const soundQuery = z.strictObject({
  piece: number(z.int().min(0)).default(0).describe("which piece, counted from 0"),
  loudness,
  bits: z
    .enum(["16", "24", "32"])
    .transform((bits) => Number(bits) as 16 | 24 | 32)
    .optional()
    .describe("bits a sample, for wav and flac; 32 is float; 16 if left out"),
  download: flag.describe("to be saved, not played"),
});

export const queries = {
  list: z.strictObject({
    limit: number(z.int().min(1).max(100)).default(50),
    cursor: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .optional()
      .describe("next_cursor of the page before"),
    state: z.enum(states).optional(),
    favourite: z.stringbool().optional(),
    tag: z.string().max(50).optional(),
    parent: z.string().max(100).optional(),
    q: z.string().max(200).optional().describe("words of the title, the prompts or the tags"),
  }),
  events: z.strictObject({
    include: z
      .string()
      .regex(/^((progress|codes|audio)(,(?!$)|$))*$/)
      .default("progress,codes,audio")
      .describe("what to send besides states, separated by commas"),
  }),
  sound: soundQuery,
  removeModel: z.strictObject({ name: z.string().max(200) }),
  encode: z.strictObject({
    model: z.string().max(200).optional(),
    bandwidth: z
      .string()
      .regex(/^\d{1,4}(\.\d{1,4})?$/)
      .transform(Number)
      .optional()
      .describe("kbit/s, one that the codec has; its highest if left out"),
  }),
  decode: z.strictObject({
    model: z.string().max(200).optional(),
    format: z.enum(["wav", "mp3", "flac"]).default("wav"),
    bits: soundQuery.shape.bits,
    loudness,
  }),
};

const json = (schema: z.ZodType) => ({ "application/json": schema });
const safetensors = { "application/octet-stream": "a safetensors file: codes int32 [B, K, T]" };
const of = "/v1/generations/{id}";
const usual = ["unauthorized", "forbidden", "misdirected"] as const;

const sound = (format: string, type: string, when: string) =>
  ({
    method: "get",
    path: `${of}/audio.${format}`,
    summary: `Its sound as ${format.toUpperCase()}${when}`,
    query: queries.sound,
    headers: { Range: "a part, of a sound that is done" },
    answers: {
      200: ["The sound", { [type]: "the sound" }],
      206: ["A part of it", { [type]: "a part of the sound" }],
      304: ["It is as you have it"],
    },
    problems: [...usual, "invalid", "not-found", "not-finished", "no-sound", "range-not-satisfiable", "unusable"],
  }) as const satisfies Operation;

export const operationsFor = (limits: Limits) =>
  ({
    create: {
      method: "post",
      path: "/v1/generations",
      summary: "Compose music from words",
      description:
        "Answers at once with a generation that is queued; follow it by its urls. Alike requests that wait are composed together. Files may be WAV, MP3, FLAC, Ogg Vorbis or Opus.",
      headers: {
        Prefer:
          "`wait` or `wait=SECONDS`: answer when it is over, or after so many seconds (60 if not said, 600 at most)",
        "Idempotency-Key": "sent again with the same body, nothing new is made: the first generation is the answer",
        "X-Client-Id": "who asks, for taking turns; the address that the request comes from if left out",
      },
      body: { "application/json": generationInput(limits), "multipart/form-data": generationInput(limits) },
      answers: {
        201: ["It waits for its turn, or with Prefer: wait is over", json(Generation)],
        200: ["It was there already, made with the same Idempotency-Key", json(Generation)],
      },
      problems: [
        ...usual,
        "invalid",
        "too-large",
        "unsupported-media-type",
        "unusable",
        "key-reused",
        "too-many",
        "stopping",
      ],
    },
    list: {
      method: "get",
      path: "/v1/generations",
      summary: "What was composed, the newest first",
      query: queries.list,
      answers: { 200: ["A page", json(GenerationList)] },
      problems: [...usual, "invalid"],
    },
    get: {
      method: "get",
      path: of,
      summary: "One generation",
      answers: { 200: ["The generation", json(Generation)] },
      problems: [...usual, "not-found"],
    },
    patch: {
      method: "patch",
      path: of,
      summary: "Change its title, tags, or whether it is a favourite",
      body: json(GenerationPatch),
      answers: { 200: ["The generation, changed", json(Generation)] },
      problems: [...usual, "invalid", "not-found", "too-large", "unsupported-media-type"],
    },
    remove: {
      method: "delete",
      path: of,
      summary: "Delete it with its sound; one that is running is cancelled",
      answers: { 204: ["It is gone"] },
      problems: [...usual, "not-found"],
    },
    cancel: {
      method: "post",
      path: `${of}/cancel`,
      summary: "Stop it; one that is over stays as it is",
      answers: { 200: ["The generation", json(Generation)] },
      problems: [...usual, "not-found"],
    },
    events: {
      method: "get",
      path: `${of}/events`,
      summary: "Follow it: server-sent events",
      description: `Events, the data of each in JSON:
- \`state\`: the generation, at first and whenever its state or its place in the queue has changed
- \`progress\`: step, steps, steps_per_second, real_time_factor, seconds_left
- \`codes\`: {frame, pieces}: columns of codes from that frame on, [piece][codebook][column]
- \`audio\`: {piece, at, sample_rate, channels, pcm}: sound from sample \`at\` on, base64 of interleaved little-endian 16-bit PCM; joined, it is the data of audio.wav
- \`done\`, \`failed\`, \`cancelled\`: the generation; \`deleted\`: {id}; the stream ends

The id of an event is a place, "frames.samples". A client that comes back with it in Last-Event-ID gets what lies after, also of a generation that is over or that the server has begun anew; after the last event ("end") the answer is 204, which ends an EventSource.`,
      query: queries.events,
      headers: { "Last-Event-ID": "the id of the last event that was heard" },
      answers: {
        200: ["Events", { "text/event-stream": "events" }],
        204: ["Everything was heard"],
      },
      problems: [...usual, "invalid", "not-found"],
    },
    wav: sound("wav", "audio/wav", "; a stream while it is being composed"),
    mp3: sound("mp3", "audio/mpeg", "; a stream while it is being composed"),
    flac: sound("flac", "audio/flac", ", once it is done"),
    codes: {
      method: "get",
      path: `${of}/codes`,
      summary: "Its codes, as safetensors",
      headers: { Range: "a part" },
      answers: {
        200: ["The codes of all its pieces", safetensors],
        206: ["A part of them", safetensors],
        304: ["They are as you have them"],
      },
      problems: [...usual, "not-found", "not-finished", "no-sound", "range-not-satisfiable"],
    },
    models: {
      method: "get",
      path: "/v1/models",
      summary: "The models on this machine",
      answers: { 200: ["All that can be used", json(ModelList)] },
      problems: usual,
    },
    pull: {
      method: "post",
      path: "/v1/models",
      summary: "Fetch a model of the Hugging Face hub; its progress is in GET /v1/models",
      body: json(PullInput),
      answers: { 202: ["It is on its way", json(Pull)] },
      problems: [...usual, "invalid", "too-large", "unsupported-media-type", "too-many", "stopping"],
    },
    removeModel: {
      method: "delete",
      path: "/v1/models",
      summary: "Stop fetching a model, or take it off this machine, for other programs too",
      query: queries.removeModel,
      answers: { 204: ["It is gone, or not fetched any further"] },
      problems: [...usual, "invalid"],
    },
    encode: {
      method: "post",
      path: "/v1/codec/encode",
      summary: "Sound to codes",
      query: queries.encode,
      body: {
        "application/octet-stream": "a sound file: WAV, MP3, FLAC, Ogg Vorbis or Opus",
        "multipart/form-data": z.object({ audio: z.string().meta({ format: "binary" }) }),
      },
      answers: { 200: ["The codes", safetensors] },
      problems: [...usual, "invalid", "too-large", "unsupported-media-type", "unusable", "too-many", "stopping"],
    },
    decode: {
      method: "post",
      path: "/v1/codec/decode",
      summary: "Codes to sound",
      query: queries.decode,
      body: safetensors,
      answers: {
        200: ["The sound", { "audio/wav": "the sound", "audio/mpeg": "the sound", "audio/flac": "the sound" }],
      },
      problems: [...usual, "invalid", "too-large", "unsupported-media-type", "unusable", "too-many", "stopping"],
    },
    ...trainOperations,
    signIn: {
      method: "post",
      path: "/v1/session",
      summary: "Exchange the token for a cookie, for players and event streams that cannot send it",
      answers: { 204: ["The cookie is set"] },
      problems: usual,
    },
    signOut: {
      method: "delete",
      path: "/v1/session",
      summary: "Take the cookie away",
      answers: { 204: ["The cookie is gone"] },
      problems: usual,
    },
    openapi: {
      method: "get",
      path: "/v1/openapi.json",
      summary: "This document",
      answers: { 200: ["OpenAPI 3.1", { "application/json": z.record(z.string(), z.unknown()) }] },
      problems: usual,
    },
    health: {
      method: "get",
      path: "/health",
      summary: "Whether the server is well; needs no token",
      answers: { 200: ["It is", json(Health)], 503: ["It is stopping", json(Health)] },
      problems: [],
    },
    metrics: {
      method: "get",
      path: "/metrics",
      summary: "Numbers for Prometheus",
      answers: { 200: ["Text exposition format 0.0.4", { "text/plain": "metrics" }] },
      problems: usual,
    },
  }) as const satisfies Record<string, Operation>;

export type OperationId = keyof ReturnType<typeof operationsFor>;
