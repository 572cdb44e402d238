/**
 * @file Runs: what shall learn, in turn, one at a time, each in a folder as `hocket train` makes it. A run is what its
 * folder says; whatever ends it, it is stopped, and goes on from there when somebody asks for it.
 */

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isFile } from "#platform";
import type { MusicFacts } from "../model-facts.js";
import { adapting, onwards } from "../train/lm-presets.js";
import { newId } from "./desk.js";
import { Bell } from "./live.js";
import type { Models } from "./models.js";
import { Problem } from "./problems.js";
import { LogReader } from "./train-diary.js";
import { isOver, learn, type Work } from "./train-learn.js";
import type { MusicShelf } from "./train-music.js";
import { readRecords, writeRecord } from "./train-records.js";
import { RunRecord, recordName, runsIn, trainedBy } from "./train-trained.js";
import { type RunOrder, type RunResource, trainLimits } from "./train-wire.js";

export interface RunsOptions {
  /** The server's. */
  readonly data: string;
  readonly music: MusicShelf;
  readonly models: Models;
  /** The file that is `hocket`. */
  readonly program: string | undefined;
  readonly threads: number | undefined;
  readonly log: (line: string) => void;
}

/** What is known of one that computes. */
export interface Running {
  listened: { readonly done: number; readonly recordings: number } | null;
  secondsPerStep: number | null;
}

export class Runs {
  readonly bell = new Bell();
  readonly #records = new Map<string, RunRecord>();
  readonly #steps = new Map<string, number>();
  #queue: string[] = [];
  #now: { readonly id: string; readonly work: Work; readonly over: Promise<void> } | undefined;
  #closing = false;

  private constructor(readonly options: RunsOptions) {}

  /** Takes up what was there before. What was at work when the server ended is stopped. */
  static async open(options: RunsOptions): Promise<Runs> {
    const runs = new Runs(options);
    for (const { id, value } of await readRecords(runsIn(options.data), recordName)) {
      const record = RunRecord.parse(value);
      const state = isOver(record.state) ? record.state : "stopped";
      runs.#records.set(id, { ...record, state });
      runs.#steps.set(id, await lastStep(runs.folder(id)));
    }
    return runs;
  }

  folder(id: string): string {
    return join(runsIn(this.options.data), id);
  }

  async list(): Promise<RunResource[]> {
    const all = [...this.#records].sort(([, a], [, b]) => b.created - a.created);
    return Promise.all(all.map(([id]) => this.shown(id)));
  }

  has(id: string): boolean {
    return this.#records.has(id);
  }

  /** Ids of the music that runs learn from. */
  needed(): ReadonlySet<string> {
    return new Set([...this.#records.values()].map(({ music }) => music.id));
  }

  /** @throws Problem */
  async create(order: RunOrder): Promise<RunResource> {
    const { music, models } = this.options;
    this.#checkRoom();
    await this.#checkMusic(order.music);
    const { place, facts } = await models.findMusic(order.model).catch((error) => {
      throw Problem.about("model", error);
    });
    if (place.adapters !== undefined && place.adapters.length > 0)
      throw Problem.invalid([["model", `${place.name} has an adapter on it: let the model beneath it learn`]]);
    await this.#checkName(order.name);
    const id = newId();
    const record: RunRecord = {
      ...{ name: order.name, created: Date.now(), started: null, finished: null, state: "waiting" },
      ...{ model: place.name, licence: facts.licence ?? null },
      ...{ music: { id: order.music, name: music.get(order.music).name }, what: order.what },
      ...{ settings: settingsOf(order, facts), said: [], error: null },
    };
    await mkdir(this.folder(id), { recursive: true });
    await writeRecord(this.folder(id), recordName, record);
    this.#records.set(id, record);
    return this.#queueUp(id);
  }

  /** @throws Problem if there is none */
  async stop(id: string): Promise<RunResource> {
    const { state } = this.record(id);
    if (this.#now?.id === id) {
      if (state !== "stopping") await this.change(id, { state: "stopping" });
      this.#now.work.stop();
    } else if (state === "waiting") {
      this.#queue = this.#queue.filter((each) => each !== id);
      await this.change(id, { state: "stopped", finished: Date.now() });
      this.bell.ringAll(); // others have moved up
    }
    return this.shown(id);
  }

  /** @throws Problem */
  async resume(id: string): Promise<RunResource> {
    const record = this.record(id);
    if (!isOver(record.state)) return this.shown(id);
    if (record.state === "done") throw Problem.invalid([["", "it has done all its steps: begin another run"]]);
    this.#checkRoom();
    await this.#checkMusic(record.music.id);
    await this.change(id, { state: "waiting", finished: null, error: null, said: [] });
    return this.#queueUp(id);
  }

  /** @throws Problem if there is none */
  async remove(id: string): Promise<void> {
    this.record(id);
    this.#queue = this.#queue.filter((each) => each !== id);
    this.#records.delete(id);
    this.#steps.delete(id);
    if (this.#now?.id === id) {
      await this.#now.work.end(0);
      await this.#now.over;
    }
    await rm(this.folder(id), { recursive: true, force: true, maxRetries: 3 });
    this.bell.ringAll();
  }

  /** What is learning saves what it has, if it can within so many milliseconds. */
  async close(milliseconds: number): Promise<void> {
    this.#closing = true;
    this.bell.ringAll();
    const now = this.#now;
    await now?.work.end(milliseconds);
    await now?.over;
  }

  /** @throws Problem if there is none */
  record(id: string): RunRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new Problem("not-found", "there is no run of this id");
    return record;
  }

  /** Nothing where it was deleted. */
  async change(id: string, change: Partial<RunRecord>): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    const changed = { ...record, ...change };
    this.#records.set(id, changed);
    this.bell.ring(id);
    if (change.state !== undefined)
      await writeRecord(this.folder(id), recordName, changed).catch((error) => {
        if (this.#records.has(id)) this.options.log(`run ${id} cannot be noted: ${error.message}`);
      });
  }

  /** @throws Problem if there is none */
  async shown(id: string): Promise<RunResource> {
    const { created, started, finished, settings, ...record } = this.record(id);
    const work = this.#now?.id === id ? this.#now.work : undefined;
    const step = this.#steps.get(id) ?? 0;
    const pace = work?.running.secondsPerStep ?? null;
    const waits = this.#queue.indexOf(id);
    const at = (time: number | null) => (time === null ? null : new Date(time).toISOString());
    const url = `/v1/training/runs/${id}`;
    const trained = await trainedBy(this.folder(id), id, this.record(id));
    return {
      ...{ id, ...record },
      ...{ created_at: at(created)!, started_at: at(started), finished_at: at(finished) },
      position: waits < 0 ? null : waits + (this.#now === undefined ? 0 : 1),
      settings,
      listened: work?.running.listened ?? null,
      ...{ step, steps: settings.steps, seconds_per_step: pace },
      seconds_left: pace === null ? null : pace * (settings.steps - step),
      error: record.error as RunResource["error"],
      usable: trained !== undefined,
      urls: { self: url, events: `${url}/events`, stop: `${url}/stop`, resume: `${url}/resume`, log: `${url}/log` },
    };
  }

  async #queueUp(id: string): Promise<RunResource> {
    this.#queue.push(id);
    this.#next();
    return this.shown(id);
  }

  #next(): void {
    if (this.#now !== undefined || this.#closing) return;
    const id = this.#queue.shift();
    if (id === undefined) return;
    const { music, models, program, threads } = this.options;
    const record = this.record(id);
    const work = learn({
      ...{ folder: this.folder(id), data: music.folder(record.music.id), record, program: program!, threads },
      base: async () => (await models.findMusic(record.model)).place.path,
      onChange: (change) => this.change(id, change),
      onNews: (step) => {
        if (step !== undefined) this.#steps.set(id, step);
        this.bell.ring(id);
      },
    });
    const over = work.over.then(async (change) => {
      if (this.#records.has(id)) this.#steps.set(id, await lastStep(this.folder(id)));
      this.#now = undefined;
      const finished = { finished: Date.now(), said: this.#records.get(id)?.said ?? [] };
      if (!this.#closing) await this.change(id, { ...finished, ...change });
      else await this.change(id, { ...finished, state: change.state === "done" ? "done" : "stopped" });
      this.bell.ringAll();
      this.#next();
    });
    this.#now = { id, work, over };
    this.bell.ringAll();
  }

  #checkRoom(): void {
    if (this.#closing) throw new Problem("stopping", "the server is stopping");
    if (this.options.program === undefined) throw new Problem("not-offered", "this server cannot train");
    if (this.#queue.length >= trainLimits.waiting)
      throw new Problem("too-many", `${this.#queue.length} runs are waiting`, { headers: { "retry-after": "60" } });
    if (this.#records.size >= trainLimits.runs)
      throw new Problem("too-many", `there are ${this.#records.size} runs: delete one that is not needed any more`, {
        headers: { "retry-after": "60" },
      });
  }

  async #checkMusic(id: string): Promise<void> {
    const { music } = this.options;
    try {
      const { state, recordings, held_out } = music.get(id);
      if (state !== "ready") throw new Problem("unusable", `what was found there is not known yet, or not usable`);
      if (recordings - held_out < 1 || held_out < 1)
        throw new Problem("unusable", "two recordings are needed: one to learn from, and one to see whether it helps");
    } catch (error) {
      throw Problem.invalid([["music", Problem.of(error).detail]]);
    }
    await music.check(id);
  }

  async #checkName(name: string): Promise<void> {
    const taken = [...this.#records.values(), ...(await this.options.models.list()).map(({ place }) => place)];
    if (taken.some((each) => each.name.toLowerCase() === name.toLowerCase()))
      throw Problem.invalid([["name", `there is a model or a run called ${name}: call it something else`]]);
  }
}

// --- internal ---

function settingsOf(order: RunOrder, { defaults }: MusicFacts): RunRecord["settings"] {
  const { what, steps, rate, rank, batch, seconds, seed, prompts } = order;
  const usual = what === "adapter" ? adapting : onwards;
  return {
    ...{ steps, rate: rate ?? usual.rate, rank: what === "adapter" ? rank : null, batch, seed, prompts },
    seconds: Math.min(seconds ?? usualSeconds, defaults.window),
  };
}

/** Longer clips take more memory, and teach little more. */
const usualSeconds = 10;

/** Steps that a run has done and saved, by its log. */
async function lastStep(folder: string): Promise<number> {
  if (!(await isFile(join(folder, "log.jsonl")))) return 0;
  const reader = new LogReader(folder);
  let step = 0;
  for (let more = await reader.more(); more !== undefined; more = await reader.more())
    step = more.lines.at(-1)?.step ?? step;
  return step;
}
