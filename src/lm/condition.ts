/**
 * @file What a piece shall be like, as the language model takes it in: which streams are run for which items, what the
 * text means to each layer (cross-attention models), or what stands before the codes (melody models).
 */

import { HocketError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";

export interface Condition {
  /** Hidden states of the text encoder, [1, L, text width]; undefined: no text. */
  readonly text?: Tensor<"float32"> | undefined;
  /** The strongest pitch class of each chroma frame; undefined: no melody. Melody models only. */
  readonly melody?: Int32Array | undefined;
}

/** One stream the model runs: an item with its condition, or with none (what guidance pushes away from). */
export interface Row {
  readonly item: number;
  readonly condition: Condition;
}

export interface Plan {
  /** Rows with text come first. */
  readonly rows: readonly Row[];
  /** Of each item, the row that its codes are drawn from, and the one that guidance compares it with. */
  readonly items: readonly { readonly conditional: number; readonly unconditional: number | undefined }[];
}

/** An item without any condition needs one stream, and so does every item without guidance. */
export function planRows(conditions: readonly Condition[], guided: boolean): Plan {
  const isConditional = (c: Condition) => c.text !== undefined || c.melody !== undefined;
  const all = conditions.map((condition, item) => ({ item, condition }));
  const conditional = all.filter((row) => isConditional(row.condition));
  const none = all
    .filter((row) => guided || !isConditional(row.condition))
    .map(({ item }) => ({ item, condition: {} }));
  const withText = conditional.filter((row) => row.condition.text !== undefined);
  const withoutText = conditional.filter((row) => row.condition.text === undefined);
  const rows = [...withText, ...withoutText, ...none];
  return {
    rows,
    items: all.map(({ item, condition }) => {
      const bare = rows.findIndex((row) => row.item === item && !isConditional(row.condition));
      if (!isConditional(condition)) return { conditional: bare, unconditional: undefined };
      const full = rows.findIndex((row) => row.item === item && isConditional(row.condition));
      return { conditional: full, unconditional: bare < 0 ? undefined : bare };
    }),
  };
}

/** Text states of several rows, padded to the longest: states [Q, L, width], keep [Q, L, 1], mask [Q, 1, 1, L]. */
export function padTexts(texts: readonly Tensor<"float32">[], width: number) {
  const rows = texts.length;
  const longest = Math.max(1, ...texts.map((text) => text.shape[1]!));
  const states = new Float32Array(rows * longest * width);
  const keep = new Float32Array(rows * longest);
  const mask = new Float32Array(rows * longest).fill(-3e4); // a number of float16, too
  for (const [q, text] of texts.entries()) {
    const length = text.shape[1]!;
    states.set(text.data, q * longest * width);
    keep.fill(1, q * longest, q * longest + length);
    mask.fill(0, q * longest, q * longest + length);
  }
  return {
    states: tensor("float32", [rows, longest, width], states),
    keep: tensor("float32", [rows, longest, 1], keep),
    mask: tensor("float32", [rows, 1, 1, longest], mask),
  };
}

/**
 * Melodies of `length` frames as one-hot rows [rows, length, bins]. No melody is one-hot on bin 0, which is what the
 * reference's null melody turns into (spec §4.6).
 */
export function oneHot(melodies: readonly (Int32Array | undefined)[], length: number, bins: number): Tensor<"float32"> {
  const data = new Float32Array(melodies.length * length * bins);
  for (const [row, melody] of melodies.entries())
    for (let t = 0; t < length; t++) {
      const bin = melody === undefined ? 0 : melody[t]!;
      if (!(bin >= 0 && bin < bins))
        throw new HocketError("internal", `a melody of ${bins} pitch classes has no class ${bin}`);
      data[(row * length + t) * bins + bin] = 1;
    }
  return tensor("float32", [melodies.length, length, bins], data);
}

/**
 * Puts prefixes of different lengths side by side: each ends where the codes begin, so the shorter are padded in front.
 * @param prefixes [F, width] flat, one a row
 */
export function alignPrefixes(prefixes: readonly Float32Array[], width: number) {
  const lengths = prefixes.map((prefix) => prefix.length / width);
  const longest = Math.max(...lengths);
  const data = new Float32Array(prefixes.length * longest * width);
  const starts = lengths.map((length) => longest - length);
  for (const [row, prefix] of prefixes.entries()) data.set(prefix, (row * longest + starts[row]!) * width);
  return { prefix: tensor("float32", [prefixes.length, longest, width], data), starts };
}
