import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInfo } from "../data/info.js";
import type { Entry } from "../data/manifest.js";
import { checkWords, learnVocabulary, roomFor } from "./lm-vocabulary.js";

const entry = (description: string | null): Entry => ({
  ...{ path: "a.wav", duration: 10, sample_rate: 32000, channels: 1, split: "train" },
  info: parseInfo({ description, genre: description && "folk" }, "").info,
});
const captions = ["slow piano with strings", "fast drums and bass", "slow strings", "fast piano, 120 bpm"];
const entries = captions.map(entry);

test("the captions' words are learnt, within the size, and the same captions give the same files", () => {
  const { tokenizer, files } = learnVocabulary(entries, 400);
  assert.ok(tokenizer.vocabSize <= 400);
  for (const caption of captions) {
    const ids = tokenizer.encode(caption);
    assert.equal(ids.at(-1), 1);
    assert.equal(tokenizer.decode(ids), caption);
    assert.ok(ids.length < caption.length, "in pieces larger than letters");
  }
  assert.deepEqual(learnVocabulary(entries, 400).files, files);
});

test("there is room for the longest caption, in eights, and it is said how many are cut", () => {
  const { tokenizer } = learnVocabulary(entries, 400);
  const longest = Math.max(...captions.map((caption) => tokenizer.encode(caption).length));
  const { tokens, cut } = roomFor(entries, tokenizer);
  assert.ok(tokens >= longest && tokens < longest + 8 && tokens % 8 === 0);
  assert.equal(cut, 0);
  const few = roomFor(entries, tokenizer, 4);
  const longer = captions.filter((caption) => tokenizer.encode(caption).length > 4).length;
  assert.deepEqual(few, { tokens: 4, cut: longer / 4 });
});

test("recordings without words are counted; nothing but such is refused", () => {
  assert.deepEqual(checkWords([...entries, entry(null)]), { wordless: 1 });
  assert.throws(() => checkWords([entry(null)]), /none of 1 recordings has a caption or tags/);
  assert.throws(() => learnVocabulary([entry(null)], 400), /none of 1 recordings has a caption or tags/);
});
