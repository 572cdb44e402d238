/** @file White noise by Marsaglia's xorshift (2003): many numbers for one drawn from philox. */

/** Numbers in [-1, 1). */
export function noise(seed: number): () => number {
  let state = seed | 0 || 0x9e3779b9; // zero would stay zero
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
