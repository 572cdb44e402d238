/**
 * @file A data set's list of contents, `data.jsonl`: one recording a line, with what is known about it. The field names are
 * audiocraft's, so that either reads the other's (spec §8.1).
 */

/** What is known about a recording; null where it is not. */
export interface Info {
  readonly title: string | null;
  readonly artist: string | null;
  readonly key: string | null;
  readonly bpm: number | null;
  readonly genre: string | null;
  readonly moods: readonly string[] | null;
  readonly keywords: readonly string[] | null;
  readonly description: string | null;
  readonly instrument: string | null;
}

export type Split = "train" | "valid" | "test";

export interface Entry {
  /** Relative to the manifest's folder, or absolute. */
  readonly path: string;
  /** Seconds */
  readonly duration: number;
  readonly sample_rate: number;
  readonly channels: number;
  readonly split: Split;
  readonly info: Info;
  /** Other ways to describe it; training picks one of `info.description` and these. */
  readonly captions?: readonly string[];
  /** What the recipe that made it knows beyond that. */
  readonly labels?: unknown;
}
