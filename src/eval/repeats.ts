/**
 * @file Whether a model repeats what it was trained on: of each stretch of what it made, the nearest stretch of the
 * training codes, by how many codes must be changed, left out or put in (Levenshtein, 1966).
 */

import { type Codes, frameCount } from "../codes.js";

export interface Repeats {
  /** Stretches that were looked for. */
  readonly stretches: number;
  /** Share of them that occur in the training codes exactly, in the first codebook. */
  readonly exact: number;
  /** Share that occur exactly in all codebooks. */
  readonly exactAll: number;
  /** Of each stretch, the distance to the nearest found, as a share of its length; 1 where nothing alike was found. */
  readonly nearest: readonly number[];
}

/**
 * Looks for stretches of `frames` frames, each half a stretch after the one before. Candidates share runs of codes
 * with a stretch: what shares none is not alike.
 * @param known training codes, read once
 */
export async function findRepeats(
  made: readonly Codes[],
  known: AsyncIterable<Codes> | Iterable<Codes>,
  frames: number,
): Promise<Repeats> {
  const stretches = made.flatMap((grid) =>
    Array.from({ length: Math.floor((2 * (frameCount(grid) - frames)) / frames) + 1 }, (_, i) =>
      grid.map((row) => row.subarray(Math.floor((i * frames) / 2), Math.floor((i * frames) / 2) + frames)),
    ).filter(([first]) => first!.length === frames),
  );
  const runs = new Map<number, { stretch: number; at: number }[]>();
  for (const [stretch, [first]] of stretches.entries())
    for (let at = 0; at + run <= frames; at++) {
      const hash = hashOf(first!, at);
      const places = runs.get(hash);
      if (places === undefined) runs.set(hash, [{ stretch, at }]);
      else if (places.length < mostPlaces) places.push({ stretch, at });
    }

  const exact = new Set<number>();
  const exactAll = new Set<number>();
  const candidates = stretches.map((): { votes: number; row: Int32Array }[] => []);
  for await (const grid of known) {
    const votes = new Map<number, number>(); // stretch and where it would begin -> shared runs
    const first = grid[0]!;
    for (let at = 0; at + run <= first.length; at++)
      for (const place of runs.get(hashOf(first, at)) ?? []) {
        const key = place.stretch * spacing + (at - place.at + spacing / 2);
        votes.set(key, (votes.get(key) ?? 0) + 1);
      }
    for (const [key, count] of votes) {
      const stretch = Math.floor(key / spacing);
      const begin = (key % spacing) - spacing / 2;
      if (begin >= 0 && same(stretches[stretch]![0]!, first, begin)) {
        exact.add(stretch);
        if (stretches[stretch]!.every((row, k) => same(row, grid[k]!, begin))) exactAll.add(stretch);
      }
      const held = candidates[stretch]!;
      if (held.length === mostCandidates && held.at(-1)!.votes >= count) continue;
      held.push({ votes: count, row: first.slice(Math.max(0, begin), begin + frames) });
      held.sort((a, b) => b.votes - a.votes).splice(mostCandidates);
    }
  }
  const nearest = stretches.map(([first], i) =>
    exact.has(i) ? 0 : Math.min(1, ...candidates[i]!.map(({ row }) => editDistance(first!, row) / frames)),
  );
  const count = stretches.length;
  return { stretches: count, exact: exact.size / count, exactAll: exactAll.size / count, nearest };
}

/** The fewest codes to change, leave out or put in to make one of the other. */
export function editDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let above = Uint32Array.from({ length: b.length + 1 }, (_, j) => j);
  let row = new Uint32Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(row[j - 1]! + 1, above[j]! + 1, above[j - 1]! + +(a[i - 1] !== b[j - 1]));
    [above, row] = [row, above];
  }
  return above[b.length]!;
}

// --- internal ---

/** Codes of a run that a candidate shares. */
const run = 4;
/** A run that occurs more often, such as silence, points nowhere. */
const mostPlaces = 64;
const mostCandidates = 4;
/** More than the frames of any recording. */
const spacing = 2 ** 24;

/** Of `run` codes: any fixed way to a number would do. */
function hashOf(row: Int32Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < run; i++) hash = Math.imul(hash ^ row[at + i]!, 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}

function same(stretch: Int32Array, row: Int32Array, begin: number): boolean {
  if (begin + stretch.length > row.length) return false;
  for (let i = 0; i < stretch.length; i++) if (stretch[i] !== row[begin + i]) return false;
  return true;
}
