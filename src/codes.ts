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

/** The frames of the first grid, then those of the next, and so on. */
export const joinFrames = (grids: readonly Codes[]): Codes =>
  codes(
    grids[0]!.map((_, k) => {
      const joined = new Int32Array(grids.reduce((sum, grid) => sum + grid[k]!.length, 0));
      let at = 0;
      for (const grid of grids) {
        joined.set(grid[k]!, at);
        at += grid[k]!.length;
      }
      return joined;
    }),
  );
