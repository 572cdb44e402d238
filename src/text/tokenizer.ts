/** @file A text as the ids that T5 reads, and back. Where the vocabulary comes from: tokenizer-json.ts, spiece.ts. */

import { HocketError } from "../errors.js";
import { type Lattice, lattice, segment, type Unigram } from "./unigram.js";

export interface Tokenizer {
  /** Ids are below it. */
  readonly vocabSize: number;
  /** [L] ids, ended by `</s>`. Nothing is cut off. */
  encode(text: string): number[];
  /** The text that ids stand for, without `</s>` and its like. What was unknown is gone. */
  decode(ids: ArrayLike<number>): string;
  /** The text of an id, with ▁ for a space. */
  piece(id: number): string;
  /** How `encode` cuts `text`: one lattice for each run that is cut on its own, spaces written ▁. */
  lattices(text: string): Lattice[];
}

/** A token that is recognised in a text as it is written, before anything else happens to the text. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Takes the white space before it along. */
  readonly lstrip: boolean;
  /** Takes the white space after it along. */
  readonly rstrip: boolean;
}

/** What a tokenizer is made of. */
export interface Parts {
  /** The text of each id. */
  readonly pieces: readonly string[];
  readonly unigram: Unigram;
  readonly added: readonly AddedToken[];
  /** Ids that stand for no text. */
  readonly special: ReadonlySet<number>;
  /** Ids before and after those of the text. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Normalises a stretch of text between added tokens and cuts it into runs to segment. `first`: it begins the text. */
  readonly runs: (text: string, first: boolean) => string[];
  /** [256] ids that spell unknown text in UTF-8, if the vocabulary has them. */
  readonly bytes?: readonly number[];
}

export function createTokenizer({ pieces, unigram, added, special, before, after, runs, bytes }: Parts): Tokenizer {
  const split = splitter(added);
  const encodeRun = (run: string): number[] =>
    segment(unigram, run).flatMap(({ id, start, end }) =>
      id === unigram.unknown && bytes !== undefined
        ? Array.from(encoder.encode(run.slice(start, end)), (byte) => bytes[byte]!)
        : [id],
    );
  const byteOf = new Map(bytes?.map((id, byte) => [id, byte]));
  const piece = (id: number): string => {
    const text = pieces[id];
    if (text === undefined) throw new HocketError("bad-request", `${id} is not a token: there are ${pieces.length}`);
    return text;
  };
  return {
    vocabSize: pieces.length,
    piece,
    encode: (text) => [
      ...before,
      ...split(text).flatMap((part) =>
        typeof part === "number" ? [part] : runs(part.text, part.first).flatMap(encodeRun),
      ),
      ...after,
    ],
    lattices: (text) =>
      split(text).flatMap((part) =>
        typeof part === "number" ? [] : runs(part.text, part.first).map((run) => lattice(unigram, run)),
      ),
    decode(ids) {
      const written: number[] = [];
      for (const id of Array.from(ids)) {
        const byte = byteOf.get(id);
        if (byte !== undefined) written.push(byte);
        else if (!special.has(id)) written.push(...encoder.encode(piece(id)));
      }
      return decoder.decode(Uint8Array.from(written)).replaceAll("▁", " ").replace(/^ /, "");
    },
  };
}

// --- internal ---

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Part = number | { text: string; first: boolean };

/** Cuts a text at added tokens; at each place the longest counts. */
function splitter(added: readonly AddedToken[]): (text: string) => Part[] {
  const byContent = new Map(added.map((token) => [token.content, token]));
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "g");
  return (text) => {
    const parts: Part[] = [];
    let at = 0;
    const push = (end: number) => {
      if (end > at) parts.push({ text: text.slice(at, end), first: at === 0 });
    };
    for (const { 0: content, index } of contents.length > 0 ? text.matchAll(pattern) : []) {
      const { id, lstrip, rstrip } = byContent.get(content)!;
      push(lstrip ? at + text.slice(at, index).trimEnd().length : index);
      parts.push(id);
      at = index + content.length;
      if (rstrip) at = text.length - text.slice(at).trimStart().length;
    }
    push(text.length);
    return parts;
  };
}
