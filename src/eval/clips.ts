/** @file The recordings of a data set that judging needs: those of one split, or all where no split is told apart. */

import type { Waveform } from "../audio/waveform.js";
import { type Entry, pathOf, readManifest, type Split } from "../data/manifest.js";
import { decoded } from "../data/recordings.js";
import { HocketError } from "../errors.js";

export interface Clip {
  /** For messages and tables: the file's name without its ending. */
  readonly name: string;
  readonly entry: Entry;
  /** Mono, at most `seconds` of it. */
  load(sampleRate: number, seconds?: number): Promise<Waveform>;
}

/**
 * @throws HocketError "bad-file" where the folder has no manifest, or nothing for `split` though other splits are told
 * apart
 */
export async function clipsOf(folder: string, split: Split): Promise<Clip[]> {
  const entries = await readManifest(folder);
  const one = new Set(entries.map((entry) => entry.split)).size === 1;
  const chosen = one ? entries : entries.filter((entry) => entry.split === split);
  if (chosen.length === 0)
    throw new HocketError(
      "bad-file",
      `${folder}/data.jsonl has no recordings for "${split}": there is nothing to judge by`,
    );
  return chosen.map((entry) => ({
    name: entry.path.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, ""),
    entry,
    async load(sampleRate, seconds) {
      const waveform = await decoded(pathOf(folder, entry), { sampleRate, channels: 1 });
      if (seconds === undefined) return waveform;
      const [samples] = waveform.channels as [Float32Array];
      return { sampleRate, channels: [samples.subarray(0, Math.round(seconds * sampleRate))] };
    },
  }));
}

/** `count` of them, evenly spread over the list; all where there are not more. */
export const spread = <T>(all: readonly T[], count: number): T[] =>
  all.length <= count ? [...all] : Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
