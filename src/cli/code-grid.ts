/** @file A picture of codes: codebooks as rows, frames as columns, a colour a code. */

import { encode } from "fast-png";
import { type Codes, frameCount } from "../codes.js";

/** Pixels of a frame and of a codebook: a second of music is about as wide as high. */
const [frameWidth, rowHeight] = [3, 24];

/** @param grids [chunk] of [K][T], drawn one after the other */
export function codeGridPng(grids: readonly Codes[], bins: number): Uint8Array {
  const codebooks = grids[0]!.length;
  const frames = grids.reduce((sum, grid) => sum + frameCount(grid), 0);
  const [width, height] = [frames * frameWidth, codebooks * rowHeight - 1];
  const data = new Uint8Array(width * height * 3);
  let column = 0;
  for (const grid of grids)
    for (let t = 0; t < frameCount(grid); t++, column++)
      for (let k = 0; k < codebooks; k++) {
        const colour = colourOf(grid[k]![t]!, bins);
        // A dark line between the rows.
        for (let y = k * rowHeight; y < Math.min(height, (k + 1) * rowHeight - 1); y++)
          for (let x = column * frameWidth; x < (column + 1) * frameWidth; x++) data.set(colour, (y * width + x) * 3);
      }
  return encode({ width, height, data, channels: 3, depth: 8 });
}

// --- internal ---

/**
 * Neighbouring codes have nothing in common, so colours only have to differ: the hue goes round by the golden angle, and
 * lightness follows the code, so that equal codes look equal and different ones rarely do.
 */
function colourOf(code: number, bins: number): [number, number, number] {
  const hue = (code * 137.508) % 360;
  const lightness = 0.35 + 0.4 * (code / bins);
  const chroma = 0.75 * Math.min(lightness, 1 - lightness);
  // HSL to RGB, by the formula of CSS Color 4.
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
