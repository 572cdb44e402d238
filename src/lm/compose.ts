/**
 * @file The loop: column by column, until every code of every frame is chosen. One window of a piece, for a batch of
 * items that are alike in length.
 */

import { type Codes, delayedCodes, frameCount } from "../codes.js";
import { HocketError } from "../errors.js";
import type { Condition } from "./condition.js";
import { patternFor, specialToken } from "./config.js";
import { guide } from "./guidance.js";
import { type LanguageModel, logitsAt } from "./lm.js";
import { build, completeFrames, firstStepWith, revert } from "./patterns.js";
import { uniform } from "./random.js";
import { logLikelihood, type Sampling, sample } from "./sampling.js";

export interface Item {
  readonly condition: Condition;
  /** A whole number from 0; 0 is a seed. */
  readonly seed: number;
  /** Frames that the window starts with, kept exactly; the same number for every item. */
  readonly prompt?: Codes | undefined;
  /** Frames that the window ends with, kept exactly and weighed; the same number for every item. */
  readonly after?: Codes | undefined;
  /** Which of several pieces of one seed it is. */
  readonly attempt?: number | undefined;
}

export interface ComposeOptions {
  /** T, the prompt included. */
  readonly frames: number;
  /**
   * Composing ends when so many frames are complete, all if not said. What was begun of later ones by then, because early
   * codebooks are ahead, is thought of and thrown away.
   */
  readonly until?: number | undefined;
  /** How much further than the condition alone would go; 1: no guidance. */
  readonly guidance: number;
  readonly sampling: Sampling;
  /** Where this window stands in the piece: the same step of two windows draws different numbers. */
  readonly firstFrame?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Composed {
  /** Steps done and to do. */
  readonly step: number;
  readonly steps: number;
  /** Frames that have become complete, one grid an item; empty grids where none has. */
  readonly codes: readonly Codes[];
  /** How likely the model finds what of `after` it has come to, of each item: the sum of the logarithms. */
  readonly odds: readonly number[];
}

/** @throws HocketError "internal" where the model's numbers are not numbers; AbortError within a step of the signal */
export async function* compose(
  lm: Pick<LanguageModel, "config" | "open">,
  items: readonly Item[],
  options: ComposeOptions,
): AsyncGenerator<Composed> {
  const { config } = lm;
  const { frames, until = frames, guidance, sampling, firstFrame = 0 } = options;
  const pattern = patternFor(config, frames);
  const special = specialToken(config);
  const prompted = items[0]?.prompt === undefined ? 0 : frameCount(items[0].prompt);
  if (prompted >= until)
    throw new HocketError("bad-request", `a prompt of ${prompted} frames leaves nothing to compose of ${until}`);

  // What is not chosen yet is -1. Codes of the prompt that a late codebook speaks after the loop has started stay.
  const grids = items.map((item) => build(pattern, unchosen(config.num_codebooks, frames, item), special));
  const complete = completeFrames(pattern);
  const first = firstStepWith(pattern, prompted);
  const last = complete.findIndex((count) => count >= until) + 1;
  const weighedFrom = frames - (items[0]?.after === undefined ? 0 : frameCount(items[0].after));
  const odds = items.map(() => 0);

  const decoding = await lm.open(
    items.map((item) => item.condition),
    guidance !== 1,
    last - 1,
  );
  try {
    const guided = new Float32Array(config.vocab_size);
    const read = (from: number, to: number) => {
      const columns = grids.map((grid) => Int32Array.from(grid.flatMap((row) => Array.from(row.subarray(from, to)))));
      const reading = decoding.step(columns, to - from);
      reading.catch(() => {}); // whoever waits for it is told, if anybody still does
      return reading;
    };
    let reading = read(0, first);
    let returned = prompted;
    for (let step = first; step < last; step++) {
      options.signal?.throwIfAborted();
      const logits = await reading;
      for (const [i, { seed, attempt }] of items.entries()) {
        const { conditional, unconditional } = decoding.plan.items[i]!;
        for (const [k, row] of grids[i]!.entries()) {
          let choice = logitsAt(logits, config, conditional, k);
          if (row[step] !== -1) {
            if (pattern.frameAt[k]![step]! >= weighedFrom) odds[i] = odds[i]! + logLikelihood(choice, row[step]!);
            continue;
          }
          if (unconditional !== undefined)
            choice = guide(choice, logitsAt(logits, config, unconditional, k), guidance, guided);
          row[step] = sample(choice, sampling, uniform(seed, firstFrame + step, k, attempt));
        }
      }
      // The model reads this column while what it has completed is passed on, which takes 0.075 of the 0.185 ms between steps.
      if (step + 1 < last) reading = read(step, step + 1);
      const done = Math.max(returned, Math.min(complete[step]!, until));
      const codes = grids.map((grid) => revert(pattern, delayedCodes(grid), -1, returned, done));
      returned = done;
      yield { step: step - first + 1, steps: last - first, codes, odds: [...odds] };
    }
  } finally {
    await decoding.dispose();
  }
}

// --- internal ---

/** [K][T]: the prompt, then -1, then what comes after. */
function unchosen(codebooks: number, frames: number, { prompt, after }: Item): Codes {
  return Array.from({ length: codebooks }, (_, k) => {
    const row = new Int32Array(frames).fill(-1);
    if (prompt !== undefined) row.set(prompt[k]!);
    if (after !== undefined) row.set(after[k]!, frames - after[k]!.length);
    return row;
  }) as unknown as Codes;
}
