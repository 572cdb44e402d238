/** @file Who composes: here, a process of this machine that takes one batch of waiting jobs after the other. */

import type { Engine } from "./engine.js";
import { FairQueue } from "./fair.js";
import { type Job, type JobEvent, kindOf } from "./jobs.js";

/** What becomes of a job, besides what comes of composing it. */
export type CrewEvent =
  | JobEvent
  /** Composing begins. */
  | { readonly type: "begun" }
  /** Whoever composed it died. It is to be submitted again, or given up. */
  | { readonly type: "lost" }
  /** The crew goes home and has not done it. */
  | { readonly type: "returned" };

export interface Crew {
  /** Takes a job of a client. Clients take turns. */
  submit(client: string, job: Job): Promise<void>;
  /** Nothing more is heard of the job. */
  cancel(id: string): Promise<void>;
  /** How many jobs come before this one; undefined if it does not wait, or nobody knows. */
  position(id: string): number | undefined;
  waiting(): number;
  waitingOf(client: string): number;
  /** Finishes what can be finished within so many milliseconds, and hands back the rest. */
  close(milliseconds: number): Promise<void>;
}

export interface CrewOptions {
  /** Pieces composed at the same time. */
  readonly together: number;
  readonly onEvent: (id: string, event: CrewEvent) => void;
}

export class OwnCrew implements Crew {
  readonly #queue = new FairQueue<Job>();
  readonly #working = new Set<string>();
  #closing = false;
  #last = Promise.resolve();

  constructor(
    readonly engine: Engine,
    readonly options: CrewOptions,
  ) {}

  async submit(client: string, job: Job): Promise<void> {
    this.#queue.add(client, job.id, job);
    this.#last = this.#last.then(() => this.#work());
  }

  async cancel(id: string): Promise<void> {
    this.#queue.remove(id);
    if (this.#working.delete(id)) this.engine.cancel(id);
  }

  position(id: string): number | undefined {
    const before = this.#queue.position(id);
    return before === undefined ? undefined : before + (this.#working.size > 0 ? 1 : 0);
  }

  waiting(): number {
    return this.#queue.size;
  }

  waitingOf(client: string): number {
    return this.#queue.sizeOf(client);
  }

  async close(milliseconds: number): Promise<void> {
    this.#closing = true;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.#last, limit]);
    clearTimeout(timer);
    for (const id of this.#working) this.options.onEvent(id, { type: "returned" });
    this.#working.clear();
  }

  /** One batch. There may be none left: a batch takes what several calls were made for. */
  async #work(): Promise<void> {
    if (this.#closing) return;
    const { together, onEvent } = this.options;
    const jobs = this.#queue.take(
      (taken, next) => kindOf(next) === kindOf(taken[0]!) && piecesOf([...taken, next]) <= together,
    );
    if (jobs.length === 0) return;
    for (const { id } of jobs) {
      this.#working.add(id);
      onEvent(id, { type: "begun" });
    }
    const lost = await this.engine.compose(jobs, (id, event) => {
      if (!this.#working.has(id)) return;
      if (event.type === "done" || event.type === "failed") this.#working.delete(id);
      onEvent(id, event);
    });
    for (const { id } of jobs) if (this.#working.delete(id) && lost) onEvent(id, { type: "lost" });
  }
}

// --- internal ---

const piecesOf = (jobs: readonly Job[]): number => jobs.reduce((sum, { pieces }) => sum + pieces.length, 0);
