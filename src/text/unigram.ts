/**
 * @file The unigram model of T5's tokenizer: of all ways to cut a text into known pieces, the one whose pieces' log
 * probabilities add up highest (Kudo, "Subword regularization", 2018), found with Viterbi's algorithm.
 */

import { assert } from "../errors.js";

/** A piece of a text: what `text.slice(start, end)` is taken for. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly id: number;
  /** Its log probability. */
  readonly score: number;
}

/** Every piece that a text could be cut into, and those that it is. */
export interface Lattice {
  readonly text: string;
  readonly candidates: readonly Piece[];
  readonly best: readonly Piece[];
}

export interface Unigram {
  readonly unknown: number;
  /** The score of a character that no piece is. */
  readonly unknownScore: number;
  /** Log probability of each id. */
  readonly scores: Float64Array;
  readonly ids: ReadonlyMap<string, number>;
  /** Of pieces, in UTF-16 units, from short to long: some twenty, so looking each up is as fast as a trie, which takes long to make. */
  readonly lengths: readonly number[];
}

/**
 * @param pieces their texts and log probabilities, by id; null where an id is never found in a text
 * @param unknown the id of characters that are no piece
 */
export function createUnigram(
  pieces: readonly (readonly [text: string, score: number] | null)[],
  unknown: number,
): Unigram {
  const ids = new Map<string, number>();
  const lengths = new Set<number>();
  let least = Number.POSITIVE_INFINITY;
  for (const [id, piece] of pieces.entries()) {
    if (piece === null) continue;
    const [text, score] = piece;
    assert(text.length > 0, `piece ${id} is empty`);
    least = Math.min(least, score);
    ids.set(text, id);
    lengths.add(text.length);
  }
  return {
    unknown,
    unknownScore: (Number.isFinite(least) ? least : 0) - 10, // as SentencePiece
    scores: Float64Array.from(pieces, (piece) => piece?.[1] ?? 0),
    ids,
    lengths: [...lengths].sort((a, b) => a - b),
  };
}

/**
 * The best cut of `text`; of equally good ones that with the longer last piece, and so on backwards. Neighbouring unknown
 * characters make one unknown piece. Time and memory grow with the length of the text.
 */
export function segment(unigram: Unigram, text: string): Piece[] {
  const best = new Float64Array(text.length + 1).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(text.length + 1);
  const ids = new Int32Array(text.length + 1);
  best[0] = 0;
  for (let start = 0; start < text.length; start += characterLength(text, start))
    eachCandidate(unigram, text, start, (end, id, score) => {
      const total = best[start]! + score;
      if (total <= best[end]!) return;
      best[end] = total;
      from[end] = start;
      ids[end] = id;
    });
  const pieces: Piece[] = [];
  for (let end = text.length; end > 0; ) {
    const id = ids[end]!;
    let start = from[end]!;
    if (id === unigram.unknown) while (start > 0 && ids[start] === id) start = from[start]!;
    pieces.push({ start, end, id, score: best[end]! - best[start]! });
    end = start;
  }
  return pieces.reverse();
}

/** `segment` with what it chose from. */
export function lattice(unigram: Unigram, text: string): Lattice {
  const candidates: Piece[] = [];
  for (let start = 0; start < text.length; start += characterLength(text, start))
    eachCandidate(unigram, text, start, (end, id, score) => candidates.push({ start, end, id, score }));
  return { text, candidates, best: segment(unigram, text) };
}

// --- internal ---

const characterLength = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1);

/** The pieces that begin at `start`, from short to long; the unknown one where no piece is the character there. */
function eachCandidate(
  { ids, lengths, scores, unknown, unknownScore }: Unigram,
  text: string,
  start: number,
  visit: (end: number, id: number, score: number) => void,
): void {
  const character = start + characterLength(text, start);
  let known = false;
  for (const length of lengths) {
    const end = start + length;
    if (end > text.length) break;
    const id = ids.get(text.slice(start, end));
    if (id === undefined) continue;
    if (end === character) known = true;
    visit(end, id, scores[id]!);
  }
  if (!known) visit(character, unknown, unknownScore);
}
