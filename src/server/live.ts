/** @file Music that is growing: codes and sound so far, to be read from any place on, by whoever waits for more. */

import { type Codes, codes } from "../codes.js";
import type { Piece, Settings } from "../request.js";
import type { Progress } from "./wire.js";

/** What is known once composing begins. */
export interface Started {
  readonly sampleRate: number;
  readonly channels: number;
  readonly frameRate: number;
  readonly codebooks: number;
  readonly bins: number;
  readonly pieces: readonly Piece[];
  readonly settings: Settings;
  readonly notes: readonly string[];
}

export class Live {
  started: Started | undefined;
  progress: Progress | undefined;
  #codes: Growing<Int32Array>[][] = []; // [piece][K]
  #sound: Growing<Float32Array>[][] = []; // [piece][C]

  start(started: Started): void {
    const rows = <T>(count: number, make: () => T): T[][] =>
      started.pieces.map(() => Array.from({ length: count }, make));
    this.started = started;
    this.#codes = rows(started.codebooks, () => new Growing(Int32Array));
    this.#sound = rows(started.channels, () => new Growing(Float32Array));
  }

  addCodes(piece: number, more: readonly Int32Array[]): void {
    for (const [k, row] of more.entries()) this.#codes[piece]![k]!.push(row);
  }

  addSound(piece: number, more: readonly Float32Array[]): void {
    for (const [c, row] of more.entries()) this.#sound[piece]![c]!.push(row);
  }

  /** Frames that every piece has. */
  get frames(): number {
    return shortest(this.#codes);
  }

  /** Samples of a channel that every piece has. */
  get samples(): number {
    return shortest(this.#sound);
  }

  /** [K][end - start] */
  codes(piece: number, start: number, end: number): Codes {
    return codes(this.#codes[piece]!.map((row) => row.slice(start, end)));
  }

  /** [C][end - start] */
  sound(piece: number, start: number, end: number): Float32Array[] {
    return this.#sound[piece]!.map((row) => row.slice(start, end));
  }
}

/** Wakes those who wait for news of something. */
export class Bell {
  readonly #waiting = new Map<string, Set<() => void>>();

  ring(id: string): void {
    const all = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const wake of all ?? []) wake();
  }

  ringAll(): void {
    for (const id of [...this.#waiting.keys()]) this.ring(id);
  }

  /** Resolves at the next ring, or when `signal` is aborted. Ask for it before looking at what may change. */
  next(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const all = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, all);
      const wake = () => {
        signal.removeEventListener("abort", wake);
        all.delete(wake);
        if (all.size === 0 && this.#waiting.get(id) === all) this.#waiting.delete(id);
        resolve();
      };
      all.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

// --- internal ---

type Numbers = Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A row that has room to grow. */
class Growing<T extends Int32Array | Float32Array> {
  #numbers: Numbers;
  length = 0;

  constructor(readonly kind: new (length: number) => T) {
    this.#numbers = new kind(0) as Numbers;
  }

  push(more: ArrayLike<number>): void {
    const length = this.length + more.length;
    if (length > this.#numbers.length) {
      const larger = new this.kind(Math.max(length, 2 * this.#numbers.length)) as Numbers;
      larger.set(this.#numbers.subarray(0, this.length));
      this.#numbers = larger;
    }
    this.#numbers.set(more, this.length);
    this.length = length;
  }

  slice(start: number, end: number): T {
    return this.#numbers.slice(start, Math.min(end, this.length)) as Numbers as T;
  }
}

function shortest(pieces: readonly (readonly { length: number }[])[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const rows of pieces) for (const row of rows) least = Math.min(least, row.length);
  return pieces.length === 0 ? 0 : least;
}
