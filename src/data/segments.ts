/**
 * @file Pieces of recordings, each drawn by its number alone, so that a run that is resumed reads what it would have read
 * (spec §8.1).
 */

import { HocketError } from "../errors.js";
import { uniform } from "../lm/random.js";
import { type Entry, pathOf, readManifest, type Split } from "./manifest.js";
import { Recordings, type SoundFormat } from "./recordings.js";
import { isUnusable } from "./refused.js";

/** A data folder, and which share of what is drawn comes from it; without one, as much as the others leave, by length. */
export interface Source {
  readonly folder: string;
  /** More than 0, at most 1. */
  readonly share?: number;
}

export interface DatasetOptions extends SoundFormat {
  /** Told once of each recording that cannot be used. */
  readonly warn?: (message: string) => void;
}

export interface Segment {
  /** [C][N], with silence behind a recording that ends before. */
  readonly samples: Float32Array[];
  readonly entry: Entry;
  /** Seconds */
  readonly start: number;
}

export interface Place {
  readonly entry: Entry;
  readonly folder: string;
}

export interface Dataset extends SoundFormat {
  /** In the order of the folders, and of their manifests. */
  readonly places: readonly Place[];
  /** Index into `places`, by two numbers in [0, 1). */
  draw(folder: number, recording: number): number;
  /** A whole recording, [C][N]. */
  whole(place: number): Promise<Float32Array[]>;
  /**
   * The piece with a number, the same whatever was asked before. A recording is drawn by its weight and length, a start so
   * that at most a fifth of the piece lies behind its end; a recording that cannot be used is passed over for another.
   * @param index 0 to 2^32 - 1
   * @param seed 0 to 2^53 - 1
   * @throws HocketError "bad-file" when ten in a row cannot be used
   */
  segment(index: number, seconds: number, seed: number): Promise<Segment>;
}

/** @throws HocketError "bad-file" or "bad-request" where there is nothing to draw from */
export async function openDataset(
  sources: readonly (string | Source)[],
  split: Split,
  options: DatasetOptions,
): Promise<Dataset> {
  const places: Place[] = [];
  const recordings = new Map<string, Recordings>();
  const pools: Pool[] = [];
  for (const each of sources) {
    const { folder, share } = typeof each === "string" ? { folder: each, share: undefined } : each;
    if (share !== undefined && !(share > 0 && share <= 1))
      throw new HocketError("bad-request", `a share of ${share} for ${folder}: give more than 0, and at most 1`);
    const entries = (await readManifest(folder)).filter((entry) => entry.split === split);
    if (entries.length === 0)
      throw new HocketError("bad-file", `${folder}/data.jsonl has no recordings for "${split}": scan it with some`);
    pools.push({ first: places.length, sums: runningSums(entries), share });
    places.push(...entries.map((entry) => ({ entry, folder })));
    recordings.set(folder, new Recordings(folder, options));
  }
  const bounds = shareBounds(pools);
  const warned = new Set<string>();
  const open = ({ folder, entry }: Place) => recordings.get(folder)!.open(entry);

  const dataset: Dataset = {
    sampleRate: options.sampleRate,
    channels: options.channels,
    places,
    draw(folder, recording) {
      const { first, sums } = pools[above(bounds, folder * bounds.at(-1)!)]!;
      return first + above(sums, recording * sums.at(-1)!);
    },
    async whole(place) {
      const recording = await open(places[place]!);
      return recording.read(0, recording.length);
    },
    async segment(index, seconds, seed) {
      const count = Math.round(seconds * options.sampleRate);
      let failure: unknown;
      for (let attempt = 0; attempt < attempts; attempt++) {
        const drawn = (n: number) => uniform(seed, index, 3 * attempt + n);
        const place = places[dataset.draw(drawn(0), drawn(1))]!;
        try {
          const recording = await open(place);
          const start = Math.floor(drawn(2) * Math.max(0, recording.length - leastFilled * count));
          const samples = await recording.read(start, count);
          return { samples, entry: place.entry, start: start / options.sampleRate };
        } catch (error) {
          if (!isUnusable(error)) throw error;
          const path = pathOf(place.folder, place.entry);
          if (!warned.has(path)) options.warn?.(`left out: ${error.message}`);
          warned.add(path);
          failure = error;
        }
      }
      const why = failure instanceof Error ? failure.message : String(failure);
      throw new HocketError("bad-file", `${attempts} recordings in a row cannot be used, the last one because ${why}`);
    },
  };
  return dataset;
}

// --- internal ---

const attempts = 10;
/** Share of a piece that is sound, where the recording is long enough. */
const leastFilled = 0.8;

interface Pool {
  readonly first: number;
  readonly sums: Float64Array;
  readonly share: number | undefined;
}

function runningSums(entries: readonly Entry[]): Float64Array {
  let sum = 0;
  return Float64Array.from(entries, ({ duration, weight = 1 }) => {
    sum += duration * weight;
    return sum;
  });
}

/** Up to which number each folder is drawn. */
function shareBounds(pools: readonly Pool[]): number[] {
  const given = pools.reduce((sum, { share = 0 }) => sum + share, 0);
  const free = pools.filter(({ share }) => share === undefined);
  const rest = free.reduce((sum, { sums }) => sum + sums.at(-1)!, 0);
  if (pools.length === 0 || pools.some(({ sums }) => !(sums.at(-1)! > 0)))
    throw new HocketError("bad-request", "there is no data folder, or one whose recordings all have weight 0");
  if (given > 1 + 1e-9 || (free.length > 0 && given >= 1))
    throw new HocketError("bad-request", `the shares of the data folders add up to ${given}: give at most 1 in all`);
  let bound = 0;
  return pools.map(({ share, sums }) => {
    bound += share ?? ((1 - given) * sums.at(-1)!) / rest;
    return bound;
  });
}

/** The first of rising `bounds` that lies above `x`. */
function above(bounds: ArrayLike<number>, x: number): number {
  let [low, high] = [0, bounds.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
