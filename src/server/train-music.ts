/**
 * @file Folders that were listened through: what can be learnt from, kept as a data set as `hocket data scan` makes it, and
 * what is wrong with the rest. The sound files stay where they are.
 */

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newId } from "./desk.js";
import { Problem } from "./problems.js";
import type { Folders } from "./train-folders.js";
import type { Heard } from "./train-heard.js";
import { TrainProcess } from "./train-process.js";
import { readRecords, writeRecord } from "./train-records.js";
import { Music, type MusicResource, trainLimits } from "./train-wire.js";
import type { ProblemBody } from "./wire.js";

export interface MusicOptions {
  /** Where what was found is kept. */
  readonly data: string;
  readonly folders: Folders;
  readonly threads: number;
}

/** What was found, and where: the latter is told to nobody. */
interface MusicRecord extends MusicResource {
  readonly path: string;
}

/** The program of the process that listens. */
export const listenProgram = fileURLToPath(new URL("./train-listen.js", import.meta.url));

export class MusicShelf {
  readonly #records = new Map<string, MusicRecord>();
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #now: { readonly id: string; readonly process: TrainProcess } | undefined;
  #closing = false;

  private constructor(readonly options: MusicOptions) {}

  /** Takes up what was found before; what was being listened to is to be listened to again. */
  static async open(options: MusicOptions): Promise<MusicShelf> {
    const shelf = new MusicShelf(options);
    for (const { id, value } of await readRecords(options.data, recordName)) {
      const record = { ...Music.parse(value), path: `${(value as MusicRecord).path}` };
      if (record.state === "listening") await rm(join(options.data, id), { recursive: true, force: true });
      else shelf.#records.set(id, record);
    }
    return shelf;
  }

  list(): MusicResource[] {
    return [...this.#records.values()].map(shown).sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  }

  /** @throws Problem if there is none */
  get(id: string): MusicResource {
    return shown(this.#record(id));
  }

  /** The folder of the data set. */
  folder(id: string): string {
    return join(this.options.data, id);
  }

  /** @throws Problem where its files may not be read any more: this server was started for other folders */
  async check(id: string): Promise<void> {
    const { folders } = this.options;
    folders.check();
    const { path, name } = this.#record(id);
    if ((await folders.rootOf(path)) === undefined)
      throw new Problem("not-offered", `the folder ${name} is gone, or lies in none that this server was started for`);
  }

  /**
   * Begins to listen through a folder.
   * @param needed ids of those that must stay
   * @throws Problem
   */
  async listen(folder: string, needed: ReadonlySet<string>): Promise<MusicResource> {
    const { path, root, name } = await this.options.folders.find(folder);
    if (this.#waiting >= trainLimits.waiting)
      throw new Problem("too-many", `${this.#waiting} folders are waiting: ask again when one was listened through`, {
        headers: { "retry-after": "10" },
      });
    const idle = this.list().filter(({ id, state }) => state !== "listening" && !needed.has(id));
    for (const { id } of idle.slice(Math.max(0, trainLimits.music - 1 - (this.#records.size - idle.length))))
      await this.#forget(id);
    const record: MusicRecord = {
      ...{ id: newId(), name, path, state: "listening", created_at: new Date().toISOString() },
      ...{ files: null, done: 0, recordings: 0, seconds: 0, described: 0, held_out: 0, words: [] },
      ...{ left_out: 0, problems: [], notes: [], error: null },
    };
    this.#records.set(record.id, record);
    this.#waiting++;
    this.#turn = this.#turn.then(() => this.#scan(record.id, root)).finally(() => this.#waiting--);
    return shown(record);
  }

  /** @throws Problem if there is none */
  async remove(id: string): Promise<void> {
    this.#record(id);
    await this.#forget(id);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#now?.process.end(0);
    await this.#turn;
  }

  #record(id: string): MusicRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new Problem("not-found", "there is no music of this id");
    return record;
  }

  #change(id: string, change: Partial<MusicRecord>): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.#records.set(id, { ...record, ...change });
  }

  async #forget(id: string): Promise<void> {
    this.#records.delete(id);
    if (this.#now?.id === id) await this.#now.process.end(0);
    await rm(this.folder(id), { recursive: true, force: true });
  }

  async #scan(id: string, root: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined || this.#closing) return;
    const out = this.folder(id);
    let error: ProblemBody | null = null;
    try {
      await mkdir(out, { recursive: true });
      await writeRecord(out, recordName, record);
      const words = ["scan", record.path, root, out, `${this.options.threads}`];
      const process = new TrainProcess(listenProgram, words, out, {
        onMessage: (heard) => this.#hear(id, heard as Heard, process),
      });
      this.#now = { id, process };
      const { code, how, last } = await process.ended;
      const files = this.#records.get(id)?.files ?? 0;
      if (files > trainLimits.files) error = tooMany(files).toJSON();
      else if (code !== 0)
        error = new Problem("unusable", code === 2 ? withoutPaths(last, record) : `listening ended (${how})`).toJSON();
    } catch (thrown) {
      error = Problem.of(thrown).toJSON();
    }
    this.#now = undefined;
    if (this.#closing || !this.#records.has(id)) return; // it is listened to again, or forgotten
    this.#change(id, error === null ? { state: "ready" } : { state: "failed", error });
    await writeRecord(out, recordName, this.#records.get(id)!).catch(() => {}); // then it lasts as long as the server
  }

  #hear(id: string, heard: Heard, process: TrainProcess): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    if (heard.type === "scanned") {
      const { recordings, seconds, described, heldOut, words } = heard;
      this.#change(id, { recordings, seconds, described, held_out: heldOut, words: [...words] });
    }
    if (heard.type !== "file") return;
    const { path: file, done, files, skipped, notes } = heard;
    if (files > trainLimits.files) void process.end(0);
    const first = <T>(list: readonly T[], more: readonly T[]) => [...list, ...more].slice(0, trainLimits.shown);
    const remarks = notes.map((reason) => ({ file, reason }));
    this.#change(id, { files, done, notes: first(record.notes, remarks) });
    if (skipped === undefined) return;
    const problems = first(record.problems, [{ file, reason: skipped }]);
    this.#change(id, { left_out: record.left_out + 1, problems });
  }
}

// --- internal ---

const recordName = "music.json";

const shown = ({ path: _, ...record }: MusicRecord): MusicResource => record;

const tooMany = (files: number) =>
  new Problem(
    "unusable",
    `it holds ${files} sound files, and at most ${trainLimits.files} are learnt from: choose one of its folders`,
  );

/** Where the folder lies is nobody's business. */
const withoutPaths = (message: string, { path, name }: MusicRecord): string => message.replaceAll(path, name);
