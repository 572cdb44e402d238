import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { readCharsmap } from "./charsmap.js";
import { normalizeT5 } from "./normalize.js";
import { loadTokenizer } from "./tokenizer-json.js";
import { trainUnigram, wholeNumbers } from "./train-unigram.js";
import { writeCharsmap } from "./write-charsmap.js";
import { learnTokenizer } from "./write-tokenizer.js";

const nouns = ["piano", "violin", "drums", "bass", "guitar", "rock", "waltz", "señor", "lo-fi"];
const adjectives = ["slow", "Sad", "happy", "FAST", "mid-tempo", "no", "without", "überfast"];
const texts = nouns.flatMap((noun, i) =>
  adjectives.flatMap((adjective, j) =>
    nouns.map((other, k): [string, number] => [
      `A ${adjective} ${noun}, with ${other} at ${60 + 3 * (i + j + k)} BPM.`,
      1 + ((i + j) % 3),
    ]),
  ),
);
const files = learnTokenizer(texts, 700);
const parsed = (name: string) => JSON.parse(new TextDecoder().decode(files[name]));
const tokenizer = loadTokenizer(parsed("tokenizer.json"));
const theirs = new Oracle(parsed("tokenizer.json"), parsed("tokenizer_config.json"));

const tidy = (text: string) => normalizeT5(text).trim().replace(/\s+/g, " ");

test("what is learnt from comes back, in small letters", () => {
  for (const [text] of texts) assert.equal(tokenizer.decode(tokenizer.encode(text)), tidy(text));
  const ascii = fc.array(
    fc.string({ unit: fc.constantFrom(..."!\"#$%&'()*+-./0123456789:;=?@AZ[]^_`az{|}~"), minLength: 1 }),
  );
  fc.assert(
    fc.property(ascii, (words) => {
      const text = words.join(" ");
      const ids = tokenizer.encode(text);
      assert.ok(!ids.includes(2));
      assert.equal(tokenizer.decode(ids), tidy(text));
    }),
  );
  assert.deepEqual(tokenizer.encode(""), [1]);
});

test("capitals, full-width letters and kinds of white space make no difference", () => {
  const same = ["a slow violin, 92 bpm", "A SLOW VIOLIN, 92 BPM", "Ａ　ｓｌｏｗ\u00a0violin,\t92\nbpm"];
  for (const text of same) assert.deepEqual(tokenizer.encode(text), tokenizer.encode(same[0]!));
});

test("any text has the ids that Hugging Face's tokenizer gives it", () => {
  const plain = fc.string({
    unit: fc.constantFrom(..." abcdefghijklmnopqrstuvwxyzABCXYZ0123456789,.-▁éßñÄ한中ﬁＡ🎵"),
    maxLength: 80,
  });
  const words = fc.array(fc.constantFrom(...nouns, ...adjectives, " ", ", ", "92", "bpm", "</s>", "<pad>", "<"));
  fc.assert(
    fc.property(
      fc.oneof(
        plain,
        words.map((all) => all.join("")),
      ),
      (text) => assert.deepEqual(tokenizer.encode(text), theirs.encode(text).ids),
    ),
    { numRuns: 1000 },
  );
});

test("where only the character map is kept, Latin prompts have the same ids", () => {
  const json = parsed("tokenizer.json");
  const mapAlone = loadTokenizer({ ...json, normalizer: json.normalizer.normalizers[0] });
  for (const text of [...texts.map(([text]) => text), "ÀÉÎ ŻÓŁW ＡＢＣ－９２"])
    assert.deepEqual(mapAlone.encode(text), tokenizer.encode(text));
});

test("a tempo is one piece wherever it stands, and other numbers are digits", () => {
  const pieces = (text: string) => tokenizer.encode(text).map(tokenizer.piece);
  for (const number of wholeNumbers)
    for (const text of [number, `${number}bpm`, `at ${number} BPM.`, `tempo:${number}`, `(${number})`])
      assert.equal(pieces(text).filter((piece) => piece === number).length, 1, text);
  assert.deepEqual(pieces("8"), ["▁", "8", "</s>"]);
  assert.deepEqual(pieces("0:07"), ["▁", "0", ":", "0", "7", "</s>"]);
  for (const [piece] of trainUnigram(texts, 600))
    assert.ok(!/\d/.test(piece) || /^\d$/.test(piece) || wholeNumbers.includes(piece));
});

test("what texts are made of is found", () => {
  const parts = ["gomu", "tesk", "diri", "plof", "wan"];
  const made = Array.from({ length: 300 }, (_, i): [string, number] => [
    [i % 5, (i * 7) % 4, (i * 3 + (i >> 2)) % 5].map((k) => parts[k]).join(""),
    1,
  ]);
  const found = trainUnigram(made, 290).map(([piece]) => piece);
  for (const part of parts) assert.ok(found.includes(part) || found.includes(`▁${part}`), part);
});

test("probabilities add up to one, and words that occur more are likelier", () => {
  const pieces = new Map(trainUnigram(texts, 700));
  const sum = [...pieces.values()].reduce((all, score) => all + Math.exp(score), 0);
  assert.ok(Math.abs(sum - 1) < 1e-6, `${sum}`);
  assert.ok(pieces.get("▁with")! > pieces.get("▁waltz")!);
});

test("the size is kept to, all characters included, or refused", () => {
  for (const size of [320, 400, 1000]) {
    const pieces = trainUnigram(texts, size);
    assert.ok(pieces.length <= size);
    assert.equal(new Set(pieces.map(([piece]) => piece)).size, pieces.length);
    for (const c of new Set(
      texts
        .map(([text]) => tidy(text))
        .join("")
        .replaceAll(" ", ""),
    ))
      assert.ok(
        pieces.some(([piece]) => piece === c),
        c,
      );
  }
  assert.throws(
    () => trainUnigram(texts, 200),
    (error) => error instanceof HocketError && error.code === "bad-request",
  );
  assert.ok(
    trainUnigram(
      [
        ["x".repeat(1000), 1],
        ["", 5],
        ["가".repeat(50), 1],
      ],
      300,
    ).length > 200,
  );
});

test("a character map that is written is read", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "b", "é", "한", "🎵", "\u00ff"), minLength: 1, maxLength: 4 });
  const value = fc.string({ unit: fc.constantFrom("x", "ü", "🎵", " "), maxLength: 3 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "한", "🎵", "c", "\u0000", "\u0001"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 30 }), text, (entries, text) => {
      const map = new Map(entries);
      let expected = "";
      for (let at = 0; at < text.length; ) {
        const longest = [...map.keys()]
          .filter((each) => text.startsWith(each, at))
          .sort((a, b) => b.length - a.length)[0];
        const next = longest ?? String.fromCodePoint(text.codePointAt(at)!);
        expected += longest === undefined ? next : map.get(longest)!;
        at += next.length;
      }
      assert.equal(readCharsmap(writeCharsmap(map), "it")(text), expected);
    }),
    { numRuns: 500 },
  );
});
