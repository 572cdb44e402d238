/** @file What goes over the wire of models: those that are here, on their way or to be had, and whether they fit. */

import { z } from "#zod";
import { id, ProblemBody } from "./wire.js";

export const fitting = ["yes", "tight", "no"] as const;
export type Fits = (typeof fitting)[number];

/** What a model asks of the machine. */
const needs = {
  memory: z.int().describe("bytes that it holds at most while it is at work, about"),
  fits: z
    .enum(fitting)
    .nullable()
    .describe("whether this machine has them; tight: if other programs let go of some; null where workers compose"),
};

export const Model = z.object({
  name: z.string(),
  kind: z.enum(["music", "codec"]),
  default: z.boolean().describe("used where a request names none"),
  licence: z.string().nullable(),
  commercial: z.boolean().nullable().describe("whether its licence allows commercial use; null where it is not known"),
  bytes: z.int().describe("of its weights on disk"),
  ...needs,
  sample_rate: z.int(),
  channels: z.int(),
  frame_rate: z.number(),
  codebooks: z.int(),
  bins: z.int(),
  run: id.nullable().describe("of a model that was trained here: its run"),
  melody: z.boolean().describe("whether it follows a melody"),
  window: z.number().nullable().describe("seconds that it was trained on: longer pieces are made in windows of this"),
  defaults: z
    .record(z.string(), z.number().nullable())
    .nullable()
    .describe("settings, where a request leaves them out"),
});
export const Pull = z
  .object({
    name: z.string(),
    state: z.enum(["fetching", "done", "failed"]),
    file: z.string().nullable().describe("the one that arrives now"),
    received: z.int().describe("bytes of that file"),
    bytes: z.int().nullable().describe("that the file has, if it is known"),
    error: ProblemBody.nullable(),
  })
  .describe("a model on its way from the hub; asked for again after a failure, it goes on where it stopped");
export type PullResource = z.output<typeof Pull>;

export const PullInput = z
  .strictObject({
    name: z
      .string()
      .max(200)
      .regex(/^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/),
  })
  .describe("owner/name, or owner/name@revision, of the Hugging Face hub");

const Offer = z
  .object({ name: z.string(), about: z.string().describe("what it is good for"), licence: z.string(), ...needs })
  .describe("a published model that is not here, and can be fetched");
export type OfferResource = z.output<typeof Offer>;

export const ModelList = z.object({
  data: z.array(Model),
  pulls: z.array(Pull),
  offers: z.array(Offer),
  memory: z
    .object({ total: z.int(), free: z.int().describe("now, what composes here now not counted") })
    .nullable()
    .describe("of this machine, in bytes; null where workers compose"),
});
export type ModelList = z.output<typeof ModelList>;
export type ModelResource = z.output<typeof Model>;
