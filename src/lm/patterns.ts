/**
 * @file In which order a model reads and writes the codes of a K-codebook grid: a list of steps, each holding some
 * (frame, codebook) coordinates (MusicGen, section 2.2; layouts as in audiocraft). Everything else that depends on the
 * order (sequences, masks, where a loop starts, which frames are finished) is read off that list.
 */

import { type Codes, codes, type DelayedCodes, delayedCodes } from "../codes.js";
import { assert } from "../errors.js";

export type Coordinate = readonly [frame: number, codebook: number];

/** An order over [K][T] codes in S steps. A codebook that a step does not hold carries the special token there. */
export interface Pattern {
  readonly codebooks: number;
  readonly frames: number;
  /** [S]. Step 0 is empty, the special column that opens a sequence, unless the pattern was made without. */
  readonly steps: readonly (readonly Coordinate[])[];
  /** [K][T]: the step that holds a frame of a codebook; -1 where none does. */
  readonly stepOf: readonly Int32Array[];
  /** [K][S]: the frame that a codebook has at a step; -1 where it carries the special token. */
  readonly frameAt: readonly Int32Array[];
}

// --- the layouts ---

/**
 * Codebook k speaks `delays[k]` steps late: MusicGen's order with 0, 1, 2, 3; "partial delay" with 0, 1, 1, 1.
 * S = 1 + T + the last delay.
 * @param options.flattenFirst the first so many frames take one step per codebook
 * @param options.emptyInitial so many special columns more at the front; negative: not even the first one
 */
export function delayPattern(
  frames: number,
  delays: readonly number[],
  options: { flattenFirst?: number; emptyInitial?: number } = {},
): Pattern {
  const { flattenFirst = 0, emptyInitial = 0 } = options;
  checkDelays(delays);
  const steps: Coordinate[][] = range(Math.max(0, 1 + emptyInitial), () => []);
  for (let t = 0; t < Math.min(frames, flattenFirst); t++) steps.push(...delays.map((_, k): Coordinate[] => [[t, k]]));
  for (let t = flattenFirst; t < frames + delays.at(-1)!; t++)
    steps.push(
      delays.flatMap((delay, k): Coordinate[] => (t - delay >= flattenFirst ? [[t - delay, k] as const] : [])),
    );
  return pattern(delays.length, frames, steps);
}

/** All codebooks at once. S = 1 + T. */
export const parallelPattern = (frames: number, codebooks: number, emptyInitial = 0): Pattern =>
  delayPattern(
    frames,
    range(codebooks, () => 0),
    { emptyInitial },
  );

/** Delays of left and right codes in turn (L0 R0 L1 R1 ...), from those of one channel. */
export const stereoDelays = (delays: readonly number[]): number[] => delays.flatMap((delay) => [delay, delay]);

/**
 * Each frame takes several steps: codebook k is in the `flattening[k]`-th of them ("flatten" with 0, 1, 2, 3), of the
 * frame `delays[k]` later. Codebooks that share a step share a delay.
 */
export function unrollPattern(
  frames: number,
  flattening: readonly number[],
  delays: readonly number[] = flattening.map(() => 0),
): Pattern {
  checkDelays(delays);
  assert(flattening.length === delays.length, "unrolling needs one delay per codebook");
  const inner = range(Math.max(...flattening) + 1, (step) => {
    const members = [...flattening.keys()].filter((k) => flattening[k] === step);
    const delay = delays[members[0] ?? 0]!;
    assert(
      members.every((k) => delays[k] === delay),
      `codebooks ${members.join(", ")} share a step but not a delay`,
    );
    return { members, delay };
  });
  const end = frames + delays.at(-1)!;
  const placed: { at: number; step: Coordinate[] }[] = [];
  for (let t = 0; t < end; t++)
    for (const { members, delay } of inner) {
      const at = members.length > 0 ? t + delay : t; // a step without codebooks is never late
      if (at < end) placed.push({ at, step: members.map((k) => [t, k] as const) });
    }
  // Steps that fall on one frame are ordered by what they hold, the earlier frame first.
  placed.sort((a, b) => a.at - b.at || compareSteps(a.step, b.step));
  return pattern(flattening.length, frames, [[], ...placed.map(({ step }) => step)]);
}

/**
 * All frames of codebook 0, then those of the others, codebook k + 1 `delays[k]` steps late (VALL-E).
 * Not causal over lengths: a model can only fill the length that it was trained on.
 */
export function coarseFirstPattern(frames: number, delays: readonly number[]): Pattern {
  checkDelays(delays);
  const coarse = range(frames, (t): Coordinate[] => [[t, 0]]);
  const fine = range(frames + delays.at(-1)!, (t) =>
    delays.flatMap((delay, k): Coordinate[] => (t >= delay ? [[t - delay, k + 1] as const] : [])),
  );
  return pattern(1 + delays.length, frames, [[], ...coarse, ...fine]);
}

/** For each `groupBy` codebooks in turn all frames, one code a step (MusicLM). S = 1 + K T. */
export function musicLmPattern(frames: number, codebooks: number, groupBy = 2): Pattern {
  assert(codebooks % groupBy === 0, `${codebooks} codebooks do not divide into groups of ${groupBy}`);
  const steps = range(codebooks * frames, (i): Coordinate[] => {
    const group = Math.floor(i / (groupBy * frames));
    return [[Math.floor(i / groupBy) % frames, group * groupBy + (i % groupBy)]];
  });
  return pattern(codebooks, frames, [[], ...steps]);
}

// --- reading a pattern ---

/** How many frames past the end the order visits before every codebook has had its last. */
export const maxDelay = ({ steps, frames }: Pattern): number =>
  steps.reduce((most, step) => step.reduce((last, [t]) => Math.max(last, t + 1 - frames), most), 0);

/**
 * The pattern without the steps that visit frames past the end: what a model trains on. The last frames of the late
 * codebooks have no place in it.
 */
export const validSteps = (full: Pattern): Pattern =>
  pattern(full.codebooks, full.frames, full.steps.slice(0, full.steps.length - maxDelay(full)));

/** [K][T] -> [K][S], `special` where a step does not hold a codebook. */
export const build = ({ codebooks, frames, frameAt }: Pattern, grid: Codes, special: number): DelayedCodes => {
  assert(
    grid.length === codebooks && grid.every((row) => row.length === frames),
    `the pattern orders [${codebooks}, ${frames}] codes, not [${grid.length}, ${grid[0]?.length}]`,
  );
  return delayedCodes(frameAt.map((row, k) => row.map((t) => (t < 0 ? special : grid[k]![t]!))));
};

/**
 * [K][S] -> [K][T], the inverse of `build`; `missing` for codes that the pattern has no place for.
 * @param from of all frames, those from here to `to` (exclusive)
 */
export const revert = (
  { codebooks, steps, stepOf }: Pattern,
  grid: DelayedCodes,
  missing: number,
  from?: number,
  to?: number,
): Codes => {
  assert(
    grid.length === codebooks && grid.every((row) => row.length === steps.length),
    `the pattern has [${codebooks}, ${steps.length}] steps, not [${grid.length}, ${grid[0]?.length}]`,
  );
  return codes(stepOf.map((row, k) => row.slice(from, to).map((s) => (s < 0 ? missing : grid[k]![s]!))));
};

/** [K][T]: the step whose logits predict a code, one before the step that holds it; -1 where the code has no place. */
export const logitSteps = ({ steps, stepOf }: Pattern): Int32Array[] => {
  const ahead = steps[0]?.length === 0 ? 1 : 0; // without the opening column, nothing can be predicted ahead
  return stepOf.map((row) => row.map((s) => (s < 0 ? -1 : s - ahead)));
};

/** The first step that holds any code of `frame`: where generating goes on after a prompt of `frame` frames. */
export function firstStepWith({ stepOf }: Pattern, frame: number): number {
  const steps = stepOf.map((row) => row[frame] ?? -1).filter((step) => step >= 0);
  assert(steps.length > 0, `no step holds a code of frame ${frame}`);
  return Math.min(...steps);
}

/** [S]: how many frames, from the first on without a gap, have all their codes once a step is done. */
export function completeFrames({ frames, steps, stepOf }: Pattern): Int32Array {
  const complete = new Int32Array(steps.length);
  let last = 0;
  for (let t = 0; t < frames; t++) {
    if (stepOf.some((row) => row[t]! < 0)) break;
    last = stepOf.reduce((latest, row) => Math.max(latest, row[t]!), last);
    complete[last] = t + 1;
  }
  for (let s = 1; s < complete.length; s++) complete[s] = Math.max(complete[s]!, complete[s - 1]!);
  return complete;
}

// --- internal ---

const range = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

function checkDelays(delays: readonly number[]): void {
  assert(delays.length > 0, "a pattern needs at least one delay");
  assert(
    delays.every((delay, k) => Number.isInteger(delay) && delay >= (delays[k - 1] ?? 0)),
    `delays have to be whole numbers that never decrease, not ${delays.join(", ")}`,
  );
}

function compareSteps(a: readonly Coordinate[], b: readonly Coordinate[]): number {
  const [[at, ak] = [-1, -1], [bt, bk] = [-1, -1]] = [a[0], b[0]];
  return at - bt || ak - bk;
}

function pattern(codebooks: number, frames: number, steps: readonly (readonly Coordinate[])[]): Pattern {
  assert(Number.isInteger(frames) && frames > 0, `a pattern needs a whole number of frames above 0, not ${frames}`);
  const stepOf = range(codebooks, () => new Int32Array(frames).fill(-1));
  const frameAt = range(codebooks, () => new Int32Array(steps.length).fill(-1));
  for (const [s, step] of steps.entries())
    for (const [t, k] of step) {
      if (t >= frames) continue;
      assert(stepOf[k]![t]! < 0, `frame ${t} of codebook ${k} comes twice`);
      assert(frameAt[k]![s]! < 0, `codebook ${k} has two frames at step ${s}`);
      stepOf[k]![t] = s;
      frameAt[k]![s] = t;
    }
  return { codebooks, frames, steps, stepOf, frameAt };
}
