/**
 * @file What goes over the wire: the library's request with its fields in snake_case, as HTTP interfaces of music models
 * spell them, and the resources that come back. One description: it checks, it documents, and it types the client.
 */

import { z } from "#zod";
import { strategies } from "../audio/loudness.js";
import { contradiction, GenerateRequest, lengthOf, Region, Section } from "../request.js";
import { Problem } from "./problems.js";

/** What a server takes from one request. */
export interface Limits {
  /** Of a piece, in seconds. */
  readonly seconds: number;
  /** Pieces of one generation: prompts times variations. */
  readonly pieces: number;
  /** Generations that wait, of one client and of all. */
  readonly waitingOfOne: number;
  readonly waiting: number;
  /** Pieces composed at the same time. */
  readonly together: number;
  /** Of an uploaded file in bytes, and of the sound in it in seconds. */
  readonly uploadBytes: number;
  readonly uploadSeconds: number;
}

export const usualLimits: Limits = {
  seconds: 300,
  pieces: 16,
  waitingOfOne: 50,
  waiting: 200,
  together: 4,
  uploadBytes: 64 * 2 ** 20,
  uploadSeconds: 900,
};

export const idPattern = /^[0-9a-f]{32}$/;
export const id = z.string().regex(idPattern).describe("32 hexadecimal digits, not to be guessed");

/** Another generation's sound, or a part of it, in place of an uploaded file. */
export const SoundReference = z
  .strictObject({
    generation: id,
    of: z.enum(["result", "melody", "continue"]).default("result").describe("what it became, or a sound it was given"),
    piece: z.int().min(0).default(0).describe("of the result"),
    start: z.number().min(0).default(0).describe("seconds"),
    end: z.number().positive().optional().describe("seconds; to the end if left out"),
  })
  .describe("a sound that this server made; to upload a file instead, send multipart/form-data");
export type SoundReference = z.output<typeof SoundReference>;

/** A part of another generation's result, to be composed anew. */
export const RegionReference = Region.extend({
  generation: id.describe("the take"),
  piece: z.int().min(0).default(0).describe("of its result"),
}).describe(GenerateRequest.shape.regenerate.description!);
export type RegionReference = z.output<typeof RegionReference>;

export const relations = ["vary", "continue", "melody", "region", "seed"] as const;

const title = z.string().max(200);
const tags = z.array(z.string().min(1).max(50)).max(32);

/** What people may say about a generation, at any time. */
const about = {
  title: title.optional().describe("a name for people"),
  favourite: z.boolean().default(false),
  tags: tags.default([]),
};

/** The body of POST /v1/generations. */
export const generationInput = (limits: Limits) =>
  z
    .strictObject({
      ...snaked(music),
      prompt: z
        .union([z.string().max(longestPrompt), z.array(z.string().max(longestPrompt)).min(1).max(limits.pieces)])
        .optional()
        .describe(music.prompt.description!),
      duration: z.number().positive().max(limits.seconds).optional().describe(music.duration.description!),
      sections: z
        .array(
          Section.extend({
            prompt: z.string().max(longestPrompt).describe(Section.shape.prompt.description!),
            duration: z.number().positive().max(limits.seconds).describe(Section.shape.duration.description!),
          }),
        )
        .min(1)
        .max(64)
        .optional()
        .describe(music.sections.description!),
      variations: z
        .int()
        .min(1)
        .max(limits.pieces)
        .default(music.variations.def.defaultValue as number)
        .describe(music.variations.description!),
      melody: SoundReference.optional().describe(`${melody.description}: ${SoundReference.description}`),
      continue: SoundReference.optional().describe(`${intro.description}: ${SoundReference.description}`),
      regenerate: RegionReference.optional(),
      model: z.string().max(200).optional().describe("a name from GET /v1/models; the server's own model if left out"),
      ...about,
      parent: id.optional().describe("the generation that this one comes from"),
      relation: z.enum(relations).optional().describe("how it comes from its parent"),
    })
    .describe("what to compose");
export type GenerationInput = z.input<ReturnType<typeof generationInput>>;
export type ParsedInput = z.output<ReturnType<typeof generationInput>>;

/** The body of PATCH. Null takes the title away. */
export const GenerationPatch = z
  .strictObject({ title: title.nullable(), favourite: z.boolean(), tags })
  .partial()
  .describe("what to change; the rest stays");
export type GenerationPatch = z.output<typeof GenerationPatch>;

export const states = ["queued", "running", "done", "failed", "cancelled"] as const;
export type State = (typeof states)[number];

const time = z.iso.datetime();

export const ProblemBody = z
  .object({
    type: z.string().describe("urn:hocket:problem:...; what kind of problem, for programs"),
    title: z.string().describe("the kind, for people"),
    status: z.int(),
    detail: z.string().describe("this problem: what, where, what to do"),
    field: z.string().optional().describe("the first field that is wrong"),
    errors: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
  })
  .describe("RFC 9457");
export type ProblemBody = z.output<typeof ProblemBody>;

const Piece = z.object({
  index: z.int(),
  prompt: z.string(),
  seed: z.int(),
  seconds: z.number().nullable().describe("null until it is done"),
});

const Progress = z.object({
  step: z.int(),
  steps: z.int(),
  steps_per_second: z.number(),
  real_time_factor: z.number().describe("seconds of sound composed per second"),
  seconds_left: z.number(),
});
export type Progress = z.output<typeof Progress>;

export const Generation = z
  .object({
    id,
    state: z.enum(states),
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    position: z.int().nullable().describe("how many come before it, while it is queued"),
    model: z.string(),
    licence: z.string().nullable().describe("of the model's weights, and so of what may be done with the sound"),
    request: z
      .record(z.string(), z.unknown())
      .describe("what was asked for; sent again, it makes the same music: the seed is always there"),
    settings: z.record(z.string(), z.unknown()).nullable().describe("what holds after the model's defaults"),
    notes: z.array(z.string()).describe("what the person asking should know"),
    sound: z
      .object({
        sample_rate: z.int(),
        channels: z.int(),
        frame_rate: z.number().describe("columns of codes a second"),
        codebooks: z.int(),
        bins: z.int().describe("codes of a codebook"),
      })
      .nullable()
      .describe("null until it has started"),
    pieces: z.array(Piece),
    progress: Progress.nullable().describe("while it is running"),
    seconds: z.number().nullable().describe("that composing took"),
    real_time_factor: z.number().nullable(),
    error: ProblemBody.nullable().describe("why it failed"),
    title: z.string().nullable(),
    favourite: z.boolean(),
    tags: z.array(z.string()),
    parent: id.nullable(),
    relation: z.enum(relations).nullable(),
    urls: z.object({ self: z.string(), events: z.string(), cancel: z.string(), codes: z.string(), audio: z.string() }),
  })
  .describe(
    "one request, its state and what became of it; urls.audio ends in .wav, and .mp3 and .flac stand beside it",
  );
export type Generation = z.output<typeof Generation>;

export const GenerationList = z.object({
  data: z.array(Generation),
  next_cursor: z.string().nullable().describe("what to ask for next; null at the end"),
});

export type GenerationList = z.output<typeof GenerationList>;

export const Health = z.object({ status: z.enum(["ok", "stopping"]), version: z.string() });

export const loudness = z
  .enum(strategies)
  .default("clip")
  .describe("clip leaves the level as it was composed; loudness brings it to -14 LUFS, and works once it is done");

/**
 * The library's request that an input stands for, without sounds.
 * @throws Problem where a field is not what it must be
 */
export function parseInput(body: unknown, limits: Limits): ParsedInput {
  const misnamed = Object.keys((body ?? {}) as object).find((key) => Object.hasOwn(elsewhere, key));
  if (misnamed !== undefined) throw Problem.invalid([[misnamed, `it is called ${elsewhere[misnamed]} here`]]);
  const input = Problem.parse(generationInput(limits), body);
  const wrong = contradiction(input);
  if (wrong !== undefined) throw Problem.invalid([wrong]);
  if (input.sections !== undefined && lengthOf(input.sections) > limits.seconds)
    throw Problem.invalid([["sections", `they last ${lengthOf(input.sections)} s: give at most ${limits.seconds}`]]);
  const { candidates = 1 } = input.regenerate ?? {};
  const pieces = [input.prompt].flat().length * input.variations * candidates;
  if (pieces > limits.pieces)
    throw Problem.invalid([
      [
        "variations",
        `these are ${pieces} pieces${candidates > 1 ? ", candidates included" : ""}, and at most ${limits.pieces} are made at once`,
      ],
    ]);
  return input;
}

/** Turns fields of the wire into the library's: top_k into topK. */
export const camel = (field: string): string => field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
export const snake = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The fields of the library's request, on the wire. */
export const isMusical = (field: string): boolean => camel(field) in music;

// --- internal ---

const { melody, continue: intro, regenerate: _, ...music } = GenerateRequest.shape;

/** In characters. The text encoder has a limit too, in tokens. */
const longestPrompt = 20_000;

/** What other programs call our fields (Replicate, audiocraft, transformers). */
const elsewhere: Record<string, string> = {
  classifier_free_guidance: "guidance",
  cfg_coef: "guidance",
  guidance_scale: "guidance",
  model_version: "model",
  descriptions: "prompt",
  extend_stride: "stride",
  input_audio: "melody, or continue",
  melody_wavs: "melody",
  topK: "top_k",
  topP: "top_p",
};

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : S;
type Snaked<S> = { [Field in keyof S as Snake<Field & string>]: S[Field] };

function snaked<S extends object>(shape: S): Snaked<S> {
  return Object.fromEntries(Object.entries(shape).map(([field, schema]) => [snake(field), schema])) as Snaked<S>;
}
