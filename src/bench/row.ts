/** @file What a benchmark answers: a number, and what it is held against. */

export interface Row {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** What `value` is held against, in the same unit: the best that the hardware allows, or an aim. */
  readonly bound: number;
  /** value / bound; every unit here is a cost, so less is better. */
  readonly ratio: number;
  /** What the bound is. */
  readonly note: string;
  /** The same as people would say it: steps a second, times real time. */
  readonly says?: string;
}

export const row = (id: string, value: number, unit: string, bound: number, note: string, says?: string): Row => ({
  id,
  value,
  unit,
  bound,
  ratio: value / bound,
  note,
  ...(says === undefined ? {} : { says }),
});

/** A bound is the best that was seen in a run: what is bounded may not beat it because the meter had bad luck. */
export const fastest = (speeds: readonly number[]): number => Math.max(...speeds);

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** How people say how fast sound of so many seconds was made. */
export const timesRealTime = (seconds: number, took: number): string =>
  `${(seconds / took).toPrecision(3)} x real time`;
