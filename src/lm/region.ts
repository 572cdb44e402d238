/**
 * @file A part of a piece composed anew between what is before and after it. The model writes forward and does not know what
 * follows; so it writes the part several times, and the one is taken behind which it finds what follows the likeliest.
 */

import { type Codes, codes, frameCount, joinFrames, sliceFrames } from "../codes.js";
import type { Composed } from "./compose.js";
import { delays } from "./config.js";
import type { LanguageModel } from "./lm.js";
import { composePiece, type PieceItem, type PieceOptions } from "./windows.js";

export interface RegionOptions extends Omit<PieceOptions, "frames" | "until" | "changes"> {
  /** The codes that come after the region, to the end of the piece. They stay as they are. */
  readonly after: Codes;
  /** Where the region ends. It begins where the prompts do. */
  readonly to: number;
  /** How often each is composed, to choose from. */
  readonly candidates: number;
  /** Frames of what follows that are weighed. */
  readonly listen: number;
}

/**
 * The codes of the region and of all that follows. Of several candidates, the codes come all at once, at the end. Where nothing
 * follows, there is nothing to choose by: one is composed, as a piece is that goes on from its prompt.
 */
export async function* composeRegion(
  lm: LanguageModel,
  items: readonly Omit<PieceItem, "after" | "attempt">[],
  { after, to, candidates, listen, ...options }: RegionOptions,
): AsyncGenerator<Composed> {
  const following = frameCount(after);
  const until = to + Math.min(following, listen);
  // Beyond what is weighed there stand the codes that the early codebooks speak by then.
  const frames = Math.min(to + following, until + delays(lm.config).at(-1)!);
  const kept = sliceFrames(after, 0, frames - to);
  const alike = options.sampling.temperature === 0; // each would be the same
  const tries = following === 0 || alike ? 1 : candidates;
  const all = items.flatMap((item) =>
    Array.from({ length: tries }, (_, attempt): PieceItem => ({ ...item, attempt, after: kept })),
  );
  const composed: Codes[][] = all.map(() => []);
  for await (const { codes: more, ...event } of composePiece(lm, all, { ...options, frames, until })) {
    for (const [i, grid] of more.entries()) composed[i]!.push(grid);
    if (following === 0) yield { ...event, codes: more };
    else if (event.step < event.steps) yield { ...event, odds: [], codes: items.map(() => none(lm)) };
    else {
      const chosen = items.map((_, i) => likeliest(event.odds, i * tries, tries));
      const region = to - frameCount(items[0]?.prompt ?? none(lm));
      yield {
        ...event,
        odds: chosen.map((best) => event.odds[best]!),
        codes: chosen.map((best) => joinFrames([sliceFrames(joinFrames(composed[best]!), 0, region), after])),
      };
    }
  }
}

// --- internal ---

const none = ({ config }: LanguageModel): Codes =>
  codes(Array.from({ length: config.num_codebooks }, () => new Int32Array(0)));

/** The first of the largest among `count` from `first` on. */
function likeliest(odds: readonly number[], first: number, count: number): number {
  let best = first;
  for (let i = first + 1; i < first + count; i++) if (odds[i]! > odds[best]!) best = i;
  return best;
}
