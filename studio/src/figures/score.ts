/**
 * @file The codes as a score: a row for each voice, a tile for each code, in the voice's colour and in a shade that says
 * which code it is. A pure drawing: what is drawn is what was composed.
 */

import { type Palette, shadeOf, voiceOf } from "./palette.js";

export interface Score {
  /** [K][T so far] */
  readonly codes: readonly (readonly number[])[];
  readonly codebooks: number;
  readonly bins: number;
  /** Columns that there will be. */
  readonly columns: number;
  /** The column that is heard, with its fraction; undefined: none is. */
  readonly heard: number | undefined;
  /** The column in the middle of the picture. */
  readonly middle: number;
}

/** Pixels from tile to tile: short pieces fill the width, long ones move through it. */
export const pitchFor = (width: number, columns: number): number => Math.max(13, Math.min(28, width / columns));

export function drawScore(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  score: Score,
  palette: Palette,
): void {
  ctx.clearRect(0, 0, width, height);
  const { codebooks, columns, codes, bins, heard } = score;
  const pitch = pitchFor(width, columns);
  const lane = height / codebooks;
  const first = score.middle - width / 2 / pitch;
  const from = Math.max(0, Math.floor(first));
  const to = Math.min(columns, Math.ceil(first + width / pitch));
  for (let k = 0; k < codebooks; k++) {
    const row = codes[k] ?? [];
    const shades = voiceOf(palette, k, codebooks);
    for (let t = from; t < to; t++) {
      const x = (t - first) * pitch;
      const code = row[t];
      // A voice that is heard now stands out: its tile is taller, and falls back over the next columns.
      const since = heard === undefined ? Number.POSITIVE_INFINITY : heard - t;
      const struck = since >= 0 && since < 6 ? 1 - since / 6 : 0;
      ctx.globalAlpha = since < 0 && code !== undefined ? 0.45 : 1; // what is still to be heard
      if (code === undefined) {
        ctx.fillStyle = palette.empty;
        dot(ctx, x + pitch / 2, (k + 0.5) * lane);
        continue;
      }
      const inset = (0.15 - 0.11 * struck) * lane;
      ctx.fillStyle = struck > 0.8 ? shades[0]! : shadeOf(shades, code, bins);
      tile(ctx, x + 1, k * lane + inset, pitch - 2, lane - 2 * inset);
    }
  }
  ctx.globalAlpha = 1;
  if (heard === undefined) return;
  ctx.fillStyle = palette.ink;
  ctx.fillRect(Math.round((heard - first) * pitch) - 0.75, 0, 1.5, height);
}

/** All columns in so much width, as stripes: the same colours, too small for tiles. */
export function drawStripes(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  { codes, codebooks, bins, columns }: Pick<Score, "codes" | "codebooks" | "bins" | "columns">,
  palette: Palette,
): void {
  ctx.clearRect(0, 0, width, height);
  const lane = height / codebooks;
  const gap = lane >= 6 ? 1 : 0;
  const stripes = Math.max(1, Math.min(columns, Math.floor(width / 2)));
  for (let k = 0; k < codebooks; k++) {
    const row = codes[k] ?? [];
    const shades = voiceOf(palette, k, codebooks);
    for (let i = 0; i < stripes; i++) {
      const code = row[Math.floor((i * columns) / stripes)]; // one of those that would lie on each other
      const [x, next] = [(i * width) / stripes, ((i + 1) * width) / stripes];
      ctx.fillStyle = code === undefined ? palette.empty : shadeOf(shades, code, bins);
      ctx.fillRect(x, k * lane, code === undefined ? (next - x) / 3 : next - x + 0.3, lane - gap);
    }
  }
}

// --- internal ---

function tile(ctx: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, Math.min(width / 2, height / 2, 4));
  ctx.fill();
}

function dot(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.arc(x, y, 3, 0, 2 * Math.PI);
  ctx.fill();
}
