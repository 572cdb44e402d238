import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { repositoryFile } from "../../test/golden.js";
import { HocketError } from "../errors.js";
import { loadSentencePiece } from "./spiece.js";
import type { Tokenizer } from "./tokenizer.js";
import { loadTokenizer } from "./tokenizer-json.js";

const model = (file: string) => readFileSync(repositoryFile(`models/mini-reference/${file}`));
const json = JSON.parse(model("tokenizer.json").toString());
const spiece = new Uint8Array(model("spiece.model"));
const sentinel = { id: 1202, content: "<extra_id_0>", special: true };

test("what T5 has no use for is refused by name", () => {
  const refused: [object, RegExp][] = [
    [{ normalizer: { type: "BertNormalizer" } }, /normalizer: "BertNormalizer"/],
    [{ normalizer: { type: "Sequence", normalizers: [{ type: "NFD" }] } }, /normalizer\.normalizers\[0\]: "NFD"/],
    [{ normalizer: { type: "Replace", pattern: { Regex: "a+" }, content: "" } }, /"a\+"/],
    [{ pre_tokenizer: { type: "ByteLevel" } }, /pre_tokenizer: "ByteLevel"/],
    [{ pre_tokenizer: { type: "toString" } }, /pre_tokenizer: "toString"/],
    [{ post_processor: { type: "ByteLevel" } }, /post_processor: "ByteLevel"/],
    [{ model: { type: "BPE", vocab: {}, merges: [] } }, /model: "BPE"/],
    [{ added_tokens: [{ ...sentinel, normalized: true }] }, /"normalized" of <extra_id_0>/],
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
    [{ ...json, added_tokens: [sentinel] }, /added_tokens/],
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
function survives(load: () => Tokenizer) {
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
  const small = {
    ...json,
    model: { ...json.model, vocab: pieces },
    normalizer: {
      type: "Sequence",
      normalizers: [
        json.normalizer,
        { type: "Strip", strip_left: false, strip_right: true },
        { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁" },
      ],
    },
  };
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
