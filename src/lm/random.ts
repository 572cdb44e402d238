/**
 * @file Random numbers that depend on where they are used, not on how many were drawn before: Philox4x32-10 (Salmon,
 * Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011). Whole numbers only, so that a seed gives
 * the same piece on every machine.
 */

/**
 * The number in [0, 1), of 53 random bits, with which a codebook draws its code at a step.
 * @param seed a whole number from 0 to 2^53 - 1
 * @param attempt which of several draws with one seed
 */
export function uniform(seed: number, step: number, codebook: number, attempt = 0): number {
  const [high, low] = philox([step, codebook, attempt, 0], [seed, seed / 2 ** 32]);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

type Words = readonly [number, number, number, number];

/** Four random 32-bit words for a counter and a key; of each number given, the low 32 bits count. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter;
  let [k, l] = key;
  for (let round = 0; round < 10; round++) {
    const [ahigh, chigh] = [highWord(0xd2511f53, a), highWord(0xcd9e8d57, c)];
    const [alow, clow] = [Math.imul(0xd2511f53, a), Math.imul(0xcd9e8d57, c)];
    [a, b, c, d] = [chigh ^ b ^ k, clow, ahigh ^ d ^ l, alow];
    k = (k + 0x9e3779b9) | 0;
    l = (l + 0xbb67ae85) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

// --- internal ---

/** The upper 32 bits of the 64-bit product of two unsigned words, from products of their halves. */
function highWord(x: number, y: number): number {
  const [xh, xl, yh, yl] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff];
  const low = Math.imul(xl, yl);
  const middle = (Math.imul(xh, yl) >>> 0) + (low >>> 16); // at most 2^32 - 2^16: fits a word
  const other = (Math.imul(xl, yh) >>> 0) + (middle & 0xffff);
  return (Math.imul(xh, yh) + (middle >>> 16) + (other >>> 16)) | 0;
}
