import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import fc from "fast-check";
import { readGoldenJson, repositoryFile } from "../../test/golden.js";
import { HocketError } from "../errors.js";
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

// --- what is refused ---

test("what T5 has no use for is refused by name", () => {
  const refused: [object, RegExp][] = [
    [{ normalizer: { type: "BertNormalizer" } }, /normalizer: "BertNormalizer"/],
    [{ normalizer: { type: "Sequence", normalizers: [{ type: "NFD" }] } }, /normalizer\.normalizers\[0\]: "NFD"/],
    [{ normalizer: { type: "Replace", pattern: { Regex: "a+" }, content: "" } }, /"a\+"/],
    [{ pre_tokenizer: { type: "ByteLevel" } }, /pre_tokenizer: "ByteLevel"/],
    [{ pre_tokenizer: { type: "toString" } }, /pre_tokenizer: "toString"/],
    [{ post_processor: { type: "ByteLevel" } }, /post_processor: "ByteLevel"/],
    [{ model: { type: "BPE", vocab: {}, merges: [] } }, /model: "BPE"/],
    [{ added_tokens: [{ ...sentinels[0], normalized: true }] }, /"normalized" of <extra_id_2>/],
  ];
  for (const [change, message] of refused)
    assert.throws(
      () => loadTokenizer({ ...json, ...change }),
      (error) => error instanceof HocketError && error.code === "unsupported" && message.test(error.message),
    );
  // Fields of ModelProto: 2 trainer_spec { 3 model_type }, 1 pieces { 1 piece, 3 type }.
  assert.throws(() => loadSentencePiece(Uint8Array.of(0x12, 2, 0x18, 2)), /model type 2/);
  assert.throws(
    () => loadSentencePiece(Uint8Array.of(0x0a, 5, 0x0a, 1, 0x61, 0x18, 4)),
    /piece 0, "a", which is user-defined/,
  );
});

test("damage is named", () => {
  const vocab = json.model.vocab.slice();
  vocab[7] = ["▁a", "x"];
  const damaged: [unknown, RegExp][] = [
    [null, /tokenizer.json: the file/],
    [{ ...json, model: { ...json.model, vocab } }, /model\.vocab\.7\.1/],
    [{ ...json, model: { ...json.model, unk_id: 1200 } }, /model\.unk_id/],
    [{ ...json, normalizer: { type: "Precompiled", precompiled_charsmap: "é" } }, /base64/],
    [{ ...json, normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }, /character map/],
    [{ ...json, added_tokens: [sentinels[2]] }, /added_tokens/],
    [{ ...json, post_processor: { ...json.post_processor, special_tokens: {} } }, /post_processor/],
  ];
  for (const [value, message] of damaged)
    assert.throws(
      () => loadTokenizer(value),
      (error) => error instanceof HocketError && error.code === "bad-file" && message.test(error.message),
    );
  assert.throws(() => loadSentencePiece(spiece.subarray(0, 100)), /ends early/);
  assert.throws(() => loadSentencePiece(new Uint8Array(0)), /no pieces/);
});

/** Nothing but our own errors, whether at once or when a text meets the damage. */
function survives(load: () => ReturnType<typeof loadTokenizer>) {
  try {
    const tokenizer = load();
    tokenizer.decode(tokenizer.encode("drums ﬁ\u0301 🎵 ａ</s>x"));
  } catch (error) {
    if (!(error instanceof HocketError)) throw error;
    assert.doesNotMatch(error.message, /\n/);
  }
}

test("damaged files end in an error of ours or in a tokenizer", () => {
  const edit = fc.tuple(fc.nat(spiece.length - 1), fc.nat(255));
  const pieces = [...json.model.vocab.slice(0, 40)];
  const small = { ...converted, model: { ...json.model, vocab: pieces } };
  // The first bytes hold pieces, the last ones the trainer's and the normaliser's settings.
  const near = fc.tuple(
    fc.oneof(fc.nat(600), fc.integer({ min: spiece.length - 600, max: spiece.length - 1 }), fc.nat(spiece.length - 1)),
    fc.nat(255),
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(edit, near), { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(spiece.length)),
      (edits, cut) => {
        const bytes = spiece.slice(0, cut ?? undefined);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        survives(() => loadSentencePiece(bytes, 2));
      },
    ),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(() => loadSentencePiece(bytes))),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(6)), fc.jsonValue(), (turns, value) => {
      survives(() => loadTokenizer(replaced(small, value, turns)));
    }),
    { numRuns: 1000 },
  );
});

/** `tree` with `value` somewhere inside: `turns` says where. */
function replaced(tree: unknown, value: unknown, turns: Iterator<number>): unknown {
  if (typeof tree !== "object" || tree === null) return value;
  const keys = Object.keys(tree);
  const turn = turns.next().value as number;
  if (turn === 0 || keys.length === 0) return value;
  const key = keys[(turn * 7 + (turns.next().value as number)) % keys.length]!;
  const copy: Record<string, unknown> = Array.isArray(tree) ? (Object.assign([], tree) as never) : { ...tree };
  copy[key] = replaced((tree as Record<string, unknown>)[key], value, turns);
  return copy;
}
