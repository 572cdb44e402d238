/** @file What takes sound like: their codes and their samples, followed while they are composed and fetched when they are done. */

import { effect, type Signal, signal } from "@preact/signals";
import { ApiError, type Progress } from "../../../src/server/client.js";
import { Track } from "../sound/track.js";
import { client, line, noteLoss } from "./server.js";
import { dropTake, putTake, takeOf } from "./takes.js";

/** Codes that grow: [codebook][column]. */
export type Columns = readonly number[][];

export class Music {
  /** Counts up whenever there is more of it. */
  readonly more = signal(0);
  readonly progress: Signal<Progress | undefined> = signal(undefined);
  /** Of each piece. */
  readonly codes: number[][][] = [];
  readonly tracks: Track[] = [];
  whole = false;
  used = performance.now();
  #following = false;

  constructor(
    readonly id: string,
    readonly withSound: boolean,
  ) {}

  /** Takes up the events, from the start if need be: what is known already is passed over. */
  async follow(): Promise<void> {
    if (this.#following || this.whole) return;
    this.#following = true;
    const include = this.withSound ? undefined : (["codes"] as const);
    try {
      for await (const event of client.events(this.id, include === undefined ? {} : { include })) {
        if (event.type === "deleted") dropTake(this.id);
        else if (event.type === "codes") this.#addCodes(event.frame, event.pieces);
        else if (event.type === "audio") {
          const { piece, at, sampleRate, channels } = event;
          this.tracks[piece] ??= new Track(sampleRate, channels.length, this.id, piece);
          this.tracks[piece].add(at, channels);
        } else if (event.type === "progress") this.progress.value = event.progress;
        else this.#hear(event.generation, event.type !== "state");
        this.more.value++;
      }
      this.whole = true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) dropTake(this.id);
      else noteLoss(error);
    } finally {
      this.#following = false;
      this.more.value++;
    }
  }

  #hear(generation: Parameters<typeof putTake>[0], over: boolean): void {
    putTake(generation);
    if (!over) return;
    this.progress.value = undefined;
    for (const track of this.tracks) track.end();
  }

  #addCodes(frame: number, pieces: readonly (readonly (readonly number[])[])[]): void {
    for (const [p, rows] of pieces.entries()) {
      this.codes[p] ??= rows.map(() => []);
      for (const [k, row] of rows.entries()) {
        const kept = this.codes[p][k]!;
        if (frame <= kept.length) kept.push(...row.slice(kept.length - frame));
      }
    }
  }
}

/** A take's codes and sound; from the first call on they come in. The few that were used last are kept. */
export function musicOf(id: string): Music {
  return kept(sounding, id, 6, true);
}

/** Only its codes, for small pictures: asked for one after the other. */
export function codesOf(id: string): Music {
  return sounding.get(id) ?? kept(seen, id, 400, false);
}

// --- internal ---

const sounding = new Map<string, Music>();
const seen = new Map<string, Music>();
let turn: Promise<void> = Promise.resolve();

function kept(all: Map<string, Music>, id: string, most: number, withSound: boolean): Music {
  let music = all.get(id);
  if (music === undefined) {
    music = new Music(id, withSound);
    all.set(id, music);
    if (withSound) void music.follow();
    else {
      const next = music;
      turn = turn.then(() => next.follow()); // browsers allow few lines at a time
    }
    const idle = [...all.values()].filter(({ whole }) => whole).sort((a, b) => a.used - b.used);
    for (const old of idle.slice(0, Math.max(0, all.size - most))) all.delete(old.id);
  }
  music.used = performance.now();
  return music;
}

effect(() => {
  if (line.value !== "open") return;
  for (const music of [...sounding.values(), ...seen.values()]) {
    const state = takeOf(music.id)?.state;
    if (!music.whole && music.withSound && state !== undefined) void music.follow();
  }
});
