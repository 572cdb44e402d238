/** @file What players write down before it is performed: notes in quarter notes from the piece's start. */

import type { Role } from "./form.js";
import type { Span } from "./harmony.js";

export interface Event {
  readonly at: number;
  readonly length: number;
  readonly pitch: number;
  /** 0 to 1 */
  readonly force: number;
  /** Seconds after its time, as a strummed string is. */
  readonly late?: number;
}

/** A bar of the piece, for those who play in it. */
export interface Bar {
  readonly at: number;
  /** Quarter notes */
  readonly beats: number;
  readonly theme: 0 | 1;
  readonly energy: number;
  /** Is it the last before a new section, or of four? */
  readonly ends: "section" | "sentence" | undefined;
  readonly isFirst: boolean;
  readonly resting: readonly Role[];
  /** The piece's last: everybody holds the tonic. */
  readonly isFinal: boolean;
}

/** The chord at a time; spans follow each other without gaps. */
export function spanAt(spans: readonly Span[], at: number): Span {
  let [low, high] = [0, spans.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (spans[middle]!.at <= at + 1e-6) low = middle;
    else high = middle - 1;
  }
  return spans[low]!;
}

/** The steps of a bar written as characters: each that is not - begins something that lasts through the - after it. */
export function strokes(
  bar: string,
  beats: number,
): { readonly at: number; readonly length: number; readonly mark: string }[] {
  const time = (steps: number) => (steps * beats) / bar.length; // whole where it is whole
  const found: { at: number; length: number; mark: string }[] = [];
  for (const [i, mark] of [...bar].entries()) {
    const last = found.at(-1);
    if (mark !== "-") found.push({ at: time(i), length: time(1), mark });
    else if (last !== undefined) last.length = time(i + 1) - last.at;
  }
  return found.filter(({ mark }) => mark !== ".");
}
