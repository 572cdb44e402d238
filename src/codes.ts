/** @file What the codec and the language model exchange: a grid of code indices, in one of two arrangements. */

declare const arrangement: unique symbol;
type Grid<Name extends string> = readonly Int32Array[] & { readonly [arrangement]: Name };

/** [K][T]: column t is the sound of frame t. What the codec reads and writes. */
export type Codes = Grid<"aligned">;

/** [K][S]: column s is what the language model sees at step s. Decoding it would be noise, so it is another type. */
export type DelayedCodes = Grid<"delayed">;

/** States that `rows` ([K][T]) are aligned. The only way to make `Codes`. */
export const codes = (rows: readonly Int32Array[]): Codes => rows as unknown as Codes;

/** States that `rows` ([K][S]) are delayed. The only way to make `DelayedCodes`. */
export const delayedCodes = (rows: readonly Int32Array[]): DelayedCodes => rows as unknown as DelayedCodes;

/** T, the number of frames. */
export const frameCount = (grid: Codes): number => grid[0]?.length ?? 0;

/** Frames `start` to `end` (exclusive) of every codebook. */
export const sliceFrames = (grid: Codes, start: number, end?: number): Codes =>
  codes(grid.map((row) => row.slice(start, end)));

/** The frames of `first`, then those of `second`. */
export const joinFrames = (first: Codes, second: Codes): Codes =>
  codes(
    first.map((row, k) => {
      const joined = new Int32Array(row.length + second[k]!.length);
      joined.set(row);
      joined.set(second[k]!, row.length);
      return joined;
    }),
  );
