/** @file How the learning rate changes over the steps (spec §8.2). */

export interface Schedule {
  readonly kind: "cosine" | "inverse-sqrt" | "constant";
  /** The rate at the end of the warm-up. */
  readonly rate: number;
  /** Steps over which the rate rises from 0. */
  readonly warmup: number;
  /** Steps in all: where the cosine ends. */
  readonly steps: number;
  /** What the cosine ends at, as a share of the rate. */
  readonly floor?: number;
}

/** @param step from 0 */
export function rateAt({ kind, rate, warmup, steps, floor = 0 }: Schedule, step: number): number {
  if (step < warmup) return (rate * step) / warmup;
  if (kind === "constant") return rate;
  if (kind === "inverse-sqrt") return rate * Math.sqrt(Math.max(1, warmup) / Math.max(1, step));
  const share = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return rate * (floor + ((1 - floor) / 2) * (1 + Math.cos(Math.PI * share)));
}
