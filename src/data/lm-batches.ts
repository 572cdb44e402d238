/**
 * @file Batches of codes, tune and words for the language model's training: batch n is the same whenever, and from wherever,
 * it is asked for.
 */

import { type Codes, codes, frameCount } from "../codes.js";
import { HocketError } from "../errors.js";
import { uniform } from "../lm/random.js";
import { ahead } from "./ahead.js";
import type { Entry } from "./manifest.js";
import type { Dataset } from "./segments.js";
import { TokenCache, type TokenFormat, type Tokens } from "./token-cache.js";

export interface LmItem {
  /** [K][T] */
  readonly codes: Codes;
  /** Frames of them that are of the recording; silence follows. */
  readonly frames: number;
  /**
   * [1 + floor(N / hop)] pitch classes, N being the samples of T frames. Those whose window, of two hops to each side, lies
   * within the crop or at an end of the recording are what `chroma` would find in the crop alone. The others, two at each
   * cut, heard the recording go on where the crop alone would be mirrored.
   */
  readonly chroma: Uint8Array;
  readonly text: string;
  readonly entry: Entry;
  /** Seconds */
  readonly start: number;
}

/** What is said of a recording; `drawn(n)` is the n-th of the item's own random numbers in [0, 1). */
export type TextOf = (entry: Entry, drawn: (n: number) => number) => string;

export interface LmBatchOptions {
  readonly batch: number;
  /** Of each item. */
  readonly seconds: number;
  readonly seed: number;
  /** The number of the first batch; 0 if not said. */
  readonly from?: number;
}

/** Where the tokens of a data set's recordings are found. */
export interface TokenSource {
  readonly format: TokenFormat;
  /** Whether the recording at a place has tokens. */
  has(place: number): boolean;
  tokens(place: number): Promise<Tokens>;
  /** [K] the codes of a frame of silence. */
  readonly silence: Int32Array;
  close(): Promise<void>;
}

/** The tokens of all folders of a data set. @throws HocketError "bad-request" where a folder has none */
export async function openTokens(dataset: Dataset, format: TokenFormat): Promise<TokenSource> {
  const caches = new Map<string, TokenCache>();
  for (const folder of new Set(dataset.places.map((place) => place.folder)))
    caches.set(folder, await TokenCache.open(folder, format));
  const close = async () => {
    for (const cache of caches.values()) await cache.close();
  };
  const cacheOf = (place: number) => caches.get(dataset.places[place]!.folder)!;
  for (const [folder, cache] of caches) {
    const missing = dataset.places.filter(
      (place) => place.folder === folder && cache.fingerprintOf(place.entry) === undefined,
    ).length;
    if (missing > 0) {
      await close();
      throw new HocketError(
        "bad-request",
        `${missing} recordings of ${folder} have no tokens of this codec: run 'hocket data tokenize ${folder}' with it`,
      );
    }
  }
  return {
    format,
    has: (place) => cacheOf(place).has(dataset.places[place]!.entry),
    tokens: (place) => cacheOf(place).tokens(dataset.places[place]!.entry),
    silence: [...caches.values()][0]!.silence,
    close,
  };
}

/** Endless batches of B items; one is made ready while another is in use. */
export const lmBatches = (
  dataset: Dataset,
  source: TokenSource,
  textOf: TextOf,
  options: LmBatchOptions,
): AsyncGenerator<LmItem[]> =>
  ahead(async (step) => {
    const first = step * options.batch;
    return Promise.all(
      Array.from({ length: options.batch }, (_, b) => lmItem(dataset, source, textOf, options, first + b)),
    );
  }, options.from);

/**
 * The item with a number. Recordings are drawn as by `Dataset.segment`; a crop begins where a frame of codes and one of the
 * tune begin together, and at most a fifth of it lies behind the recording's end.
 */
export async function lmItem(
  dataset: Dataset,
  source: TokenSource,
  textOf: TextOf,
  { seconds, seed }: LmBatchOptions,
  index: number,
): Promise<LmItem> {
  const { hop, sampleRate, chroma: heard } = source.format;
  const length = Math.round((seconds * sampleRate) / hop);
  const place = placeOf(dataset, source, seed, index);
  const { entry } = dataset.places[place]!;
  const { codes: grid, chroma } = await source.tokens(place);

  const unit = leastCommonMultiple(hop, heard.hop) / hop; // frames of codes
  const starts = 1 + Math.floor(Math.max(0, frameCount(grid) - leastFilled * length) / unit);
  const from = unit * Math.floor(starts * uniform(seed, index, lane));
  const tune = (from * hop) / heard.hop;
  return {
    codes: codes(grid.map((row, k) => filled(row.subarray(from, from + length), length, source.silence[k]!))),
    frames: Math.min(length, frameCount(grid) - from),
    chroma: Uint8Array.from({ length: 1 + Math.floor((length * hop) / heard.hop) }, (_, t) => chroma[tune + t] ?? 0),
    text: textOf(entry, (n) => uniform(seed, index, lane + 1 + n)),
    entry,
    start: (from * hop) / sampleRate,
  };
}

// --- internal ---

const attempts = 10;
/** Share of a crop that is sound, where the recording is long enough. */
const leastFilled = 0.8;
/** Where the draws of crops and words begin, behind those of recordings. */
const lane = 100;

function placeOf(dataset: Dataset, source: TokenSource, seed: number, index: number): number {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const place = dataset.draw(uniform(seed, index, 3 * attempt), uniform(seed, index, 3 * attempt + 1));
    if (source.has(place)) return place;
  }
  throw new HocketError("bad-file", `${attempts} recordings in a row could not be encoded when they were tokenised`);
}

function filled(row: Int32Array, length: number, silence: number): Int32Array {
  const whole = new Int32Array(length).fill(silence);
  whole.set(row);
  return whole;
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
