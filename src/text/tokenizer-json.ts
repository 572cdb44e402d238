/** @file Reads tokenizer.json, the format of Hugging Face's tokenizers library, as far as T5's tokenizers use it. */

import { z } from "#zod";
import { HocketError } from "../errors.js";
import { readCharsmap } from "./charsmap.js";
import { lowerCase } from "./normalize.js";
import { type AddedToken, createTokenizer, type Tokenizer } from "./tokenizer.js";
import { createUnigram } from "./unigram.js";

/**
 * The tokenizer that a parsed tokenizer.json describes. It follows SentencePiece where Hugging Face's libraries stray
 * from it: characters are mapped as charsmap.ts says, and special tokens are found as they are written only ("＜pad＞",
 * full-width, becomes letters; theirs find `<pad>` after mapping it). Cutting off and padding are the caller's business:
 * the file's "truncation" and "padding" are not followed, as MusicGen does not.
 * @throws HocketError "bad-file" where the file is not what it says it is, "unsupported" for a part that T5 has no use for
 */
export function loadTokenizer(tokenizerJson: unknown): Tokenizer {
  const file = read(tokenizerSchema, tokenizerJson, "");
  if (file.model.type !== "Unigram") throw unsupported("model", `"${file.model.type}"`);
  const schema = arePieces(file.model.vocab) ? goodPieces : unigramSchema;
  const { vocab, unk_id, byte_fallback } = read(schema, file.model, "model");
  if (unk_id >= vocab.length) throw broken("model.unk_id", `is ${unk_id}, of ${vocab.length} pieces`);

  const pieces = vocab.map(([text]) => text);
  for (const { id, content, single_word, normalized } of file.added_tokens) {
    if (single_word) throw unsupported("added_tokens", `"single_word" of ${content}`);
    if (normalized) throw unsupported("added_tokens", `"normalized" of ${content}`);
    if (id > pieces.length) throw broken("added_tokens", `go on with ${id} where ${pieces.length} comes next`);
    if (id < vocab.length && pieces[id] !== content)
      throw broken("added_tokens", `say that ${id} is ${content}; in model.vocab it is ${pieces[id]}`);
    pieces[id] = content;
  }
  const special = new Set(file.added_tokens.filter((token) => token.special).map(({ id }) => id));
  const template = file.post_processor === null ? { before: [], after: [] } : readTemplate(file.post_processor);
  for (const id of [...template.before, ...template.after])
    if (id >= pieces.length) throw broken("post_processor", `adds token ${id}, of ${pieces.length}`);

  const normalize = readNormalizer(file.normalizer, "normalizer");
  const split = readPreTokenizer(file.pre_tokenizer, "pre_tokenizer");
  const bytes = byte_fallback ? bytePieces(pieces) : undefined;
  return createTokenizer({
    pieces,
    unigram: createUnigram(
      vocab.map((entry, id) => (special.has(id) || id === unk_id ? null : entry)),
      unk_id,
    ),
    added: file.added_tokens satisfies AddedToken[],
    special,
    ...template,
    runs: (text, first) => split([{ text: normalize(text), first }]).map((run) => run.text),
    ...(bytes && { bytes }),
  });
}

/** [256] the ids of `<0x00>` to `<0xFF>`, if there are all of them. */
export function bytePieces(pieces: readonly string[]): number[] | undefined {
  const idOf = new Map(pieces.map((text, id) => [text, id]));
  const ids = Array.from({ length: 256 }, (_, byte) =>
    idOf.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  return ids.every((id) => id !== undefined) ? (ids as number[]) : undefined;
}

// --- internal ---

type Normalize = (text: string) => string;
interface Run {
  text: string;
  /** It begins the text. */
  first: boolean;
}
type Split = (runs: Run[]) => Run[];

const partSchema = z.looseObject({ type: z.string() });
type Part = z.infer<typeof partSchema>;

const tokenizerSchema = z.object({
  added_tokens: z
    .array(
      z.object({
        id: z.int().nonnegative(),
        content: z.string().min(1),
        single_word: z.boolean().default(false),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
        normalized: z.boolean().default(false),
        special: z.boolean().default(false),
      }),
    )
    .default([])
    .transform((tokens) => tokens.sort((a, b) => a.id - b.id)),
  normalizer: partSchema.nullish().transform((part) => part ?? null),
  pre_tokenizer: partSchema.nullish().transform((part) => part ?? null),
  post_processor: partSchema.nullish().transform((part) => part ?? null),
  model: z.looseObject({ type: z.string().default("Unigram") }),
});

const unigramSchema = z.object({
  unk_id: z.int().nonnegative(),
  vocab: z.array(z.tuple([z.string().min(1), z.number()])).min(1),
  byte_fallback: z.boolean().default(false),
});

/** Where the pieces are as they should be. T5 has 32,000: that takes 0.04 s of processor time less. */
const goodPieces = unigramSchema.extend({ vocab: z.custom<z.infer<typeof unigramSchema>["vocab"]>() });

const arePieces = (vocab: unknown): boolean => Array.isArray(vocab) && vocab.length > 0 && vocab.every(isPiece);
const isPiece = (piece: unknown): boolean =>
  Array.isArray(piece) &&
  piece.length === 2 &&
  typeof piece[0] === "string" &&
  piece[0] !== "" &&
  typeof piece[1] === "number" &&
  Number.isFinite(piece[1]);

// One row per part that is known; what it cannot do is refused when the file is read.

const normalizers: Record<string, (part: Part, where: string) => Normalize> = {
  Sequence: (part, where) => {
    const { normalizers } = read(z.object({ normalizers: z.array(partSchema) }), part, where);
    const steps = normalizers.map((step, i) => readNormalizer(step, `${where}.normalizers[${i}]`));
    return (text) => steps.reduce((normalized, step) => step(normalized), text);
  },
  Precompiled: (part, where) => {
    const { precompiled_charsmap } = read(z.object({ precompiled_charsmap: z.string().nullable() }), part, where);
    return readCharsmap(fromBase64(precompiled_charsmap ?? "", where), `tokenizer.json: ${where}`);
  },
  NFKC: () => (text) => text.normalize("NFKC"),
  Lowercase: () => lowerCase,
  Strip: (part, where) => {
    const { strip_left, strip_right } = read(
      z.object({ strip_left: z.boolean(), strip_right: z.boolean() }),
      part,
      where,
    );
    return (text) => (strip_right ? trimEnd(strip_left ? trimStart(text) : text) : strip_left ? trimStart(text) : text);
  },
  Replace: (part, where) => {
    const pattern = z.union([z.object({ String: z.string().min(1) }), z.object({ Regex: z.string() })]);
    const { pattern: wanted, content } = read(z.object({ pattern, content: z.string() }), part, where);
    if ("String" in wanted) return (text) => text.replaceAll(wanted.String, () => content);
    // The one expression that converted SentencePiece models hold; others are written for another engine.
    if (wanted.Regex !== " {2,}") throw unsupported(where, `the expression "${wanted.Regex}"`);
    return (text) => text.replace(/ {2,}/g, () => content);
  },
};

const preTokenizers: Record<string, (part: Part, where: string) => Split> = {
  Sequence: (part, where) => {
    const { pretokenizers } = read(z.object({ pretokenizers: z.array(partSchema) }), part, where);
    const steps = pretokenizers.map((step, i) => readPreTokenizer(step, `${where}.pretokenizers[${i}]`));
    return (runs) => steps.reduce((split, step) => step(split), runs);
  },
  WhitespaceSplit: () => (runs) => runs.flatMap(({ text, first }) => subruns(text.split(/\p{White_Space}/u), first)),
  Metaspace: (part, where) => {
    const schema = z.object({
      replacement: z.string().length(1),
      add_prefix_space: z.boolean().default(true),
      prepend_scheme: z.enum(["always", "first", "never"]).optional(),
      split: z.boolean().default(true),
    });
    const { replacement, add_prefix_space, prepend_scheme, split } = read(schema, part, where);
    const scheme = prepend_scheme ?? (add_prefix_space ? "always" : "never");
    const inner = new RegExp(`(?=${replacement.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&")})`, "u");
    return (runs) =>
      runs.flatMap(({ text, first }) => {
        if (text === "") return [];
        let spaced = text.replaceAll(" ", replacement);
        const prepends = scheme === "always" || (scheme === "first" && first);
        if (prepends && !spaced.startsWith(replacement)) spaced = replacement + spaced;
        return subruns(split ? spaced.split(inner) : [spaced], first);
      });
  },
};

/** An empty run at the front still means that no other begins the text. */
const subruns = (texts: string[], first: boolean): Run[] =>
  texts.map((text, i) => ({ text, first: first && i === 0 })).filter(({ text }) => text.length > 0);

const readNormalizer = (part: Part | null, where: string): Normalize =>
  part === null ? (text) => text : row(normalizers, part, where)(part, where);

const readPreTokenizer = (part: Part | null, where: string): Split =>
  part === null ? (runs) => runs : row(preTokenizers, part, where)(part, where);

function readTemplate(part: Part): { before: number[]; after: number[] } {
  if (part.type !== "TemplateProcessing") throw unsupported("post_processor", `"${part.type}"`);
  const item = z.union([
    z.object({ Sequence: z.object({ id: z.literal("A") }) }),
    z.object({ SpecialToken: z.object({ id: z.string() }) }),
  ]);
  const ids = z.object({ ids: z.array(z.int().nonnegative()) });
  const schema = z.object({ single: z.array(item), special_tokens: z.record(z.string(), ids) });
  const { single, special_tokens } = read(schema, part, "post_processor");
  const text = single.findIndex((entry) => "Sequence" in entry);
  const idsOf = (entries: typeof single) =>
    entries.flatMap((entry) => {
      const id = "SpecialToken" in entry ? entry.SpecialToken.id : "A";
      const token = special_tokens[id];
      if (token === undefined)
        throw broken("post_processor.single", `names "${id}", which is not one of its special_tokens`);
      return token.ids;
    });
  if (text < 0) throw broken("post_processor.single", "has no place for the text");
  return { before: idsOf(single.slice(0, text)), after: idsOf(single.slice(text + 1)) };
}

function row<T>(table: Record<string, T>, { type }: Part, where: string): T {
  if (!Object.hasOwn(table, type)) throw unsupported(where, `"${type}"`);
  return table[type]!;
}

function read<S extends z.ZodType>(schema: S, value: unknown, where: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw broken([...(where ? [where] : []), ...path].join(".") || "the file", `is not as it should be: ${message}`);
}

function fromBase64(text: string, where: string): Uint8Array {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch (cause) {
    throw new HocketError(
      "bad-file",
      `tokenizer.json: ${where}.precompiled_charsmap is not base64. Fetch the file again.`,
      { cause },
    );
  }
}

// By Unicode's White_Space, as Rust has it: JavaScript's trim knows U+FEFF besides, and not U+0085.
const space = /\p{White_Space}/u;
function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && space.test(text[start]!)) start++;
  return text.slice(start);
}
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && space.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

const broken = (part: string, what: string) =>
  new HocketError("bad-file", `tokenizer.json: ${part} ${what}. Fetch the file again.`);

const unsupported = (part: string, what: string) =>
  new HocketError(
    "unsupported",
    `tokenizer.json: ${part}: ${what} is not implemented; only what T5's tokenizers use is`,
  );
