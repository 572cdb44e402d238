/**
 * @file What one may ask for, its limits and defaults, and the events that come back: the one contract of the library,
 * the command line and the server.
 */

import { z } from "#zod";
import { type Waveform, waveformProblem } from "./audio/waveform.js";
import { problemOf } from "./checked.js";
import type { Codes } from "./codes.js";
import { HocketError } from "./errors.js";

/** Seconds; past it a request is more likely a slip than a wish. */
const longest = 3600;
/** Seconds, where a request says nothing. */
const usualDuration = 8;

/** Leaves room to count up from it exactly. */
const largestSeed = 2 ** 53 - 65;

const waveform = z.custom<Waveform>().superRefine((value, context) => {
  const wrong = waveformProblem(value);
  if (wrong !== undefined) context.addIssue(wrong);
});
const seed = z.int().min(0).max(largestSeed);

const areCodes = (value: unknown): value is Codes =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((row) => row instanceof Int32Array && row.length === value[0].length && row.length > 0);

const take = z.custom<Codes | Waveform>().superRefine((value, context) => {
  const wrong = Array.isArray(value)
    ? areCodes(value)
      ? undefined
      : "they are not codes: [K][T] in Int32Arrays"
    : waveformProblem(value);
  if (wrong !== undefined) context.addIssue(wrong);
});

/** A part of a piece on the timeline. */
export const Section = z.strictObject({
  prompt: z.string().describe("what this part should sound like; an empty one leaves it to the model"),
  duration: z.number().positive().max(longest).describe("seconds"),
});
export type Section = z.output<typeof Section>;

/** A part of a take, to be composed anew. */
export const Region = z.strictObject({
  from: z.number().min(0).describe("the second at which the part begins that is composed anew"),
  to: z.number().positive().describe("the second at which it ends, and the old music goes on"),
  candidates: z
    .int()
    .min(1)
    .max(16)
    .default(4)
    .describe(
      "so often it is composed; the one is taken behind which the model finds the old music likeliest; default 4",
    ),
});
export type Region = z.output<typeof Region>;

/** Every field but the words may be left out; then the model's own default holds, or the one named here. */
const fields = z.strictObject({
  prompt: z
    .union([z.string(), z.array(z.string()).min(1).max(64)])
    .optional()
    .describe("what it should sound like; several prompts make several pieces; an empty one leaves it to the model"),
  duration: z.number().positive().max(longest).optional().describe("seconds, a continued intro included; default 8"),
  sections: z
    .array(Section)
    .min(1)
    .max(64)
    .optional()
    .describe("in place of prompt and duration: words that change along the piece; a continued intro counts to them"),
  seed: z
    .union([seed, z.array(seed).min(1)])
    .optional()
    .describe("the same seed makes the same piece; variations count up from it; random unless given"),
  variations: z.int().min(1).max(64).default(1).describe("pieces per prompt"),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("how daring: 0 always takes the likeliest code; default 1"),
  topK: z.int().min(0).optional().describe("choose among so many of the likeliest codes, 0 among all; default 250"),
  topP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("choose among the likeliest codes that make up this share, instead of top-k; default 0 (off)"),
  guidance: z.number().min(0).max(100).optional().describe("how much to overstate the prompt: 1 not at all; default 3"),
  greedy: z.boolean().optional().describe("always take the likeliest code"),
  melody: waveform.optional().describe("a tune to follow (melody models)"),
  continue: waveform.optional().describe("an intro to go on from"),
  regenerate: Region.extend({
    take: take.describe("its codes, which outside the part stay as they are; or its sound, which is encoded first"),
  })
    .optional()
    .describe("a take of which a part is composed anew; the piece is as long as the take"),
  stride: z
    .number()
    .positive()
    .optional()
    .describe("seconds from one window to the next in pieces longer than the model's window; default 0.6 of it"),
});

/**
 * What does not go together, of a request whose fields are each in order: the field, and what is wrong with it. Sounds count as
 * given whatever they are.
 */
export function contradiction(
  asked: Readonly<Record<string, unknown>> & {
    readonly sections?: readonly Section[] | undefined;
    readonly regenerate?: Region | undefined;
  },
): readonly [field: string, what: string] | undefined {
  const { sections, regenerate } = asked;
  const beside = (...others: string[]) => others.find((other) => asked[other] !== undefined);
  if (sections === undefined && asked.prompt === undefined) return ["prompt", "say what it should sound like"];
  if (sections !== undefined) {
    if (beside("prompt")) return ["sections", "each has words of its own: leave out the prompt, or the sections"];
    if (beside("duration")) return ["sections", "they last as long as they say: leave out the duration"];
    if (lengthOf(sections) > longest) return ["sections", `they last ${lengthOf(sections)} s: give at most ${longest}`];
  }
  if (regenerate === undefined) return undefined;
  const other = beside("duration", "continue", "sections");
  if (other !== undefined) return ["regenerate", `the rest of the take stays as it is: leave out ${other}`];
  if (regenerate.from < regenerate.to) return undefined;
  return ["regenerate", `nothing lies between ${regenerate.from} and ${regenerate.to} s`];
}

export const GenerateRequest = fields.superRefine((asked, context) => {
  const wrong = contradiction(asked);
  if (wrong !== undefined) context.addIssue({ code: "custom", path: [wrong[0]], message: wrong[1] });
});
export type GenerateRequest = z.input<typeof GenerateRequest>;

/** A request with its defaults. Of sections, `prompt` holds all words for people to read, and `duration` is the sum. */
export type Asked = Omit<z.output<typeof fields>, "prompt" | "duration"> & {
  readonly prompt: string | string[];
  readonly duration: number;
};

/** In seconds, without what adding tenths leaves. */
export const lengthOf = (sections: readonly Section[]): number =>
  Number(sections.reduce((sum, { duration }) => sum + duration, 0).toFixed(6));

/** The words of all sections, as one title. */
export const wordsOf = (sections: readonly Section[]): string => sections.map(({ prompt }) => prompt).join(" → ");

/**
 * @param spelled how the door that the request came in by calls a field (`--top-k`)
 * @throws HocketError "bad-request": each field that cannot be, and what it may be
 */
export function parseRequest(request: unknown, spelled = (field: string) => field): Asked {
  const parsed = GenerateRequest.safeParse(request, { reportInput: true });
  if (parsed.success) {
    const { sections, prompt = wordsOf(sections ?? []), duration = usualDuration, ...rest } = parsed.data;
    if (sections === undefined) return { ...rest, prompt, duration };
    return { ...rest, sections, prompt, duration: lengthOf(sections) };
  }
  const problems = new Map<string, string>(); // of each field the first
  for (const issue of parsed.error.issues) {
    const field = issue.path.map(String).join(".");
    if (!problems.has(field)) problems.set(field, `${field === "" ? "" : `${spelled(field)}: `}${problemOf(issue)}`);
  }
  throw new HocketError("bad-request", [...problems.values()].join("; ").replace(/\s+/g, " "));
}

/** One piece of a request: a prompt and a seed. */
export interface Piece {
  readonly prompt: string;
  readonly seed: number;
}

export interface FinishedPiece extends Piece {
  /** As the codec made it: no gain, no clipping. */
  readonly waveform: Waveform;
  /** [K][T]; stereo models: left and right in turn. */
  readonly codes: Codes;
}

/** The settings that hold, after the model's defaults: what a file that we write says about itself. */
export interface Settings {
  readonly duration: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly guidance: number;
  readonly greedy: boolean;
  readonly melody: boolean;
  readonly continued: boolean;
  /** Where words changed. */
  readonly sections?: readonly Section[];
  /** Where a part of a take was composed anew. */
  readonly regenerated?: Region;
  /** Of the language model's weights. */
  readonly precision: string;
}

export type GenerateEvent =
  | {
      readonly type: "start";
      readonly pieces: readonly Piece[];
      readonly settings: Settings;
      /** What the person asking should know, such as that an empty prompt leaves everything to the model. */
      readonly notes: readonly string[];
    }
  | {
      readonly type: "progress";
      readonly step: number;
      readonly steps: number;
      readonly stepsPerSecond: number;
      /** Seconds of sound composed per second, all pieces together. */
      readonly realTimeFactor: number;
      readonly secondsLeft: number;
    }
  | {
      /** Codes that are certain already, from this frame on, in order and without gaps: [K][more] of each piece. */
      readonly type: "codes";
      readonly frame: number;
      readonly codes: readonly Codes[];
    }
  | {
      /** Sound that is certain already, in order and without gaps. */
      readonly type: "audio";
      readonly piece: number;
      /** Seconds from the start. */
      readonly at: number;
      readonly waveform: Waveform;
    }
  | {
      readonly type: "done";
      readonly pieces: readonly FinishedPiece[];
      readonly seconds: number;
      /** As in "progress": of what was composed, without the intro that was given. */
      readonly realTimeFactor: number;
    };
