/** @file What the model hears of a tune: at each moment the strengths of the twelve pitch classes, and the strongest. */

import type { Palette } from "./palette.js";

export const pitchClasses = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"] as const;

/** @param frames [T][12], each as a share of the moment's strongest */
export function drawChroma(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  frames: readonly Float32Array[],
  palette: Palette,
): void {
  ctx.clearRect(0, 0, width, height);
  const left = 26;
  const row = height / 12;
  const column = (width - left) / Math.max(frames.length, 24);
  ctx.font = "10px system-ui";
  ctx.textBaseline = "middle";
  const strongest = frames.map((frame) => frame.indexOf(Math.max(...frame))); // of equals the first, as in silence
  for (let bin = 0; bin < 12; bin++) {
    const y = height - (bin + 1) * row;
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.muted;
    if (!pitchClasses[bin]!.endsWith("♯")) ctx.fillText(pitchClasses[bin]!, 6, y + row / 2);
    for (const [t, frame] of frames.entries()) {
      ctx.globalAlpha = strongest[t] === bin ? 1 : 0.5 * frame[bin]! ** 2;
      ctx.fillStyle = strongest[t] === bin ? palette.shades[2]![0]! : palette.muted;
      ctx.fillRect(left + t * column, y + 0.5, Math.max(1, column - 1), row - 1);
    }
  }
  ctx.globalAlpha = 1;
}
