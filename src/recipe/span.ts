/** @file The stretch of time that is rendered: a clip, and before it what its first sounds began with. */

import type { Score } from "./score.js";

export interface Span {
  /** Samples a second. */
  readonly rate: number;
  /** Seconds of the clip at the first sample; at most 0. */
  readonly start: number;
  /** Rendered; the clip is the last of them. */
  readonly samples: number;
  sampleAt(seconds: number): number;
}

/** The clip, and up to `longestLead` seconds before it where notes lie there. */
export function spanOf(score: Score, rate: number): Span {
  let first = 0;
  for (const { notes } of score.parts) for (const { at } of notes) first = Math.min(first, at);
  const lead = Math.round(rate * Math.min(longestLead, -first));
  const start = -lead / rate;
  return {
    rate,
    start,
    samples: lead + Math.round(rate * score.seconds),
    sampleAt: (seconds) => Math.round((seconds - start) * rate),
  };
}

// --- internal ---

/** Seconds: a reverberation's worth. */
const longestLead = 2;
