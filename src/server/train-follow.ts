/** @file A run followed while it learns: what it is, what its steps say, and the pieces that it composes on the way. */

import { setTimeout as sleep } from "node:timers/promises";
import { LogReader, samplesOf } from "./train-diary.js";
import { isOver } from "./train-learn.js";
import type { Runs } from "./train-runs.js";

/** News of a run. `id` is the place in its log after it. */
export interface RunNews {
  readonly event: "state" | "numbers" | "samples" | "over" | "deleted";
  readonly id?: string;
  readonly data: unknown;
}

/** @param from the place of the last event that was heard of */
export async function* followRun(
  runs: Runs,
  id: string,
  from: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<RunNews> {
  const reader = new LogReader(runs.folder(id), from);
  let [shown, heard] = ["", ""];
  for (;;) {
    const next = runs.bell.next(id, signal);
    if (!runs.has(id)) return yield { event: "deleted", data: { id } };
    const run = await runs.shown(id);
    if (JSON.stringify(run) !== shown && !isOver(run.state)) yield { event: "state", data: run };
    shown = JSON.stringify(run);
    for (let more = await reader.more(); more !== undefined; more = await reader.more())
      yield { event: "numbers", id: reader.place, data: more };
    const samples = await samplesOf(runs.folder(id));
    if (JSON.stringify(samples) !== heard)
      for (const each of samples) if (!heard.includes(JSON.stringify(each))) yield { event: "samples", data: each };
    heard = JSON.stringify(samples);
    if (isOver(run.state)) return yield { event: "over", data: run };
    await next;
    if (signal.aborted) return;
    await sleep(rest, undefined, { signal }).catch(() => {});
  }
}

// --- internal ---

/** Milliseconds between two looks: what came meanwhile is told together. */
const rest = 100;
