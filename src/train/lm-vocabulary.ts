/** @file The words of a data set as a tokenizer's: that of the run or the model that goes on, or one learnt from captions. */

import type { Entry } from "../data/manifest.js";
import { HocketError } from "../errors.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { loadTokenizer } from "../text/tokenizer-json.js";
import { trainUnigram } from "../text/train-unigram.js";
import { tokenizerFiles } from "../text/write-tokenizer.js";
import { captionsOf, wordsOf } from "./lm-text.js";

export interface Vocabulary {
  readonly tokenizer: Tokenizer;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * A tokenizer of at most `size` tokens for what the entries are called by.
 * @throws HocketError "bad-request" where nothing is known of any of them
 */
export function learnVocabulary(entries: readonly Entry[], size: number): Vocabulary {
  const counts = new Map<string, number>();
  for (const text of entries.flatMap(wordsOf)) counts.set(text, (counts.get(text) ?? 0) + 1);
  if (counts.size === 0) throw withoutWords(entries.length);
  const files = tokenizerFiles(trainUnigram(counts, size - specials));
  return { tokenizer: loadTokenizer(JSON.parse(new TextDecoder().decode(files["tokenizer.json"]))), files };
}

/**
 * Tokens that a batch has room for: those of the longest caption, within limits, in eights.
 * @returns also the share of captions that are longer, and are cut
 */
export function roomFor(
  entries: readonly Entry[],
  tokenizer: Tokenizer,
  most = mostTokens,
): { tokens: number; cut: number } {
  const lengths = entries.flatMap(captionsOf).map((caption) => tokenizer.encode(caption).length);
  const longest = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  const tokens = Math.min(most, 8 * Math.max(1, Math.ceil(longest / 8)));
  return { tokens, cut: lengths.filter((length) => length > tokens).length / Math.max(1, lengths.length) };
}

/** What can be said of them. @throws HocketError "bad-request" where there is nothing */
export function checkWords(entries: readonly Entry[]): { readonly wordless: number } {
  const wordless = entries.filter((entry) => wordsOf(entry).length === 0).length;
  if (wordless === entries.length) throw withoutWords(wordless);
  return { wordless };
}

/** What a vocabulary is known by in a run's settings. */
export async function fingerprint({ files }: Vocabulary): Promise<string> {
  const bytes = files["tokenizer.json"] ?? files["spiece.model"]!;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- internal ---

/** `<pad>`, `</s>`, `<unk>` */
const specials = 3;
/** Every token costs as much as a frame of music. */
const mostTokens = 64;

const withoutWords = (count: number): HocketError =>
  new HocketError(
    "bad-request",
    `none of ${count} recordings has a caption or tags, so there are no words to learn: write descriptions in .txt or .json files beside them, and scan them again`,
  );
