/** @file Dice for the composer: every stream of a seed is its own, so that one decision more leaves all others as they were. */

import { philox } from "../lm/random.js";

/** Random choices of one stream of one seed, in the order in which they are drawn. */
export class Dice {
  readonly #seed: number;
  readonly #stream: number;
  #words: readonly number[] = [];
  #drawn = 0;

  /** @param seed a whole number from 0 to 2^53 - 1 */
  constructor(seed: number, stream: string) {
    this.#seed = seed;
    this.#stream = fnv1a(stream);
  }

  /** In [0, 1), of 32 random bits. */
  next(): number {
    const word = this.#drawn % 4;
    if (word === 0) this.#words = philox([this.#drawn / 4, this.#stream, 1, 0], [this.#seed, this.#seed / 2 ** 32]);
    this.#drawn++;
    return this.#words[word]! / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }

  /** One of the keys, each as likely as its weight. */
  weighted<T extends string>(weights: { readonly [K in T]?: number }): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries.at(-1)![0];
  }

  /** About normal, mean 0 and deviation 1; never beyond 3.5. A sum, because logarithms differ between machines. */
  bell(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * Math.sqrt(3);
  }
}

// --- internal ---

/** FNV-1a, 32 bits (Fowler, Noll and Vo). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
