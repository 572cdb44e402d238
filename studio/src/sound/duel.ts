/** @file Two tracks that run side by side, equally loud, of which one is heard. */

import { signal } from "@preact/signals";
import { loudnessOf } from "./loudness.js";
import { Player } from "./player.js";
import type { Track } from "./track.js";

export class Duel {
  readonly playing = signal(false);
  readonly side = signal<0 | 1>(0);
  /** Of the longer. */
  readonly seconds: number;
  readonly #players: readonly [Player, Player];
  readonly #gains: readonly [number, number];

  constructor(a: Track, b: Track) {
    this.seconds = Math.max(a.seconds, b.seconds);
    const levels = [a, b].map((track) => loudnessOf(track).integrated);
    const least = Math.min(...levels.filter(Number.isFinite));
    const gains = levels.map((level) => (Number.isFinite(level) ? 10 ** ((least - level) / 20) : 1)); // the louder gives way
    this.#gains = [gains[0]!, gains[1]!];
    this.#players = [new Player(), new Player()];
    for (const [i, track] of [a, b].entries()) {
      this.#players[i]!.load(track);
      this.#players[i]!.gain = 0;
    }
  }

  /** Switches to a side, where the other is; plays if nothing does. */
  hear(side: 0 | 1): void {
    this.side.value = side;
    this.#balance();
    if (!this.playing.peek()) this.toggle();
  }

  toggle(): void {
    if (this.playing.peek()) for (const player of this.#players) player.pause();
    else {
      const at = this.position() >= this.seconds - 0.05 ? 0 : this.position();
      this.#balance();
      for (const player of this.#players) {
        player.seek(at);
        if (at < (player.track.peek()?.seconds ?? 0)) player.play();
      }
    }
    this.playing.value = !this.playing.peek();
  }

  /** Seconds. Ask at every frame: it notices the end. */
  position(): number {
    const [a, b] = this.#players;
    const at = Math.max(a.position(), b.position());
    if (this.playing.peek() && a.state.peek() === "still" && b.state.peek() === "still")
      queueMicrotask(() => {
        this.playing.value = false;
      });
    return at;
  }

  end(): void {
    for (const player of this.#players) player.unload();
    this.playing.value = false;
  }

  #balance(): void {
    for (const [i, player] of this.#players.entries()) player.gain = i === this.side.peek() ? this.#gains[i]! : 0;
  }
}
