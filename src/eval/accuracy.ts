/**
 * @file Of what was asked for, how much was done: the share that agrees, on a scale from what blind luck reaches to what
 * the judge hears in true renders.
 */

import { philox } from "../lm/random.js";

/** Whether what was heard in a clip agrees with what some clip was asked to be; undefined where that cannot be said. */
export type Agrees<Asked, Found> = (asked: Asked, heard: Found) => boolean | undefined;

export interface Score {
  /** Share of clips that agree with what they were asked to be. */
  readonly accuracy: number;
  /** Share of clips that agree with what the others were asked to be: chance. */
  readonly chance: number;
  /** Clips that can be judged. */
  readonly count: number;
}

/** @param heard one for each of `asked` */
export function score<Asked, Found>(
  asked: readonly Asked[],
  heard: readonly Found[],
  agrees: Agrees<Asked, Found>,
): Score {
  let [hits, count, luck, others] = [0, 0, 0, 0];
  for (const [i, found] of heard.entries())
    for (const [j, wish] of asked.entries()) {
      const answer = agrees(wish, found);
      if (answer === undefined) continue;
      if (i === j) {
        count++;
        hits += +answer;
      } else {
        others++;
        luck += +answer;
      }
    }
  return { accuracy: hits / count, chance: luck / others, count };
}

/** 0 for chance, 1 for the ceiling: (accuracy - chance) / (ceiling - chance). NaN where the ceiling is no better than chance. */
export const scaled = (accuracy: number, chance: number, ceiling: number): number =>
  ceiling > chance ? (accuracy - chance) / (ceiling - chance) : Number.NaN;

/** The middle 95 % of what `statistic` is over `rounds` draws, with replacement, of as many out of `count`. */
export function bootstrap(
  count: number,
  statistic: (chosen: readonly number[]) => number,
  seed = 0,
  rounds = 400,
): readonly [low: number, high: number] {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const chosen = Array.from({ length: count }, (_, i) => philox([i, round, 0, 13], [seed, 0])[0] % count);
    const value = statistic(chosen);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}
