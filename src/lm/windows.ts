/**
 * @file Pieces longer than the model was trained on, or whose words change: windows that overlap, each continuing the codes
 * of the one before (spec §7.2). They are joined as codes, so decoding has no seams.
 */

import { type Codes, codes, frameCount, joinFrames, sliceFrames } from "../codes.js";
import { assert } from "../errors.js";
import { type Composed, type ComposeOptions, compose } from "./compose.js";
import type { Condition } from "./condition.js";
import { delays } from "./config.js";
import type { LanguageModel } from "./lm.js";

export interface Window {
  /** Frames of the piece: where the window starts, where what it composes starts, and where it ends. */
  readonly start: number;
  readonly from: number;
  readonly end: number;
}

/**
 * The windows that fill a piece of `frames`, of which `prompted` are given. Each but the first starts `stride` frames
 * after the one before and re-reads the rest of it.
 */
export function planWindows(frames: number, prompted: number, size: number, stride: number): Window[] {
  assert(
    stride > 0 && stride < size && prompted < frames,
    `no windows of ${size} frames, ${stride} apart, after ${prompted} of ${frames}`,
  );
  const windows: Window[] = [];
  // A prompt that would fill the window is read from where a later window would start.
  let start = prompted < size ? 0 : prompted - (size - stride);
  for (let from = prompted; from < frames; start += stride) {
    const end = Math.min(frames, start + size);
    windows.push({ start, from, end });
    from = end;
  }
  return windows;
}

/** A part of a window, composed under one condition. */
export interface Span extends Window {
  /** Where the window that it is a part of would end. */
  readonly windowEnd: number;
}

/**
 * Windows, cut where the condition changes. Every code of a frame is chosen under the condition of that frame, though its
 * codebooks speak one after the other: the part before a change is composed as if it went on like this, until its last frame
 * has all its codes, and what was begun beyond is forgotten; the part behind it reads all that its window holds so far under
 * the new condition, in one pass, and goes on. So a change to the same condition changes nothing.
 * @param frames the windows' last may look so far, and composing ends at `until`
 */
export function planSpans(
  windows: readonly Window[],
  changes: readonly number[],
  frames: number,
  size: number,
): readonly Span[] {
  return windows.flatMap(({ start, from, end }) => {
    const cuts = changes.filter((change) => change > from && change < end);
    const windowEnd = Math.min(frames, start + size);
    return [from, ...cuts].map((from, i) => ({ start, from, end: cuts[i] ?? end, windowEnd }));
  });
}

export interface PieceItem {
  /** The condition under which the window that starts at frame `start` is composed from frame `from` on. */
  condition(start: number, from: number): Condition | Promise<Condition>;
  readonly seed: number;
  readonly prompt?: Codes | undefined;
  /** The last frames of the piece: see `Item`. */
  readonly after?: Codes | undefined;
  readonly attempt?: number | undefined;
}

export interface PieceOptions extends Omit<ComposeOptions, "firstFrame"> {
  /** Frames of a window, and from one window's start to the next. */
  readonly window: number;
  readonly stride: number;
  /** Frames at which the condition changes, in order. */
  readonly changes?: readonly number[] | undefined;
}

/** Composes the frames up to `until`, the prompt included. Steps and odds count over all windows. */
export async function* composePiece(
  lm: LanguageModel,
  items: readonly PieceItem[],
  options: PieceOptions,
): AsyncGenerator<Composed> {
  const { frames, until = frames, window, stride, changes = [], ...rest } = options;
  const none = codes(Array.from({ length: lm.config.num_codebooks }, () => new Int32Array(0)));
  const prompted = items[0]?.prompt === undefined ? 0 : frameCount(items[0].prompt);
  const spans = planSpans(planWindows(until, prompted, window, stride), changes, frames, window);
  const late = delays(lm.config).at(-1)!; // steps after a window's last frame, until its last codebook has spoken
  const steps = spans.reduce((sum, { from, end }) => sum + (end - from) + late, 0);
  const afterFrom = frames - (items[0]?.after === undefined ? 0 : frameCount(items[0].after));
  let done = 0;
  let odds = items.map(() => 0);
  // What the next window will read: the codes from its start on.
  let tails = items.map(({ prompt }) => prompt ?? none);
  let tailStart = 0;
  for (const { start, from, end, windowEnd } of spans) {
    tails = tails.map((tail) => sliceFrames(tail, start - tailStart));
    tailStart = start;
    const conditions = await Promise.all(items.map((item) => item.condition(start, from)));
    const batch = items.map(({ seed, attempt, after }, i) => {
      const kept =
        after && sliceFrames(after, Math.max(from, afterFrom) - afterFrom, Math.max(0, windowEnd - afterFrom));
      return { condition: conditions[i]!, seed, attempt, prompt: tails[i]!, after: kept };
    });
    const before = odds;
    const part = { ...rest, frames: windowEnd - start, until: end - start, firstFrame: start };
    for await (const event of compose(lm, batch, part)) {
      tails = tails.map((tail, i) => joinFrames([tail, event.codes[i]!]));
      done++;
      odds = before.map((sum, i) => sum + event.odds[i]!);
      yield { step: done, steps, codes: event.codes, odds };
    }
  }
}
