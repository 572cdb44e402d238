import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createUnigram, lattice, type Piece, segment } from "./unigram.js";

/** All ways to cut `text` into candidates. */
function cuts(candidates: readonly Piece[], length: number, start = 0): Piece[][] {
  if (start === length) return [[]];
  return candidates
    .filter((piece) => piece.start === start)
    .flatMap((piece) => cuts(candidates, length, piece.end).map((rest) => [piece, ...rest]));
}

const letters = fc.constantFrom("a", "b", "🎵", "c");
const vocabularies = fc.uniqueArray(
  fc.tuple(
    fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
    fc.integer({ min: -40, max: -1 }).map((n) => n / 4),
  ),
  { selector: ([text]) => text, maxLength: 20 },
);

test("of all cuts of a text the best is found", () => {
  fc.assert(
    fc.property(vocabularies, fc.array(letters, { maxLength: 9 }), (pieces, parts) => {
      const text = parts.join("");
      const unigram = createUnigram([null, ...pieces], 0);
      const { candidates, best } = lattice(unigram, text);
      const total = (cut: readonly Piece[]) => cut.reduce((sum, { score }) => sum + score, 0);
      assert.equal(total(best), Math.max(...cuts(candidates, text.length).map(total)));

      assert.deepEqual(segment(unigram, text), best);
      assert.equal(best.map(({ start, end }) => text.slice(start, end)).join(""), text);
      for (const [i, { id, start, end }] of best.entries())
        if (id === 0) assert.notEqual(best[i + 1]?.id, 0);
        else assert.equal(pieces[id - 1]![0], text.slice(start, end));

      // The candidates are all places where a piece occurs, and the unknown characters.
      const found = candidates.filter(({ id }) => id > 0).length;
      const places = pieces.reduce(
        (sum, [piece]) => sum + upTo(text).filter((at) => text.startsWith(piece, at)).length,
        0,
      );
      assert.equal(found, places);
    }),
    { numRuns: 500 },
  );
});

const upTo = (text: string) => Array.from({ length: text.length }, (_, i) => i);

test("neighbouring unknown characters are one piece", () => {
  const unigram = createUnigram([null, ["a", -1]], 0);
  assert.deepEqual(segment(unigram, "a🎵xa"), [
    { start: 0, end: 1, id: 1, score: -1 },
    { start: 1, end: 4, id: 0, score: -22 },
    { start: 4, end: 5, id: 1, score: -1 },
  ]);
});
