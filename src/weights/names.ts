/**
 * @file The only place that knows how published checkpoints spell their tensors. Model descriptions use one spelling,
 * that of the 2023 Hugging Face conversions; this finds the same tensor under the others.
 */

/** A tensor in a checkpoint, and what of it is meant. */
export interface Spelling {
  readonly stored: string;
  /**
   * A plain `weight` stands for both halves of a weight norm, weight = g v / |v|: its own `norm` is g, and it is
   * itself a `direction` v. Without `as`, the tensor is meant as it is.
   */
  readonly as?: "norm" | "direction";
}

/** How the checkpoint that has the names `has` spells `declared`, or undefined if it has no such tensor. */
export function findSpelling(declared: string, has: (name: string) => boolean): Spelling | undefined {
  if (has(declared)) return { stored: declared };
  for (const [ending, replacement, as] of spellings) {
    if (!ending.test(declared)) continue;
    const stored = declared.replace(ending, replacement);
    if (has(stored)) return { stored, ...(as && { as }) };
  }
  return undefined;
}

/** Whether a tensor that nothing uses may stay unused: buffers, copies, and the half of T5 that MusicGen leaves out. */
export const isLeftover = (name: string): boolean => leftovers.some((pattern) => pattern.test(name));

/** What precedes the names of a part: "audio_encoder." in a whole MusicGen, "" in a checkpoint of the codec alone. */
export function prefixOf(part: "text_encoder" | "audio_encoder" | "decoder", names: Iterable<string>): string {
  const prefix = `${part}.`;
  // A codec alone has a `decoder.layers`, T5 alone a `decoder.block`; only MusicGen's decoder is that of a language model.
  const marks = part === "decoder" ? [`${prefix}model.`, `${prefix}lm_heads.`] : [prefix];
  for (const name of names) if (marks.some((mark) => name.startsWith(mark))) return prefix;
  return "";
}

// --- internal ---

const spellings: readonly (readonly [ending: RegExp, replacement: string, as?: "norm" | "direction"])[] = [
  // torch.nn.utils.parametrizations.weight_norm, since torch 2.0
  [/\.weight_g$/, ".parametrizations.weight.original0"],
  [/\.weight_v$/, ".parametrizations.weight.original1"],
  // weight norm removed before saving
  [/\.weight_g$/, ".weight", "norm"],
  [/\.weight_v$/, ".weight", "direction"],
  // T5's one embedding, under its two names
  [/(^|\.)shared\.weight$/, "$1encoder.embed_tokens.weight"],
  [/(^|\.)encoder\.embed_tokens\.weight$/, "$1shared.weight"],
];

const leftovers: readonly RegExp[] = [
  /(^|\.)embed_positions\.weights$/, // sinusoids, computed
  /^(audio_encoder\.)?quantizer\.layers\.\d+\.codebook\.(inited|cluster_size|embed_avg)$/, // used in training only
  /^(text_encoder\.)?(shared|encoder\.embed_tokens)\.weight$/, // the embedding's other name
  /^(text_encoder\.)?(decoder\.(block\.|final_layer_norm\.|embed_tokens\.weight$)|lm_head\.)/, // T5's other half
];
