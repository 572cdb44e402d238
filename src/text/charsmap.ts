/**
 * @file SentencePiece's precompiled character map: which byte sequences of a text become which others (NFKC and more).
 * Both spiece.model (normalizer_spec) and tokenizer.json ("Precompiled") hold it, as a size, a Darts-clone double-array
 * trie of that size, and the replacements, each ended by NUL.
 */

import { HocketError } from "../errors.js";

/**
 * Reads a character map into the function that applies it: at each place the longest entry is replaced, and what no
 * entry begins with is kept. Half a surrogate pair counts as U+FFFD.
 *
 * Hugging Face's two libraries stray from this, which is SentencePiece's own rule. The Rust one looks up a grapheme of up
 * to 5 bytes by its *shortest* entry and drops the rest of it: "ａ\u0301" (full-width a, accent) becomes "a", not "á". The
 * JavaScript one has NFKC and a list of spaces instead of the map: "x\u200dy" becomes "x y", and here stays.
 * @param where what the map is part of, for messages
 * @throws HocketError "bad-file" where the map does not hold together, when read or when the faulty part is met
 */
export function readCharsmap(map: Uint8Array, where: string): (text: string) => string {
  if (map.length === 0) return (text) => decoder.decode(encoder.encode(text));
  const view = new DataView(map.buffer, map.byteOffset, map.byteLength);
  const trieBytes = map.length < 4 ? -1 : view.getUint32(0, true);
  if (trieBytes % 4 !== 0 || trieBytes > map.length - 4 || trieBytes < 4)
    throw damaged(where, `its trie does not fit its ${map.length} bytes`);
  const trie = new Uint32Array(trieBytes / 4);
  for (let i = 0; i < trie.length; i++) trie[i] = view.getUint32(4 + 4 * i, true);
  const strings = map.subarray(4 + trieBytes);

  const unitAt = (position: number): number => {
    const unit = trie[position];
    if (unit === undefined) throw damaged(where, `its trie points to entry ${position} of ${trie.length}`);
    return unit;
  };
  const replacements = new Map<number, string>();
  const replacementAt = (start: number): string => {
    const known = replacements.get(start);
    if (known !== undefined) return known;
    const end = strings.indexOf(0, start);
    if (end < 0) throw damaged(where, `replacement ${start} has no end`);
    const text = decoder.decode(strings.subarray(start, end));
    replacements.set(start, text);
    return text;
  };

  return (text) => {
    const bytes = encoder.encode(text);
    let result = "";
    let kept = 0; // where the bytes that are to be kept begin
    for (let at = 0; at < bytes.length; ) {
      // Down the trie: a unit holds its label, whether a value follows, and the offset of its children.
      let node = offsetOf(unitAt(0));
      let [length, value] = [0, 0];
      for (let i = at; i < bytes.length; i++) {
        const unit = unitAt(node ^ bytes[i]!);
        if ((unit & 0x800000ff) !== bytes[i]) break;
        node = node ^ bytes[i]! ^ offsetOf(unit);
        if ((unit & 0x100) === 0) continue;
        length = i + 1 - at;
        value = unitAt(node) & 0x7fffffff;
      }
      if (length === 0) {
        at += characterLength(bytes[at]!);
        continue;
      }
      result += decoder.decode(bytes.subarray(kept, at)) + replacementAt(value);
      kept = at += length;
    }
    return result + decoder.decode(bytes.subarray(kept));
  };
}

// --- internal ---

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const damaged = (where: string, what: string) =>
  new HocketError("bad-file", `${where}: the character map is damaged: ${what}. Fetch the file again.`);

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** The bytes of the UTF-8 character that begins with `lead`. */
const characterLength = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
