/** @file Writes a unigram tokenizer the way Hugging Face's libraries and tokenizer-json.ts read it, by T5's conventions. */

import { normalizeT5 } from "./normalize.js";
import { type ScoredPiece, trainUnigram } from "./train-unigram.js";
import { writeCharsmap } from "./write-charsmap.js";

/** T5's first three ids, which stand for no text. */
export const specialTokens = ["<pad>", "</s>", "<unk>"] as const;

/**
 * The files of a tokenizer that is learnt from texts, each with how often it occurs.
 * @param vocabulary how many ids there are at most, the special ones among them
 * @throws HocketError "bad-request" for a vocabulary that is too small
 */
export const learnTokenizer = (
  texts: Iterable<readonly [text: string, count: number]>,
  vocabulary = 1200,
): Record<string, Uint8Array<ArrayBuffer>> => tokenizerFiles(trainUnigram(texts, vocabulary - specialTokens.length));

/**
 * The files of a tokenizer by name: tokenizer.json, tokenizer_config.json and special_tokens_map.json. The ids are 0 `<pad>`,
 * 1 `</s>` (ends every text), 2 `<unk>`, then `pieces` in their order.
 */
export function tokenizerFiles(pieces: readonly ScoredPiece[]): Record<string, Uint8Array<ArrayBuffer>> {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const special = { pad_token: "<pad>", eos_token: "</s>", unk_token: "<unk>" };
  const text = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  const end = { SpecialToken: { id: "</s>", type_id: 0 } };
  const metaspace = { type: "Metaspace", replacement: "▁", add_prefix_space: true };
  const files = {
    "tokenizer.json": {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map((content, id) => ({ id, content, ...flags })),
      normalizer: {
        type: "Sequence",
        // But for ▁ the map says nothing that the other two do not. It is there because transformers 5 builds T5's normaliser from it alone.
        normalizers: [
          { type: "Precompiled", precompiled_charsmap: base64(writeCharsmap(plainLetters())) },
          { type: "NFKC" },
          { type: "Lowercase" },
        ],
      },
      pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
      post_processor: {
        type: "TemplateProcessing",
        single: [text("A"), end],
        pair: [text("A"), end, text("B"), end],
        special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
      },
      decoder: metaspace,
      model: {
        type: "Unigram",
        unk_id: 2,
        vocab: [...specialTokens.map((token) => [token, 0] as const), ...pieces],
        byte_fallback: false,
      },
    },
    "tokenizer_config.json": {
      tokenizer_class: "T5Tokenizer",
      ...special,
      extra_ids: 0,
      additional_special_tokens: [],
      model_max_length: 512,
      clean_up_tokenization_spaces: true,
      added_tokens_decoder: Object.fromEntries(specialTokens.map((content, id) => [id, { content, ...flags }])),
    },
    "special_tokens_map.json": special,
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, json]) => [name, new TextEncoder().encode(`${JSON.stringify(json)}\n`)]),
  );
}

// --- internal ---

/** Latin capitals, full-width forms and ▁, each with what it becomes. */
function plainLetters(): Map<string, string> {
  const map = new Map<string, string>();
  for (const [first, last] of [
    [0x21, 0x24f],
    [0x2581, 0x2581],
    [0xff01, 0xff5e],
  ] as const)
    for (let code = first; code <= last; code++) {
      const letter = String.fromCharCode(code);
      if (normalizeT5(letter) !== letter) map.set(letter, normalizeT5(letter));
    }
  return map;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
