/**
 * @file Learns the pieces of a unigram tokenizer from texts (Kudo, "Subword regularization", 2018, section 3.2): starts
 * from all frequent substrings, estimates their probabilities by expectation maximisation over all ways to cut each word,
 * and drops those that the texts miss least, until as many are left as are wanted.
 */

import { HocketError } from "../errors.js";
import { normalizeT5, wordsOf } from "./normalize.js";
import { createUnigram, lattice } from "./unigram.js";

/** A text, ▁ for the space before it, and its log probability. */
export type ScoredPiece = readonly [text: string, score: number];

/**
 * 40 to 220, and two well-known drum machines, as pieces of their own. A tempo is a meaning of its own: one vector a number
 * is learnt from all clips of that tempo, and is the same in "92 bpm", "92bpm" and "tempo:92". Spelled by digits, place
 * values would have to be learnt first, for which ten thousand captions are few; and left to itself the estimate takes 128
 * now as 12 and 8, now as 1 and 28.
 */
export const wholeNumbers: readonly string[] = [
  ...Array.from({ length: 181 }, (_, i) => String(40 + i)),
  ...["808", "909"],
];

/**
 * The pieces, likeliest first: at most `size`, all characters of the texts (the rarest left out if they would take up more
 * than half), and printable ASCII among them, so that any English prompt can be spelled.
 * @param texts with how often each occurs
 * @throws HocketError "bad-request" if the size is too small for the characters and numbers
 */
export function trainUnigram(texts: Iterable<readonly [text: string, count: number]>, size: number): ScoredPiece[] {
  const words = new Map<string, number>();
  for (const [text, count] of texts)
    for (const word of wordsOf(normalizeT5(text))) words.set(word, (words.get(word) ?? 0) + count);
  const characters = charactersOf(words, Math.floor(size / 2));
  const kept = [...new Set([...characters, ...wholeNumbers])];
  if (kept.length > size)
    throw new HocketError(
      "bad-request",
      `a vocabulary of ${size} pieces is too small for the ${kept.length} characters and numbers that it must hold: make it larger`,
    );
  let pieces = [...kept, ...frequentSubstrings(words, 8 * size, new Set(kept))];
  let cuts = allCuts(pieces, words);
  let scores = likelihoods(expected(cuts, Float64Array.from(pieces, startingScore(pieces, words))));
  for (;;) {
    const counts = expected(cuts, scores);
    scores = likelihoods(expected(cuts, likelihoods(counts)));
    if (pieces.length <= size) break;
    const losses = lossesWithout(pieces, scores, counts);
    const wanted = Math.max(size, Math.floor(0.75 * pieces.length));
    const alive = new Set(kept);
    const ranked = pieces.map((_, id) => id).filter((id) => id >= kept.length);
    ranked.sort((a, b) => losses[b]! - losses[a]!);
    for (const id of ranked.slice(0, wanted - kept.length)) alive.add(pieces[id]!);
    const old = scores;
    const left = pieces.flatMap((piece, id) => (alive.has(piece) ? [id] : []));
    pieces = left.map((id) => pieces[id]!);
    scores = Float64Array.from(left, (id) => old[id]!);
    cuts = allCuts(pieces, words);
  }
  levelled(pieces, scores);
  return pieces
    .map((piece, id): ScoredPiece => [piece, scores[id]!])
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
}

// --- internal ---

const longestPiece = 16;
/** Longer ones are no words, and their probabilities would vanish. */
const longestWord = 40;

function charactersOf(words: ReadonlyMap<string, number>, most: number): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) for (const c of word) counts.set(c, (counts.get(c) ?? 0) + count);
  const ascii = [...new Set(Array.from({ length: 94 }, (_, i) => normalizeT5(String.fromCharCode(33 + i))))];
  const always = new Set(["▁", ...ascii]);
  const others = [...counts].filter(([c]) => !always.has(c)).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [...always, ...others.slice(0, Math.max(0, most - always.size)).map(([c]) => c)];
}

/**
 * Substrings of two characters or more that occur twice or more, those that cover most of the texts first. Only letters
 * are joined: "drums" is the same word before a comma as before a space, and "rock" in "rock-style" as alone.
 */
function frequentSubstrings(words: ReadonlyMap<string, number>, most: number, besides: ReadonlySet<string>): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    if (word.length > longestWord) continue;
    const characters = [...word];
    for (let start = 0; start < characters.length; start++) {
      let text = characters[start]!;
      if (!joins.test(text)) continue;
      for (let end = start + 1; end < Math.min(characters.length, start + longestPiece); end++) {
        if (!joins.test(characters[end]!)) break;
        text += characters[end]!;
        counts.set(text, (counts.get(text) ?? 0) + count);
      }
    }
  }
  return [...counts]
    .filter(([text, count]) => count >= 2 && !besides.has(text))
    .sort(([a, m], [b, n]) => n * b.length - m * a.length || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([text]) => text);
}

const joins = /[\p{L}\p{M}▁'’]/u;

/** Every way to cut every word, flat: of each candidate its piece, start and end; where each word's candidates begin. */
interface Cuts {
  readonly pieces: number;
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** [words + 1] */
  readonly first: Int32Array;
  /** [words] */
  readonly lengths: Int32Array;
  readonly counts: Float64Array;
}

function allCuts(pieces: readonly string[], words: ReadonlyMap<string, number>): Cuts {
  const unigram = createUnigram([...pieces.map((piece): ScoredPiece => [piece, 0]), null], pieces.length);
  const [ids, starts, ends, first]: number[][] = [[], [], [], [0]];
  const used = [...words].filter(([word]) => word.length <= longestWord);
  for (const [word] of used) {
    const { candidates } = lattice(unigram, word);
    // A character that was left out leaves nothing to learn.
    if (candidates.every(({ id }) => id !== pieces.length))
      for (const { id, start, end } of candidates) {
        ids!.push(id);
        starts!.push(start);
        ends!.push(end);
      }
    first!.push(ids!.length);
  }
  return {
    pieces: pieces.length,
    ids: Int32Array.from(ids!),
    starts: Int32Array.from(starts!),
    ends: Int32Array.from(ends!),
    first: Int32Array.from(first!),
    lengths: Int32Array.from(used, ([word]) => word.length),
    counts: Float64Array.from(used, ([, count]) => count),
  };
}

/** How often each piece is expected to be used, by the forward and backward probabilities of each place in each word. */
function expected({ pieces, ids, starts, ends, first, lengths, counts }: Cuts, scores: Float64Array): Float64Array {
  const odds = scores.map(Math.exp);
  const result = new Float64Array(pieces);
  const forward = new Float64Array(longestWord + 1);
  const backward = new Float64Array(longestWord + 1);
  for (let word = 0; word < counts.length; word++) {
    const [from, to, length] = [first[word]!, first[word + 1]!, lengths[word]!];
    if (from === to) continue;
    forward.fill(0, 0, length + 1)[0] = 1;
    backward.fill(0, 0, length + 1)[length] = 1;
    for (let i = from; i < to; i++) forward[ends[i]!]! += forward[starts[i]!]! * odds[ids[i]!]!; // in order of starts
    for (let i = to - 1; i >= from; i--) backward[starts[i]!]! += backward[ends[i]!]! * odds[ids[i]!]!;
    const weight = counts[word]! / forward[length]!;
    for (let i = from; i < to; i++)
      result[ids[i]!]! += weight * forward[starts[i]!]! * odds[ids[i]!]! * backward[ends[i]!]!;
  }
  return result;
}

/** Log probabilities; of what is never used, a small one. */
function likelihoods(counts: Float64Array): Float64Array {
  const smoothed = counts.map((count) => Math.max(count, 0.1));
  const total = Math.log(smoothed.reduce((sum, count) => sum + count, 0));
  return smoothed.map((count) => Math.log(count) - total);
}

function startingScore(pieces: readonly string[], words: ReadonlyMap<string, number>): (piece: string) => number {
  const total = [...words.values()].reduce((sum, count) => sum + count, 0);
  return (piece) => -Math.log(pieces.length + total) - 1 / piece.length;
}

/** By how much the texts' log likelihood falls without a piece: then each of its uses is cut into the best others. */
function lossesWithout(pieces: readonly string[], scores: Float64Array, counts: Float64Array): Float64Array {
  const unigram = createUnigram(
    pieces.map((piece, id) => [piece, scores[id]!] as const).concat([["\u0000", 0]]),
    pieces.length,
  );
  return Float64Array.from(pieces, (piece, id) => {
    const best = new Float64Array(piece.length + 1).fill(Number.NEGATIVE_INFINITY);
    best[0] = 0;
    for (const { id: other, start, end, score } of lattice(unigram, piece).candidates)
      if (other !== id) best[end] = Math.max(best[end]!, best[start]! + score);
    return counts[id]! * (scores[id]! - best[piece.length]!);
  });
}

/** All numbers are equally likely, so that no number is cut into others, whichever the texts happen to hold. */
function levelled(pieces: readonly string[], scores: Float64Array): void {
  const numbers = new Set(wholeNumbers);
  const ids = pieces.flatMap((piece, id) => (numbers.has(piece) ? [id] : []));
  const mean = Math.log(ids.reduce((sum, id) => sum + Math.exp(scores[id]!), 0) / ids.length);
  for (const id of ids) scores[id] = mean;
}
