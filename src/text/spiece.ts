/**
 * @file Reads spiece.model, SentencePiece's own format: a protocol buffer `ModelProto` with the pieces, how the model
 * was trained and how it normalises text (sentencepiece_model.proto).
 */

import { HocketError } from "../errors.js";
import { readCharsmap } from "./charsmap.js";
import { createTokenizer, type Tokenizer } from "./tokenizer.js";
import { bytePieces } from "./tokenizer-json.js";
import { createUnigram } from "./unigram.js";

/**
 * The tokenizer of a spiece.model, ending texts with `</s>` as T5's does.
 * @param sentinels how many `<extra_id_n>`, n falling to 0, follow the pieces: `extra_ids` of tokenizer_config.json, which
 * is 100 where it says nothing. SentencePiece does not know them; Hugging Face's T5 adds them.
 * @throws HocketError "bad-file" for a damaged file, "unsupported" for a model that is not unigram
 */
export function loadSentencePiece(bytes: Uint8Array, sentinels = 0): Tokenizer {
  const model = [...fields(bytes, "the file")];
  const trainer = group(model, 2, "trainer_spec");
  const normalizer = group(model, 3, "normalizer_spec");
  const modelType = whole(trainer, 3, 1);
  if (modelType !== 1) throw unsupported(`model type ${modelType} (only unigram, 1, is)`);

  const pieces: string[] = [];
  const found: (readonly [string, number] | null)[] = [];
  const special = new Set<number>();
  for (const { number, value } of model) {
    if (number !== 1) continue;
    const id = pieces.length;
    const where = `piece ${id}`;
    const piece = [...fields(blob(value, where), where)];
    const text = utf8(blob(last(piece, 1), where), where);
    const score = last(piece, 2) ?? 0;
    const type = whole(piece, 3, 1);
    if (text === "") throw damaged(`${where} is empty`);
    if (typeof score !== "number") throw damaged(`${where} has no score`);
    if (type === 4) throw unsupported(`${where}, "${text}", which is user-defined,`);
    if (type === 2 || type === 3) special.add(id);
    found.push(type === 1 ? [text, score] : null); // the others are never found in a text: unknown, control, unused, byte
    pieces.push(text);
  }
  if (pieces.length === 0) throw damaged("it has no pieces");
  const unknown = whole(trainer, 40, 0);
  const end = whole(trainer, 42, 2);
  if (!special.has(unknown)) throw damaged(`its piece for unknown text, ${unknown}, is not one`);
  if (!special.has(end)) throw damaged(`its piece for the end of a text, ${end}, is not one`);
  for (let n = sentinels - 1; n >= 0; n--) {
    special.add(pieces.length);
    pieces.push(`<extra_id_${n}>`);
  }

  const byteIds = whole(trainer, 35, 0) !== 0 ? bytePieces(pieces) : undefined;
  return createTokenizer({
    pieces,
    unigram: createUnigram(found, unknown),
    added: [...special].map((id) => ({ id, content: pieces[id]!, lstrip: false, rstrip: false })),
    special,
    before: [],
    after: [end],
    runs: normalization(normalizer),
    ...(byteIds && { bytes: byteIds }),
  });
}

// --- internal ---

function normalization(spec: Field[]): (text: string) => string[] {
  const map = readCharsmap(blob(last(spec, 2) ?? new Uint8Array(0), "normalizer_spec"), "spiece.model");
  const prefix = whole(spec, 3, 1) !== 0 ? " " : "";
  const tidy = whole(spec, 4, 1) !== 0;
  const space = whole(spec, 5, 1) !== 0 ? "▁" : " ";
  return (text) => {
    let normalized = map(text);
    if (tidy) normalized = normalized.replace(/ +/g, " ").replace(/^ /, "");
    normalized = (prefix + normalized).replaceAll(" ", space);
    let end = normalized.length;
    if (tidy) while (end > 0 && normalized[end - 1] === space) end--;
    return end > 0 ? [normalized.slice(0, end)] : [];
  };
}

/** A field of a protocol buffer: a whole number, a 32-bit float, or bytes (a string, a group of fields). */
interface Field {
  number: number;
  value: number | Uint8Array;
}

/** The fields of a message in order; 64-bit ones, which SentencePiece has none of, are passed over. */
function* fields(bytes: Uint8Array, where: string): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number): number => {
    const start = at;
    at += length;
    if (length < 0 || at > bytes.length) throw damaged(`${where} ends early`);
    return start;
  };
  /** The low 32 bits, signed: negative numbers are written in 64. */
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[take(1)]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw damaged(`${where} holds a number without end`);
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = tag >>> 3;
    const wire = tag & 7;
    if (wire === 0) yield { number, value: varint() };
    else if (wire === 1) take(8);
    else if (wire === 2) {
      const length = varint();
      yield { number, value: bytes.subarray(take(length), at) };
    } else if (wire === 5) yield { number, value: view.getFloat32(take(4), true) };
    else throw damaged(`${where} holds a field of wire type ${wire}`);
  }
}

const last = (all: readonly Field[], number: number): Field["value"] | undefined =>
  all.findLast((field) => field.number === number)?.value;

const group = (all: readonly Field[], number: number, name: string): Field[] => [
  ...fields(blob(last(all, number) ?? new Uint8Array(0), name), name),
];

function whole(all: readonly Field[], number: number, otherwise: number): number {
  const value = last(all, number) ?? otherwise;
  if (!Number.isInteger(value)) throw damaged(`field ${number} is not a whole number`);
  return value as number;
}

function blob(value: Field["value"] | undefined, where: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw damaged(`${where} is not what it should be`);
  return value;
}

function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HocketError("bad-file", `spiece.model: ${where} is not text. Fetch the file again.`, { cause });
  }
}

const damaged = (what: string) => new HocketError("bad-file", `spiece.model: ${what}. Fetch the file again.`);

const unsupported = (what: string) => new HocketError("unsupported", `spiece.model: ${what} is not implemented`);
