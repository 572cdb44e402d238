/**
 * @file A generation followed while it grows. Whoever follows has a place in it, so many frames of codes and samples of
 * sound, and is told what lies after: late, slow or back after a cut, it gets everything once and in order.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { toPcm } from "../audio/pcm.js";
import { type Desk, isOver } from "./desk.js";
import type { Live } from "./live.js";
import { resource } from "./resource.js";
import type { Row } from "./store.js";
import type { Generation } from "./wire.js";

/** News of a generation. `id` is the place after it. */
export interface News {
  readonly event: "state" | "progress" | "codes" | "audio" | "done" | "failed" | "cancelled" | "deleted";
  readonly id?: string;
  readonly data: unknown;
}

export interface Wanted {
  readonly progress: boolean;
  readonly codes: boolean;
  readonly audio: boolean;
}

/** Where the last event of all leads. */
export const end = "end";

/** Looks again and again: at once, whenever something has changed, and the last time when it is over or gone. */
export async function* looks(
  desk: Desk,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly row: Row | undefined; readonly live: Live | undefined }> {
  let live: Live | undefined;
  for (;;) {
    const next = desk.bell.next(id, signal);
    const row = desk.options.store.get(id);
    if (row !== undefined && (live === undefined || !isOver(row.state))) live = await desk.music(row);
    yield { row, live };
    if (row === undefined || isOver(row.state)) return;
    await next;
    if (signal.aborted) return;
  }
}

/** @param from where the last one that was heard of led, "frames.samples" */
export async function* follow(
  desk: Desk,
  id: string,
  from: string | undefined,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<News> {
  let [frames, samples] = placeOf(from);
  let [state, progress] = ["", ""];
  let seen: readonly unknown[] = [];
  let now: Generation | undefined;
  for await (const { row, live } of looks(desk, id, signal)) {
    if (row === undefined) return yield { event: "deleted", id: end, data: { id } };
    const sources = [row, live?.started, desk.position(id)]; // all that it is made of, but for progress
    if (now === undefined || sources.some((source, i) => source !== seen[i])) {
      now = resource(desk, row);
      const shown = JSON.stringify([now.state, now.position, now.sound, now.title, now.favourite, now.tags]);
      if (shown !== state && !isOver(row.state)) yield { event: "state", data: now };
      state = shown;
    }
    seen = sources;
    if (live?.started !== undefined) {
      const place = () => `${frames}.${samples}`;
      const pieces = live.started.pieces.length;
      while (frames < live.frames) {
        const to = Math.min(live.frames, frames + mostFrames);
        const grids = Array.from({ length: pieces }, (_, piece) => live.codes(piece, frames, to).map((k) => [...k]));
        const data = { frame: frames, pieces: grids };
        frames = to;
        if (wanted.codes) yield { event: "codes", id: place(), data };
      }
      while (samples < live.samples) {
        const to = Math.min(live.samples, samples + mostSamples);
        const { sampleRate: sample_rate, channels } = live.started;
        for (let piece = 0; piece < pieces; piece++) {
          const pcm = Buffer.from(toPcm(live.sound(piece, samples, to), 16)).toString("base64");
          const data = { piece, at: samples, sample_rate, channels, pcm };
          const last = piece === pieces - 1; // only then is the place reached by all
          const id = `${frames}.${to}`;
          if (wanted.audio) yield { event: "audio", ...(last ? { id } : {}), data };
        }
        samples = to;
      }
    }
    const steps = JSON.stringify(live?.progress);
    if (wanted.progress && steps !== undefined && steps !== progress && !isOver(row.state))
      yield { event: "progress", data: live!.progress };
    progress = steps;
    if (isOver(row.state)) return yield { event: row.state as News["event"], id: end, data: now };
    await sleep(rest, undefined, { signal }).catch(() => {});
  }
}

/** As text/event-stream, with a comment now and then so that nobody takes the line for dead. */
export async function* eventStream(
  news: AsyncGenerator<Omit<News, "event"> & { readonly event: string }>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield "retry: 1000\n\n";
  const over = new AbortController();
  const silence = () => sleep(heartbeat, "quiet" as const, { signal: over.signal }).catch(() => "quiet" as const);
  let [next, quiet] = [news.next(), silence()];
  try {
    for (;;) {
      const found = await Promise.race([next, quiet]);
      if (signal.aborted) return;
      if (found === "quiet") {
        quiet = silence();
        yield ": still here\n\n";
        continue;
      }
      if (found.done === true) return;
      const { event, id, data } = found.value;
      next = news.next();
      next.catch(() => {}); // whoever awaits it is told
      yield `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
    }
  } finally {
    over.abort();
    await news.return(undefined).catch(() => {});
  }
}

// --- internal ---

/** Milliseconds between two looks: what came meanwhile is told together. */
const rest = 40;
const heartbeat = 15_000;

/** In one event. */
const mostFrames = 500;
const mostSamples = 65_536;

function placeOf(from: string | undefined): [frames: number, samples: number] {
  const [, frames, samples] = /^(\d{1,9})\.(\d{1,12})$/.exec(from ?? "") ?? [];
  return [Number(frames ?? 0), Number(samples ?? 0)];
}
