/**
 * @file How our own tokenizers see a text: compatibility forms made plain (NFKC), in small letters, cut at white space.
 * "SLOW", "Slow" and "slow" are one word, which halves what a small model has to learn.
 */

/** As the normaliser of the tokenizer.json that write-tokenizer.ts writes. A ▁ that someone types is a space, as for T5. */
export const normalizeT5 = (text: string): string => lowerCase(text.replaceAll("▁", " ").normalize("NFKC"));

/** Each character by itself, as Rust has it: JavaScript's own looks at the neighbours of a capital sigma. */
export const lowerCase = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is all that it asks for
  /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : Array.from(text, (c) => c.toLowerCase()).join("");

/** The words of a normalised text, each with ▁ before it. */
export const wordsOf = (text: string): string[] =>
  text
    .split(/\p{White_Space}+/u)
    .filter((word) => word !== "")
    .map((word) => `▁${word}`);
