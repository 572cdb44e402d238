/** @file What goes over the wire about learning: folders of music, what was heard in them, runs and what they say of themselves. */

import { z } from "#zod";
import { adapting, onwards } from "../train/lm-presets.js";
import { idPattern, ProblemBody } from "./wire.js";

/** What one server keeps and takes of learning. */
export const trainLimits = {
  /** Runs, and folders that were listened to. */
  runs: 100,
  music: 50,
  /** That wait for their turn. */
  waiting: 8,
  /** Sound files of a folder with all its folders. */
  files: 20_000,
  /** Folders shown of one folder. */
  folders: 500,
  /** Files that were left out, and remarks, each shown with its reason. */
  shown: 200,
} as const;

const id = z.string().regex(idPattern).describe("32 hexadecimal digits, not to be guessed");
const time = z.iso.datetime();
/** A line of text without signs that cannot be seen. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u);

export const Folder = z
  .object({
    id: id.describe("stands for the folder until the server ends; no request names a path"),
    name: z.string(),
    sounds: z.int().describe("sound files that lie in it, those of its folders left out; counted up to 1000"),
  })
  .describe("a folder on the server's machine that may be learnt from");
export type FolderResource = z.output<typeof Folder>;

export const FolderList = z.object({
  path: z.array(Folder).describe("the folder that was asked about, after those that it lies in"),
  folders: z.array(Folder).describe("what lies in it; or, where none was asked about, those to begin at"),
  more: z.boolean().describe("whether there are more than are listed"),
});
export type FolderList = z.output<typeof FolderList>;

export const MusicInput = z.strictObject({ folder: id }).describe("a folder to listen through, by its id");

const Remark = z.object({ file: z.string(), reason: z.string() });

export const Music = z
  .object({
    id,
    name: z.string().describe("of the folder"),
    state: z.enum(["listening", "ready", "failed"]),
    created_at: time,
    files: z.int().nullable().describe("sound files in it; null until they are counted"),
    done: z.int().describe("files that were listened to"),
    recordings: z.int().describe("those that can be learnt from"),
    seconds: z.number().describe("of sound in them"),
    described: z.int().describe("those with words: of a file beside them, or of their tags"),
    held_out: z.int().describe("those that are not learnt from, but listened to, to see whether learning helps"),
    words: z.array(z.string()).describe("a few of their descriptions"),
    left_out: z.int(),
    problems: z.array(Remark).describe("why files were left out, the first 200"),
    notes: z.array(Remark).describe("words that cannot be used, the first 200"),
    error: ProblemBody.nullable(),
  })
  .describe("a folder that was listened through");
export type MusicResource = z.output<typeof Music>;

export const MusicList = z.object({ data: z.array(Music) });

/** A name of a model that was trained here. Without a slash it is never one of the hub. */
const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,59}$/u)
  .describe("what to call it: letters, digits, spaces, dots and dashes, 60 at most");

export const RunInput = z
  .strictObject({
    music: id.describe("what to learn from: the id of a folder that was listened through"),
    name,
    model: z.string().max(200).optional().describe("the model that learns, from GET /v1/models; the server's own"),
    what: z
      .enum(["adapter", "whole"])
      .default("adapter")
      .describe("a few numbers on top of the model, the right thing for little music; or a whole model of its own"),
    steps: z.int().min(1).max(1_000_000).default(onwards.steps),
    rate: z
      .number()
      .positive()
      .max(1)
      .optional()
      .describe(`how far each step goes; ${adapting.rate} for an adapter, ${onwards.rate} for a whole model`),
    rank: z.int().min(1).max(256).default(16).describe("of an adapter: how much it can learn"),
    batch: z.int().min(1).max(64).default(onwards.batch).describe("clips that each step hears"),
    seconds: z.number().min(0.5).max(60).optional().describe("of each clip; 10 if left out, or what the model knows"),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1),
    prompts: z
      .array(line(300))
      .max(4)
      .default([])
      .describe("what it is asked for again and again, so that one hears it learn; if none, held-out descriptions"),
  })
  .describe("what shall learn, from what, and how");
export type RunInput = z.input<typeof RunInput>;
export type RunOrder = z.output<typeof RunInput>;

export const runStates = ["waiting", "listening", "learning", "stopping", "stopped", "done", "failed"] as const;
export type RunState = (typeof runStates)[number];

/** What a run goes by, defaults filled in. */
export const RunSettings = z.object({
  steps: z.int(),
  rate: z.number(),
  rank: z.int().nullable(),
  batch: z.int(),
  seconds: z.number(),
  seed: z.int(),
  prompts: z.array(z.string()),
});

export const Run = z
  .object({
    id,
    name,
    state: z
      .enum(runStates)
      .describe("listening: sound becomes codes, once; stopped and failed runs go on where they were with resume"),
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    position: z.int().nullable().describe("runs that come before it, while it waits"),
    model: z.string().describe("that learns"),
    licence: z.string().nullable().describe("of that model, and so of what comes out"),
    music: z.object({ id, name: z.string() }),
    what: RunInput.shape.what.unwrap(),
    settings: RunSettings,
    listened: z
      .object({ done: z.int(), recordings: z.int() })
      .nullable()
      .describe("recordings that have become codes, while it is listening"),
    step: z.int().describe("steps done"),
    steps: z.int(),
    seconds_left: z.number().nullable().describe("as long as it is learning"),
    seconds_per_step: z.number().nullable(),
    said: z.array(z.string()).describe("the last lines that it said"),
    error: ProblemBody.nullable().describe("why it failed, or was stopped by something else than a request"),
    usable: z.boolean().describe("whether GET /v1/models has it, by its name"),
    urls: z.object({ self: z.string(), events: z.string(), stop: z.string(), resume: z.string(), log: z.string() }),
  })
  .describe("something that learns");
export type RunResource = z.output<typeof Run>;

export const RunList = z.object({ data: z.array(Run) });

/** What a step, or a check after it, says of itself, by the names of docs/training.md. */
export type RunNumbers = { readonly step: number } & Readonly<Record<string, number>>;

export const RunSamples = z.object({
  step: z.int(),
  samples: z.array(z.object({ index: z.int(), prompt: z.string() })),
});
export type RunSamples = z.output<typeof RunSamples>;

/** Schemas that stand in the document under these names. */
export const trainSchemas = { Folder, FolderList, Music, MusicInput, MusicList, Run, RunInput, RunList };
