/** @file Checksums of the family that FLAC and Ogg use: most significant bit first, starting from 0, nothing inverted. */

/** x^8 + x^2 + x + 1: over the header of a FLAC frame. */
export const crc8 = makeCrc(0x07, 8);
/** x^16 + x^15 + x^2 + 1: over a whole FLAC frame. */
export const crc16 = makeCrc(0x8005, 16);
/** The 32-bit one of Ethernet, but not inverted: over an Ogg page. */
export const crc32 = makeCrc(0x04c11db7, 32);

// --- internal ---

/** Of any width, kept in the highest bits of a word. */
function makeCrc(polynomial: number, width: 8 | 16 | 32): (bytes: Uint8Array) => number {
  const high = polynomial << (32 - width);
  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte << 24;
    for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? high : 0);
    return value;
  });
  return (bytes) => {
    let value = 0;
    for (const byte of bytes) value = (value << 8) ^ table[(value >>> 24) ^ byte]!;
    return value >>> (32 - width);
  };
}
