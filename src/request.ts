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

/** Leaves room to count up from it exactly. */
const largestSeed = 2 ** 53 - 65;

const waveform = z.custom<Waveform>().superRefine((value, context) => {
  const wrong = waveformProblem(value);
  if (wrong !== undefined) context.addIssue(wrong);
});
const seed = z.int().min(0).max(largestSeed);

/** Every field but the prompt may be left out; then the model's own default holds, or the one named here. */
export const GenerateRequest = z.strictObject({
  prompt: z
    .union([z.string(), z.array(z.string()).min(1).max(64)])
    .describe("what it should sound like; several prompts make several pieces; an empty one leaves it to the model"),
  duration: z.number().positive().max(longest).default(8).describe("seconds, a continued intro included"),
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
  stride: z
    .number()
    .positive()
    .optional()
    .describe("seconds from one window to the next in pieces longer than the model's window; default 0.6 of it"),
});

export type GenerateRequest = z.input<typeof GenerateRequest>;

/**
 * @param spelled how the door that the request came in by calls a field (`--top-k`)
 * @throws HocketError "bad-request": each field that cannot be, and what it may be
 */
export function parseRequest(request: unknown, spelled = (field: string) => field): z.output<typeof GenerateRequest> {
  const parsed = GenerateRequest.safeParse(request, { reportInput: true });
  if (parsed.success) return parsed.data;
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
