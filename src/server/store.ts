/**
 * @file What the server must not forget: every generation, what was asked and what became of it, in a SQLite file. A
 * change is on the disk when its call returns, so a process that is killed loses none.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import sqlite, { type Database, type JSValue } from "node-sqlite3-wasm";
import type { Piece, Region, Settings } from "../request.js";
import type { Started } from "./live.js";
import type { GenerationPatch, ProblemBody, State } from "./wire.js";

export interface Row {
  /** Counts up; the order in which they came. */
  readonly seq: number;
  readonly id: string;
  readonly state: State;
  /** Who asked, for taking turns. */
  readonly client: string;
  readonly model: string;
  readonly licence: string | undefined;
  /** As it came, and the seed. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly pieces: readonly Piece[];
  /** The request in the library's words, without prompts, seeds and sounds. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly melody: boolean;
  readonly continued: boolean;
  /** What is composed anew of a take, whose codes lie in the folder. */
  readonly region?: Region | undefined;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly started: number | undefined;
  readonly finished: number | undefined;
  /** Times that composing began. */
  readonly attempts: number;
  readonly result: Result | undefined;
  readonly error: ProblemBody | undefined;
  readonly title: string | undefined;
  readonly favourite: boolean;
  readonly tags: readonly string[];
  readonly parent: string | undefined;
  readonly relation: string | undefined;
}

export interface Result {
  readonly sound: Omit<Started, "pieces" | "settings" | "notes">;
  readonly settings: Settings;
  readonly notes: readonly string[];
  /** Of sound, in each piece. */
  readonly duration: number;
  /** That composing took. */
  readonly seconds: number;
  readonly realTimeFactor: number;
}

export interface Filter {
  readonly limit: number;
  /** Only those that came before this one. */
  readonly before?: number | undefined;
  readonly state?: State | undefined;
  readonly favourite?: boolean | undefined;
  readonly tag?: string | undefined;
  readonly parent?: string | undefined;
  /** Words of the title, the prompts or the tags. */
  readonly words?: string | undefined;
}

export class Store {
  readonly #db: Database;
  /** Those that are not over: they are looked at all the time. */
  readonly #active = new Map<string, Row>();

  /** @param folder which no other process uses: its server holds the lock */
  constructor(folder: string) {
    const path = join(folder, "hocket.db");
    // This build of SQLite locks by making a folder, which a process that is killed leaves behind.
    rmSync(`${path}.lock`, { recursive: true, force: true });
    this.#db = new sqlite.Database(path);
    this.#db.exec("PRAGMA locking_mode = EXCLUSIVE");
    this.#db.get("PRAGMA journal_mode = WAL");
    this.#db.exec("PRAGMA synchronous = FULL");
    this.#db.exec(tables);
    for (const row of this.unfinished()) this.#active.set(row.id, row);
  }

  add(row: Omit<Row, "seq">, key?: { readonly key: string; readonly digest: string }): Row {
    const { lastInsertRowid } = this.#db.run(
      `INSERT INTO generation (id, state, favourite, parent, words, tags, body, key, digest) VALUES (${marks(9)})`,
      [...columns(row), key?.key ?? null, key?.digest ?? null],
    );
    const added = { ...row, seq: Number(lastInsertRowid) };
    this.#remember(added);
    return added;
  }

  get(id: string): Row | undefined {
    return this.#active.get(id) ?? fromRow(this.#db.get("SELECT seq, body FROM generation WHERE id = ?", [id]));
  }

  /** What a request with this key made, and what that request was. */
  byKey(key: string): { id: string; digest: string } | undefined {
    const found = this.#db.get("SELECT id, digest FROM generation WHERE key = ?", [key]);
    return found === null ? undefined : (found as { id: string; digest: string });
  }

  change(id: string, change: Partial<Omit<Row, "seq" | "id">>): Row | undefined {
    const row = this.get(id);
    if (row === undefined) return undefined;
    const changed = { ...row, ...change };
    this.#db.run(
      "UPDATE generation SET id = ?, state = ?, favourite = ?, parent = ?, words = ?, tags = ?, body = ? WHERE seq = ?",
      [...columns(changed), row.seq],
    );
    this.#remember(changed);
    return changed;
  }

  patch(id: string, { title, favourite, tags }: GenerationPatch): Row | undefined {
    return this.change(id, {
      ...(title === undefined ? {} : { title: title ?? undefined }),
      ...(favourite === undefined ? {} : { favourite }),
      ...(tags === undefined ? {} : { tags }),
    });
  }

  remove(id: string): void {
    this.#db.run("DELETE FROM generation WHERE id = ?", [id]);
    this.#active.delete(id);
  }

  /** The newest first. */
  list({ limit, before, state, favourite, tag, parent, words }: Filter): Row[] {
    const wanted: [string, JSValue | undefined][] = [
      ["seq < ?", before],
      ["state = ?", state],
      ["favourite = ?", favourite === undefined ? undefined : Number(favourite)],
      ["parent = ?", parent],
      ["EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", tag],
      ...(words ?? "").split(/\s+/).flatMap((word): [string, string][] => {
        const pattern = `%${word.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
        return word === "" ? [] : [["words LIKE ? ESCAPE '\\'", pattern]];
      }),
    ];
    const stated = wanted.filter(([, value]) => value !== undefined) as [string, JSValue][];
    const where = stated.length === 0 ? "" : `WHERE ${stated.map(([condition]) => condition).join(" AND ")}`;
    const found = this.#db.all(`SELECT seq, body FROM generation ${where} ORDER BY seq DESC LIMIT ?`, [
      ...stated.map(([, value]) => value),
      limit,
    ]);
    return found.map((each) => fromRow(each)!);
  }

  /** Those that are to be composed, in the order in which they came. */
  unfinished(): Row[] {
    const found = this.#db.all("SELECT seq, body FROM generation WHERE state IN ('queued', 'running') ORDER BY seq");
    return found.map((each) => fromRow(each)!);
  }

  ids(): Set<string> {
    return new Set(this.#db.all("SELECT id FROM generation").map(({ id }) => id as string));
  }

  counts(): Partial<Record<State, number>> {
    const found = this.#db.all("SELECT state, count(*) AS count FROM generation GROUP BY state");
    return Object.fromEntries(found.map(({ state, count }) => [state, count]));
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #remember(row: Row): void {
    if (row.state === "queued" || row.state === "running") this.#active.set(row.id, row);
    else this.#active.delete(row.id);
  }
}

// --- internal ---

/** What is looked for has a column; the rest is JSON in `body`. */
const tables = `
  CREATE TABLE IF NOT EXISTS generation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    favourite INTEGER NOT NULL,
    parent TEXT,
    words TEXT NOT NULL,
    tags TEXT NOT NULL,
    body TEXT NOT NULL,
    key TEXT UNIQUE,
    digest TEXT
  );
  CREATE INDEX IF NOT EXISTS generation_state ON generation (state);
  CREATE INDEX IF NOT EXISTS generation_parent ON generation (parent);
`;

const marks = (count: number): string => Array.from({ length: count }, () => "?").join(", ");

function columns(row: Omit<Row, "seq">): JSValue[] {
  const words = [row.title ?? "", ...row.tags, ...row.pieces.map(({ prompt }) => prompt)].join("\n").toLowerCase();
  return [
    row.id,
    row.state,
    Number(row.favourite),
    row.parent ?? null,
    words,
    JSON.stringify(row.tags),
    JSON.stringify(row),
  ];
}

const fromRow = (found: Record<string, unknown> | null): Row | undefined =>
  found === null ? undefined : { ...(JSON.parse(found.body as string) as Row), seq: found.seq as number };
