import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../data/manifest.js";
import { uniform } from "../lm/random.js";
import { textFor, usualMixing, wordsOf } from "./lm-text.js";

const nothing = {
  ...{ title: null, artist: null, key: null, bpm: null, genre: null, moods: null },
  ...{ keywords: null, description: null, instrument: null },
};
const entry = (info: Partial<Entry["info"]>, captions?: readonly string[]): Entry => ({
  ...{ path: "a.flac", duration: 10, sample_rate: 32000, channels: 1, split: "train" },
  info: { ...nothing, ...info },
  ...(captions && { captions }),
});
const drawing = (seed: number) => (n: number) => uniform(seed, n, 0);
const texts = (which: Entry, mixing = usualMixing) =>
  Array.from({ length: 400 }, (_, seed) => textFor(which, drawing(seed), mixing));

test("one of the captions, as it stands; what else is known joins it, or stands alone", () => {
  const known = entry({ description: "A slow waltz.", bpm: 90, moods: ["calm", "sad"] }, ["waltz"]);
  const made = texts(known);
  const count = (which: (text: string) => boolean) => made.filter(which).length / 400;
  assert.ok(count((text) => text === "A slow waltz." || text === "waltz") > 0.7);
  assert.ok(count((text) => /^(A slow )?waltz\. (bpm: 90|moods: calm, sad)/.test(text)) > 0.04);
  assert.ok(count((text) => /^(bpm: 90|moods: calm, sad)/.test(text)) > 0.04);
  assert.ok(new Set(made).size > 6);
  assert.deepEqual(made, texts(known));
});

test("whatever is known, something is said of it; of nothing, nothing", () => {
  const some = fc.option(fc.string({ minLength: 1 }).filter((text) => text.trim() !== ""));
  fc.assert(
    fc.property(some, some, fc.nat(1000), (description, genre, seed) => {
      const known = entry({ description, genre });
      const text = textFor(known, drawing(seed));
      assert.equal(text === "", wordsOf(known).length === 0);
      const said = [description, description?.replace(/[.\s]+$/, ""), `genre: ${genre}`];
      assert.ok(text === "" || said.some((each) => each != null && text.includes(each)));
    }),
  );
});

test("words are left out as often as asked", () => {
  const caption = Array.from({ length: 20 }, (_, i) => `w${i}`).join(" ");
  const left = texts(entry({ description: caption }), { ...usualMixing, word: 0.3 }).map(
    (text) => text.split(" ").length,
  );
  const mean = left.reduce((sum, count) => sum + count, 0) / left.length;
  assert.ok(Math.abs(mean - 14) < 0.5, `${mean}`);
});
