/** @file The arithmetic of sections: where each begins, and what becomes of their lengths when one is moved, added or taken away. */

import type { Section } from "../state/draft.js";

/** Seconds that a section lasts at least. */
export const shortest = 0.5;

export const lengthOf = (sections: readonly Section[]): number =>
  tenths(sections.reduce((sum, { duration }) => sum + duration, 0));

/** Where section `i` begins. */
export const startOf = (sections: readonly Section[], i: number): number => lengthOf(sections.slice(0, i));

/** The boundary before section `i` at another second: the one before it and it share what they had. */
export function moved(sections: readonly Section[], i: number, second: number): readonly Section[] {
  const [before, after] = [sections[i - 1]!, sections[i]!];
  const from = startOf(sections, i - 1);
  const both = before.duration + after.duration;
  const most = Math.max(0, both - shortest);
  const first = tenths(Math.max(Math.min(shortest, most), Math.min(most, second - from)));
  return sections.map((section, n) =>
    n === i - 1 ? { ...section, duration: first } : n === i ? { ...section, duration: tenths(both - first) } : section,
  );
}

export const changed = (sections: readonly Section[], i: number, change: Partial<Section>): readonly Section[] =>
  sections.map((section, n) => (n === i ? { ...section, ...change } : section));

export const without = (sections: readonly Section[], i: number): readonly Section[] =>
  sections.filter((_, n) => n !== i);

/** One more at the end, as long as the last, within what a take may last. */
export const longer = (sections: readonly Section[], longest: number): readonly Section[] => {
  const left = longest - lengthOf(sections);
  const duration = tenths(Math.min(sections.at(-1)!.duration, left));
  return duration < shortest ? sections : [...sections, { prompt: "", duration }];
};

// --- internal ---

const tenths = (seconds: number): number => Math.round(10 * seconds) / 10;
