/** @file What is composed for the server, wherever that happens: jobs, alone or several together, and what becomes of them. */

import { writeFileAtomically } from "#platform";
import { duration } from "../audio/waveform.js";
import { writeCodes } from "../codes-file.js";
import { type ErrorCode, HocketError } from "../errors.js";
import type { MusicModel } from "../model.js";
import { generate } from "../musicgen.js";
import type { FinishedPiece, GenerateRequest, Piece, Region } from "../request.js";
import type { Started } from "./live.js";
import { codesFile, type Given, givenFile, pieceFile, readGrids, readSound, regionFile, writeSound } from "./shelf.js";
import type { Progress } from "./wire.js";

/** A model on this machine. */
export interface Place {
  readonly name: string;
  /** Of its folder. */
  readonly path: string;
  readonly adapters?: readonly { readonly path: string; readonly strength: number }[];
  /** Of a model that was trained here: its run, when that saved it, and the licence of what it began with. */
  readonly run?: string;
  readonly version?: string;
  readonly licence?: string | undefined;
}

export interface Job {
  readonly id: string;
  readonly model: Place;
  readonly pieces: readonly Piece[];
  /** The rest of the request, without sounds. */
  readonly settings: Omit<GenerateRequest, "prompt" | "seed" | "variations" | "regenerate" | Given>;
  /** Which sounds lie in the folder. */
  readonly given: readonly Given[];
  /** What is composed anew of the take whose codes lie in the folder. */
  readonly region?: Region;
  /** Where sounds lie, and where the results go. */
  readonly folder: string;
  readonly software: string;
}

export type JobEvent =
  | { readonly type: "start"; readonly started: Started }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "codes"; readonly piece: number; readonly codes: readonly Int32Array[] }
  | { readonly type: "sound"; readonly piece: number; readonly channels: readonly Float32Array[] }
  /** Its files are written. */
  | { readonly type: "done"; readonly duration: number; readonly seconds: number; readonly realTimeFactor: number }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };

/** Jobs of the same kind can be composed together; one that listens to a sound is alone. */
export const kindOf = ({ id, model, pieces, settings, given, region }: Job): string =>
  given.length > 0 || region !== undefined
    ? id
    : JSON.stringify([model, settings, pieces.some(({ prompt }) => prompt.trim() === "")]);

/**
 * Composes jobs of one kind together. Each gets what it would get alone: what a piece becomes depends on its own prompt
 * and seed.
 * @throws what `generate` throws
 */
export async function* composeJobs(
  model: MusicModel,
  jobs: readonly Job[],
  signal: AbortSignal,
): AsyncGenerator<{ readonly id: string; readonly event: JobEvent }> {
  const owned = jobs.flatMap((job) => job.pieces.map((piece, index) => ({ job, piece, index })));
  const { settings, given, region, folder } = jobs[0]!;
  const words =
    settings.sections === undefined ? { prompt: owned.map(({ piece }) => piece.prompt) } : { variations: owned.length };
  const request: GenerateRequest = { ...settings, ...words, seed: owned.map(({ piece }) => piece.seed) };
  for (const each of given) request[each] = await readSound(givenFile(folder, each));
  if (region !== undefined) request.regenerate = { ...region, take: (await readGrids(regionFile(folder)))[0]! };
  for await (const event of generate(model, request, { signal })) {
    if (event.type === "start")
      for (const { id, pieces } of jobs) {
        const { settings, notes } = event;
        yield { id, event: { type: "start", started: { ...shapeOf(model), pieces, settings, notes } } };
      }
    if (event.type === "progress") for (const { id } of jobs) yield { id, event: progressOf(event) };
    if (event.type === "codes")
      for (const [i, { job, index }] of owned.entries())
        yield { id: job.id, event: { type: "codes", piece: index, codes: event.codes[i]! } };
    if (event.type === "audio") {
      const { job, index } = owned[event.piece]!;
      yield { id: job.id, event: { type: "sound", piece: index, channels: event.waveform.channels } };
    }
    if (event.type !== "done") continue;
    const { seconds, realTimeFactor } = event;
    for (const job of jobs) {
      const own = event.pieces.filter((_, i) => owned[i]!.job === job);
      try {
        await store(model, job, own);
        yield { id: job.id, event: { type: "done", duration: duration(own[0]!.waveform), seconds, realTimeFactor } };
      } catch (error) {
        yield { id: job.id, event: failure(error) }; // the others are not to blame
      }
    }
  }
}

/** What a job that could not be done says. */
export function failure(error: unknown): JobEvent & { type: "failed" } {
  const message = error instanceof Error ? error.message : String(error);
  return { type: "failed", code: error instanceof HocketError ? error.code : "internal", message };
}

// --- internal ---

async function store(model: MusicModel, job: Job, pieces: readonly FinishedPiece[]): Promise<void> {
  for (const [index, { waveform }] of pieces.entries()) await writeSound(pieceFile(job.folder, index), waveform);
  const codes = pieces.map((piece) => piece.codes);
  await writeFileAtomically(codesFile(job.folder), writeCodes([{ codes }], metadata(model, job)));
}

const shapeOf = ({ codec, sides, lm }: MusicModel) => ({
  sampleRate: codec.sampleRate,
  channels: sides,
  frameRate: codec.frameRate,
  codebooks: lm.config.num_codebooks,
  bins: lm.config.vocab_size,
});

interface Steps {
  readonly step: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly realTimeFactor: number;
  readonly secondsLeft: number;
}

const progressOf = ({ step, steps, stepsPerSecond, realTimeFactor, secondsLeft }: Steps): JobEvent => ({
  type: "progress",
  progress: {
    step,
    steps,
    steps_per_second: stepsPerSecond,
    real_time_factor: realTimeFactor,
    seconds_left: secondsLeft,
  },
});

const metadata = (model: MusicModel, { pieces, settings, software }: Job): Record<string, string> => ({
  sample_rate: `${model.codec.sampleRate}`,
  frame_rate: `${model.codec.frameRate}`,
  model: model.name,
  prompt: pieces.length === 1 ? pieces[0]!.prompt : JSON.stringify(pieces.map(({ prompt }) => prompt)),
  ...(settings.sections === undefined ? {} : { sections: JSON.stringify(settings.sections) }),
  seed: pieces.map(({ seed }) => seed).join(","),
  software,
});
