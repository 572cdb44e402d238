/** @file Learning as the page sees it: folders that were listened through, runs, and what a run says while it goes on. */

import { signal } from "@preact/signals";
import {
  ApiError,
  type MusicResource,
  type RunNumbers,
  type RunResource,
  type RunSamples,
} from "../../../src/server/client.js";
import { client, fetchModels, messageOf, noteLoss } from "../state/server.js";
import { say } from "../state/words.js";

export const runs = signal<readonly RunResource[]>([]);
export const musics = signal<readonly MusicResource[]>([]);
/** Whether the server's lists were seen. */
export const seen = signal(false);

export const isOver = ({ state }: RunResource): boolean =>
  state === "stopped" || state === "done" || state === "failed";

export async function fetchTraining(): Promise<void> {
  try {
    [runs.value, musics.value] = await Promise.all([client.training.runs(), client.training.musics()]);
    seen.value = true;
  } catch (error) {
    noteLoss(error);
  }
}

/** Whether something goes on that is worth asking about again soon. */
export const isBusy = (): boolean =>
  musics.peek().some(({ state }) => state === "listening") || runs.peek().some((run) => !isOver(run));

/** Does what was asked; what goes wrong is said. @returns whether it was done */
export async function attempt(what: () => Promise<unknown>): Promise<boolean> {
  try {
    await what();
    return true;
  } catch (error) {
    noteLoss(error);
    say(messageOf(error));
    return false;
  }
}

export function putRun(run: RunResource): void {
  runs.value = [run, ...runs.value.filter(({ id }) => id !== run.id)].sort((a, b) =>
    a.created_at < b.created_at ? 1 : -1,
  );
}

/** A run that is followed: its numbers and what it has composed. */
export class Following {
  /** Counts up whenever there is more. */
  readonly more = signal(0);
  lines: RunNumbers[] = [];
  readonly samples: RunSamples[] = [];
  #stop: AbortController | undefined;

  constructor(readonly id: string) {}

  /** From the beginning, until it is over or nobody looks any more. */
  async follow(): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    try {
      for await (const event of client.training.events(this.id, { signal: stop.signal })) {
        if (event.type === "numbers") this.lines.splice(event.at, this.lines.length, ...event.lines);
        else if (event.type === "samples") this.#hear({ step: event.step, samples: event.samples });
        else if (event.type === "deleted") runs.value = runs.value.filter(({ id }) => id !== this.id);
        else {
          const before = runs.peek().find(({ id }) => id === this.id);
          putRun(event.run);
          if (event.run.usable && before?.usable !== true) void fetchModels().catch(noteLoss);
        }
        this.more.value++;
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) runs.value = runs.value.filter(({ id }) => id !== this.id);
      else noteLoss(error);
    }
  }

  leave(): void {
    this.#stop?.abort();
  }

  #hear(set: RunSamples): void {
    const at = this.samples.findIndex(({ step }) => step >= set.step);
    if (at < 0) this.samples.push(set);
    else this.samples.splice(at, this.samples[at]!.step === set.step ? 1 : 0, set);
  }
}
