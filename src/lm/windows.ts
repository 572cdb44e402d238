/**
 * @file Pieces longer than the model was trained on: windows that overlap, each continuing the codes of the one before
 * (spec §7.2). They are joined as codes, so decoding has no seams.
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

export interface PieceItem {
  /** The condition of the window that starts at this frame. */
  condition(start: number): Condition | Promise<Condition>;
  readonly seed: number;
  readonly prompt?: Codes | undefined;
}

export interface PieceOptions extends Omit<ComposeOptions, "firstFrame"> {
  /** Frames of a window, and from one window's start to the next. */
  readonly window: number;
  readonly stride: number;
}

/** Composes `frames` frames, the prompt included. Steps count over all windows. */
export async function* composePiece(
  lm: LanguageModel,
  items: readonly PieceItem[],
  options: PieceOptions,
): AsyncGenerator<Composed> {
  const { frames, window, stride, ...rest } = options;
  const none = codes(Array.from({ length: lm.config.num_codebooks }, () => new Int32Array(0)));
  const prompted = items[0]?.prompt === undefined ? 0 : frameCount(items[0].prompt);
  const windows = planWindows(frames, prompted, window, stride);
  const late = delays(lm.config).at(-1)!; // steps after a window's last frame, until its last codebook has spoken
  const steps = windows.reduce((sum, { from, end }) => sum + (end - from) + late, 0);
  let done = 0;
  // What the next window will read: the codes from its start on.
  let tails = items.map(({ prompt }) => prompt ?? none);
  let tailStart = 0;
  for (const { start, end } of windows) {
    tails = tails.map((tail) => sliceFrames(tail, start - tailStart));
    tailStart = start;
    const conditions = await Promise.all(items.map((item) => item.condition(start)));
    const batch = items.map(({ seed }, i) => ({ condition: conditions[i]!, seed, prompt: tails[i]! }));
    for await (const event of compose(lm, batch, { ...rest, frames: end - start, firstFrame: start })) {
      tails = tails.map((tail, i) => joinFrames([tail, event.codes[i]!]));
      done++;
      yield { step: done, steps, codes: event.codes };
    }
  }
}
