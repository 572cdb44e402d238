import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import fc from "fast-check";
import { readGoldenJson, repositoryFile } from "../../test/golden.js";
import { readCharsmap } from "./charsmap.js";
import { loadSentencePiece } from "./spiece.js";
import { loadTokenizer } from "./tokenizer-json.js";

const model = (file: string) => readFileSync(repositoryFile(`models/mini-reference/${file}`));
const json = JSON.parse(model("tokenizer.json").toString());
const config = JSON.parse(model("tokenizer_config.json").toString());
const spiece = new Uint8Array(model("spiece.model"));
const charsmap = new Uint8Array(Buffer.from(json.normalizer.precompiled_charsmap, "base64"));
const fromJson = loadTokenizer(json);
const fromSpiece = loadSentencePiece(spiece);
const normalize = readCharsmap(charsmap, "tokenizer.json");

const { prompts } = readGoldenJson<{ prompts: { text: string; text_ids: number[] }[] }>(
  "mini_reference",
  "golden.json",
);
const sentencePiece = readGoldenJson<{
  characters_sha256: string;
  cases: { text: string; normalized?: string; ids: number[] }[];
}>("sentencepiece", "cases.json");

/** tokenizer.json also cuts at U+0085, which is white space to its "WhitespaceSplit" and a letter to SentencePiece. */
const cutsAlike = (text: string) => !text.includes("\u0085");

test("the prompts of the reference model have its ids, and come back", () => {
  assert.equal(prompts.length, 6);
  for (const { text, text_ids } of prompts)
    for (const tokenizer of [fromJson, fromSpiece]) {
      assert.deepEqual(tokenizer.encode(text), text_ids);
      assert.equal(tokenizer.decode(text_ids), text);
    }
  assert.equal(fromJson.vocabSize, 1200);
  assert.equal(fromSpiece.vocabSize, 1200);
});

test("texts are normalised and cut as by SentencePiece", () => {
  for (const { text, ids, normalized } of sentencePiece.cases) {
    assert.deepEqual(fromSpiece.encode(text), [...ids, 1], JSON.stringify(text));
    if (cutsAlike(text)) assert.deepEqual(fromJson.encode(text), [...ids, 1], JSON.stringify(text));
    if (normalized !== undefined)
      assert.equal(
        fromSpiece
          .lattices(text)
          .map((run) => run.text)
          .join(""),
        normalized,
      );
  }
});

test("every character is mapped as by SentencePiece", () => {
  const lines: string[] = [];
  for (let c = 1; c < 0x30000; c++)
    if (c !== 10 && (c < 0xd800 || c > 0xdfff))
      lines.push(normalize(`x${String.fromCodePoint(c)}y`).replace(/ +/g, " "));
  assert.equal(createHash("sha256").update(lines.join("\n")).digest("hex"), sentencePiece.characters_sha256);
});

// --- against @huggingface/tokenizers ---

const words = fc.constantFrom(
  ...[
    "drums",
    "▁",
    "music",
    "bpm",
    "120",
    ",",
    " ",
    "   ",
    "\n",
    "\r\n",
    "\t",
    "é",
    "e\u0301",
    "ａ",
    "ﬁ",
    "①",
    "한",
    "🎵",
  ],
  ...[
    "👨‍👩‍👧",
    "🇫🇷",
    "\u0000",
    "\u0001",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\ud83d",
    "\udc68",
    "</s>",
    "<pad>",
    "<unk>",
    "<extra_id_0>",
  ],
);
const texts = fc.oneof(
  fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "binary-ascii", maxLength: 200 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
);

/** Their tokenizer with the true character map, which it only imitates (see charsmap.ts); all the rest is its own. */
function oracle(tokenizerJson: object): (text: string) => number[] {
  const theirs = new Oracle(tokenizerJson, config);
  theirs.normalizer = Object.assign((text: string) => normalize(text), {
    normalize,
  }) as unknown as Oracle["normalizer"];
  return (text) => theirs.encode(text).ids;
}

test("any text has the ids that Hugging Face's tokenizer gives it", () => {
  const theirs = oracle(json);
  fc.assert(
    fc.property(texts.filter(cutsAlike), (text) => assert.deepEqual(fromJson.encode(text), theirs(text))),
    { numRuns: 2000 },
  );
});

test("texts that need no mapping have the ids that Hugging Face's tokenizer gives them, untouched", () => {
  const theirs = new Oracle(json, config);
  const plain = fc.string({ unit: fc.constantFrom(..." abcdefghijklmnopqrstuvwxyz0123456789,.-▁éßñ한中</s>") });
  fc.assert(fc.property(plain, (text) => assert.deepEqual(fromJson.encode(text), theirs.encode(text).ids)));
});

test("spiece.model and tokenizer.json agree on any text", () => {
  fc.assert(
    fc.property(texts.filter(cutsAlike), (text) => assert.deepEqual(fromSpiece.encode(text), fromJson.encode(text))),
    { numRuns: 2000 },
  );
});

test("long texts", () => {
  const theirs = oracle(json);
  for (const part of ["a", "drums ", "🎵", " ", "\n\n", "e\u0301", "fast happy chiptune, "]) {
    const text = part.repeat(Math.ceil(10_000 / part.length));
    assert.deepEqual(fromJson.encode(text), theirs(text));
    assert.deepEqual(fromSpiece.encode(text), theirs(text));
  }
});

// --- other shapes of tokenizer.json ---

/** As transformers converts spiece.model today. */
const converted = {
  ...json,
  normalizer: {
    type: "Sequence",
    normalizers: [
      json.normalizer,
      { type: "Strip", strip_left: false, strip_right: true },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁" },
    ],
  },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
};
const sentinels = [2, 1, 0].map((n, i) => ({
  id: 1200 + i,
  content: `<extra_id_${n}>`,
  ...{ single_word: false, lstrip: true, rstrip: false, normalized: false, special: true },
}));

test("the shape that transformers writes today gives the same ids", () => {
  const tokenizer = loadTokenizer(converted);
  fc.assert(
    fc.property(texts.filter(cutsAlike), (text) => {
      // Both cut a space off before </s>, and the stretch between two such tokens may be nothing but space.
      assert.deepEqual(tokenizer.encode(text), fromJson.encode(text));
    }),
    { numRuns: 1000 },
  );
});

test("sentinels are found in a text, from tokenizer.json and beside spiece.model", () => {
  const tokenizer = loadTokenizer({ ...json, added_tokens: [...json.added_tokens, ...sentinels] });
  const theirs = oracle({ ...json, added_tokens: [...json.added_tokens, ...sentinels] });
  const beside = loadSentencePiece(spiece, 3);
  assert.equal(tokenizer.vocabSize, 1203);
  assert.equal(beside.vocabSize, 1203);
  assert.deepEqual(tokenizer.encode("drums <extra_id_0> bass"), [11, 1202, 12, 1]);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(words, fc.constantFrom("<extra_id_1>", "<extra_id_2>")), { maxLength: 20 }),
      (parts) => {
        const text = parts.join("");
        assert.deepEqual(tokenizer.encode(text), theirs(text));
        assert.deepEqual(beside.encode(text), theirs(text));
      },
    ),
  );
});

test("with bytes in the vocabulary, unknown text is spelled in UTF-8 and comes back", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => [
    `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    0,
  ]);
  const model = { ...json.model, vocab: [...json.model.vocab, ...bytes], byte_fallback: true };
  const tokenizer = loadTokenizer({ ...json, model });
  assert.deepEqual(tokenizer.encode("drums 🎵"), [11, 9, 1200 + 0xf0, 1200 + 0x9f, 1200 + 0x8e, 1200 + 0xb5, 1]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const tidy = normalize(text)
        .trim()
        .replace(/[\s\u0085]+/g, " ");
      fc.pre(!/[<▁]/.test(tidy) && !/^ | $/.test(tidy));
      assert.equal(tokenizer.decode(tokenizer.encode(text)), tidy);
    }),
  );
});

test("prepend_scheme: a space before every stretch, before the first, or before none", () => {
  const scheme = (prepend_scheme: string) =>
    loadTokenizer({ ...json, pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme } });
  const pieces = (tokenizer: ReturnType<typeof scheme>) => tokenizer.encode("drums</s>drums").map(tokenizer.piece);
  assert.deepEqual(pieces(scheme("always")), ["▁drums", "</s>", "▁drums", "</s>"]);
  const bare = pieces(scheme("never")).slice(0, -2);
  assert.ok(bare.every((piece) => !piece.includes("▁")));
  assert.deepEqual(pieces(scheme("first")), ["▁drums", "</s>", ...bare.slice(0, bare.indexOf("</s>")), "</s>"]);
});
