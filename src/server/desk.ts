/** @file Where generations are ordered, followed and cancelled: between those who ask, the store, and those who compose. */

import { randomBytes } from "node:crypto";
import { HocketError } from "../errors.js";
import type { Crew, CrewEvent } from "./crew.js";
import type { Job } from "./jobs.js";
import { Bell, Live } from "./live.js";
import type { Metrics } from "./metrics.js";
import type { Models } from "./models.js";
import { Problem } from "./problems.js";
import { codesFile, pieceFile, readGrids, readSound, type Shelf } from "./shelf.js";
import type { Row, Store } from "./store.js";
import type { Limits, ProblemBody, State } from "./wire.js";

export interface DeskOptions {
  readonly store: Store;
  readonly shelf: Shelf;
  readonly models: Models;
  readonly limits: Limits;
  /** Name and version, for files that are made. */
  readonly software: string;
  readonly log: (line: string) => void;
  readonly metrics: Metrics;
}

/** What a new generation is, before anyone has done anything for it. */
export type Order = Pick<
  Row,
  | "client"
  | "model"
  | "licence"
  | "request"
  | "pieces"
  | "settings"
  | "melody"
  | "continued"
  | "region"
  | "title"
  | "favourite"
  | "tags"
  | "parent"
  | "relation"
>;

/** How often composing may begin before a generation is given up: what ended the process so often will end it again. */
const mostAttempts = 8;

export const newId = (): string => randomBytes(16).toString("hex");

export const isOver = (state: State): boolean => state !== "queued" && state !== "running";

export class Desk {
  readonly bell = new Bell();
  readonly #live = new Map<string, Live>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #crew: Crew | undefined;
  /** Seconds from one finished generation to the next, on the average. */
  #pace = 5;
  stopping = false;

  constructor(readonly options: DeskOptions) {}

  /** Goes on with what was not finished when the server ended, however it ended. */
  async open(crew: Crew): Promise<void> {
    this.#crew = crew;
    const { store, shelf } = this.options;
    await shelf.tidy(store.ids());
    for (const row of store.unfinished()) await this.#submit(row);
  }

  /**
   * @param id whose folder holds the sounds that were given
   * @throws Problem where the queue is full
   */
  async order(id: string, order: Order, key?: { key: string; digest: string }): Promise<Row> {
    const { store } = this.options;
    this.checkRoom(order.client);
    const row = store.add(
      {
        ...order,
        id,
        state: "queued",
        created: Date.now(),
        started: undefined,
        finished: undefined,
        attempts: 0,
        result: undefined,
        error: undefined,
      },
      key,
    );
    await this.#submit(row);
    return row;
  }

  /** Work with the same key is done one after the other. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const own = (async () => {
      await before?.catch(() => {});
      return work();
    })();
    this.#turns.set(key, own);
    try {
      return await own;
    } finally {
      if (this.#turns.get(key) === own) this.#turns.delete(key);
    }
  }

  /** @throws Problem where a client, or all, have too many that wait */
  checkRoom(client: string): void {
    const { waitingOfOne, waiting } = this.options.limits;
    const crew = this.#crew!;
    if (this.stopping) throw new Problem("stopping", "the server is stopping: ask again when it is back", retry(10));
    const own = crew.waitingOf(client);
    const all = crew.waiting();
    if (own < waitingOfOne && all < waiting) return;
    const said = own >= waitingOfOne ? `${own} of your generations are waiting` : `${all} generations are waiting`;
    const seconds = Math.min(600, Math.max(1, Math.ceil(this.#pace)));
    throw new Problem("too-many", `${said}: ask again in ${seconds} s`, retry(seconds));
  }

  /** @throws Problem if there is none */
  get(id: string): Row {
    const row = this.options.store.get(id);
    if (row === undefined) throw new Problem("not-found", `there is no generation ${id}`);
    return row;
  }

  /** What there is of its sound: growing, or whole. Undefined if there is none (yet). */
  async music(row: Row): Promise<Live | undefined> {
    const live = this.#live.get(row.id);
    if (live !== undefined || row.state !== "done") return live;
    return this.#whole(row);
  }

  live(id: string): Live | undefined {
    return this.#live.get(id);
  }

  waiting(): number {
    return this.#crew!.waiting();
  }

  position(id: string): number | undefined {
    return this.#crew!.position(id);
  }

  async cancel(id: string): Promise<Row> {
    const row = this.get(id);
    if (isOver(row.state)) return row;
    await this.#crew!.cancel(id);
    return this.#finish(id, { state: "cancelled" }) ?? row;
  }

  async remove(id: string): Promise<void> {
    const { store, shelf } = this.options;
    const { pieces } = await this.cancel(id);
    await shelf.withdraw(id, pieces.length); // while it is known, so that what fails can be asked for again
    store.remove(id);
    this.bell.ring(id);
    await shelf.remove(id);
  }

  hear(id: string, event: CrewEvent): void {
    const { store } = this.options;
    const row = store.get(id);
    if (row === undefined || isOver(row.state)) return;
    const live = this.#live.get(id);
    switch (event.type) {
      case "begun":
        this.#live.set(id, new Live());
        store.change(id, { state: "running", started: Date.now(), attempts: row.attempts + 1 });
        break;
      case "start":
        live?.start(event.started);
        break;
      case "progress":
        if (live !== undefined) live.progress = event.progress;
        break;
      case "codes":
        live?.addCodes(event.piece, event.codes);
        break;
      case "sound":
        live?.addSound(event.piece, event.channels);
        break;
      case "done": {
        const { pieces: _, settings, notes, ...sound } = live!.started!;
        const { duration, seconds, realTimeFactor } = event;
        this.#pace += (seconds - this.#pace) / 4;
        this.options.metrics.add("hocket_sound_seconds_total", duration * row.pieces.length);
        this.options.metrics.add("hocket_composing_seconds_total", seconds);
        this.#finish(id, { state: "done", result: { sound, settings, notes, duration, seconds, realTimeFactor } });
        break;
      }
      case "failed":
        this.options.log(`generation ${id} failed: ${event.message}`);
        this.#finish(id, { state: "failed", error: failed(event) });
        break;
      case "lost":
        if (row.attempts >= mostAttempts) this.#finish(id, { state: "failed", error: givenUp });
        else void this.#requeue(row);
        break;
      case "returned":
        this.#live.delete(id);
        store.change(id, { state: "queued", started: undefined, attempts: row.attempts - 1 });
        break;
    }
    this.bell.ring(id);
  }

  /** Finishes what can be finished within so many milliseconds; the rest waits for the next start. */
  async close(milliseconds: number): Promise<void> {
    this.stopping = true;
    await this.#crew?.close(milliseconds);
  }

  async #requeue(row: Row): Promise<void> {
    this.#live.delete(row.id);
    const queued = this.options.store.change(row.id, { state: "queued", started: undefined });
    if (queued !== undefined) await this.#submit(queued);
  }

  async #submit(row: Row): Promise<void> {
    const { store, shelf, models, software } = this.options;
    if (row.state === "running") {
      if (row.attempts >= mostAttempts) {
        this.#finish(row.id, { state: "failed", error: givenUp });
        return;
      }
      store.change(row.id, { state: "queued", started: undefined });
    }
    try {
      const { place } = await models.findMusic(row.model);
      const { id, pieces, settings, melody, continued, region } = row;
      const job: Job = {
        id,
        model: place,
        pieces,
        settings: settings as Job["settings"],
        given: [...(melody ? (["melody"] as const) : []), ...(continued ? (["continue"] as const) : [])],
        ...(region === undefined ? {} : { region }),
        folder: await shelf.make(id),
        software,
      };
      await this.#crew!.submit(row.client, job);
    } catch (error) {
      this.#finish(row.id, { state: "failed", error: Problem.of(error).toJSON() });
    }
  }

  #finish(id: string, change: Partial<Row>): Row | undefined {
    this.#live.delete(id);
    const row = this.options.store.change(id, { ...change, finished: Date.now() });
    this.options.metrics.add("hocket_generations_finished_total", 1, { state: change.state! });
    this.bell.ring(id);
    return row;
  }

  async #whole({ id, pieces, result }: Row): Promise<Live> {
    const { shelf } = this.options;
    const folder = shelf.folder(id);
    const { sound, settings, notes } = result!;
    const live = new Live();
    live.start({ ...sound, pieces, settings, notes });
    const grids = await readGrids(await shelf.here(codesFile(folder)));
    for (const [i] of pieces.entries()) {
      live.addCodes(i, grids[i]!);
      live.addSound(i, (await readSound(await shelf.here(pieceFile(folder, i)))).channels);
    }
    return live;
  }
}

// --- internal ---

const retry = (seconds: number) => ({ headers: { "retry-after": `${seconds}` } });

const failed = ({ code, message }: CrewEvent & { type: "failed" }): ProblemBody =>
  Problem.of(new HocketError(code, message)).toJSON();

const givenUp: ProblemBody = new Problem(
  "internal",
  `the process that composed it ended ${mostAttempts} times: the model may need more memory than there is`,
).toJSON();
