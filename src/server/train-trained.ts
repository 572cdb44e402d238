/**
 * @file Models that were trained here, as requests may name them. Read from the runs' folders, so that workers on other
 * machines, which see the server's data, find them too.
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "#zod";
import type { Place } from "./jobs.js";
import { readRecords } from "./train-records.js";
import { RunInput, RunSettings, runStates } from "./train-wire.js";

/** What is remembered of a run. */
export const RunRecord = z.object({
  name: z.string(),
  created: z.number(),
  started: z.number().nullable(),
  finished: z.number().nullable(),
  state: z.enum(runStates),
  model: z.string(),
  licence: z.string().nullable(),
  music: z.object({ id: z.string(), name: z.string() }),
  what: RunInput.shape.what.unwrap(),
  settings: RunSettings,
  said: z.array(z.string()),
  error: z.looseObject({ detail: z.string() }).nullable(),
});
export type RunRecord = z.output<typeof RunRecord>;

export const recordName = "run.json";

/** Where a server's runs are, and what it found in folders. */
export const runsIn = (data: string): string => join(data, "training", "runs");
export const musicIn = (data: string): string => join(data, "training", "music");

/** The model that has come of a run so far; what learns may be that of an own place, or one of the hub. */
export interface Trained {
  readonly name: string;
  /** The model that it began with. */
  readonly base: string;
  /** Without the base's folder, where it is an adapter. */
  readonly place: Omit<Place, "path"> & { readonly path?: string };
}

/** Those of the server's data that can be used. */
export async function trainedIn(data: string): Promise<Trained[]> {
  const found: Trained[] = [];
  for (const { id, value } of await readRecords(runsIn(data), recordName)) {
    const record = RunRecord.safeParse(value);
    if (!record.success) continue;
    const trained = await trainedBy(join(runsIn(data), id), id, record.data);
    if (trained !== undefined) found.push(trained);
  }
  return found;
}

/** What has come of a run; undefined as long as it has saved nothing. */
export async function trainedBy(folder: string, id: string, record: RunRecord): Promise<Trained | undefined> {
  const { name, model, licence, what } = record;
  const weights = what === "adapter" ? "adapter_model.safetensors" : "model.safetensors";
  const written = await stat(join(folder, weights)).catch(() => undefined);
  if (written === undefined) return undefined;
  // As long as it learns, every save makes another model of it.
  const about = { name, run: id, licence: licence ?? undefined, version: `${written.mtimeMs}` };
  if (what === "whole") return { name, base: model, place: { ...about, path: folder } };
  return { name, base: model, place: { ...about, adapters: [{ path: folder, strength: 1 }] } };
}
