/** @file Bytes that are read and joined: what every file format here needs, and no more. */

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Text to bytes, as UTF-8. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** UTF-8 to text; what is no UTF-8 becomes U+FFFD. */
export const fromUtf8 = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** `length` bytes from `start` as one character each, for signatures; shorter at the end of `bytes`. */
export const signature = (bytes: Uint8Array, start: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(start, start + length));

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** `value` in `size` bytes, least significant first. */
export const littleEndian = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * i)));

/** `value` in `size` bytes, most significant first. */
export const bigEndian = (value: number, size: number): Uint8Array => littleEndian(value, size).reverse();
