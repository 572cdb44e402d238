/**
 * @file Codes that are misread on purpose. Given all codes before it, a model can tell tempo, instruments and key from those,
 * and learns little from words; where many of them are wrong, words help, and so they do when it errs by itself.
 */

import { type Codes, codes } from "../codes.js";
import { philox } from "../lm/random.js";

/**
 * The codes as they are read; what should follow stays as it is.
 * @param share how many items are misread: each of these has 10 to 80 % of its codes replaced, by any other
 * @param index the batch's number: the same seed and number, the same codes
 */
export function misread(
  items: readonly Codes[],
  { share, bins, seed }: { readonly share: number; readonly bins: number; readonly seed: number },
  index: number,
): readonly Codes[] {
  if (share === 0) return items;
  return items.map((grid, i) => {
    const drawn = (place: number) => philox([index, i, place, 3], [seed, seed / 2 ** 32]);
    const [chosen, often] = drawn(0);
    if (chosen / 2 ** 32 >= share) return grid;
    const wrong = 0.1 + 0.7 * (often / 2 ** 32);
    return codes(
      grid.map((row, k) =>
        row.map((code, t) => {
          const [errs, other] = drawn(1 + k * row.length + t);
          return errs / 2 ** 32 < wrong ? Math.floor((other / 2 ** 32) * bins) : code;
        }),
      ),
    );
  });
}
