/** @file Curves of a run: numbers over steps. A curve is the mean of what lies under each pixel, over the faint single values. */

import type { Palette } from "./palette.js";

export interface Curve {
  /** [step, value], steps rising. */
  readonly points: readonly (readonly [step: number, value: number])[];
  readonly colour: string;
  /** Few values, each of which counts: drawn as dots that are joined. */
  readonly dots?: boolean;
}

/** @param steps that the whole width stands for */
export function drawCurves(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  curves: readonly Curve[],
  steps: number,
  palette: Palette,
): void {
  ctx.clearRect(0, 0, width, height);
  ctx.font = `12px ${getComputedStyle(ctx.canvas).fontFamily}`;
  const { low, high, ticks } = scale(curves);
  const [left, right, top, bottom] = [44, 8, 8, 22];
  const x = (step: number) => left + ((width - left - right) * step) / Math.max(1, steps);
  const y = (value: number) => top + ((height - top - bottom) * (high - value)) / (high - low);
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const tick of ticks) {
    ctx.fillStyle = palette.empty;
    ctx.fillRect(left, Math.round(y(tick)), width - left - right, 1);
    ctx.fillStyle = palette.muted;
    ctx.fillText(spelled(tick), left - 8, y(tick));
  }
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  ctx.fillText("0", left, height - 5);
  ctx.textAlign = "right";
  ctx.fillText(`${steps} steps`, width - right, height - 5);
  for (const { points, colour, dots = false } of curves) {
    const seen = dots ? points : means(points, Math.max(1, Math.floor((width - left - right) / 3)), steps);
    if (seen.length < points.length) line(points, withAlpha(colour, 0.25), 1);
    line(seen, colour, 2);
    ctx.fillStyle = colour;
    for (const [step, value] of dots || seen.length === 1 ? seen : seen.slice(-1)) {
      ctx.beginPath();
      ctx.arc(x(step), y(value), dots ? 3.5 : 3, 0, 2 * Math.PI);
      ctx.fill();
    }
  }

  function line(points: Curve["points"], colour: string, thick: number): void {
    ctx.beginPath();
    for (const [i, [step, value]] of points.entries()) ctx[i === 0 ? "moveTo" : "lineTo"](x(step), y(value));
    ctx.strokeStyle = colour;
    ctx.lineWidth = thick;
    ctx.lineJoin = "round";
    ctx.stroke();
  }
}

/** 6.93, 0.001, 1.2e-5 */
export function spelled(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? `${Number(value.toPrecision(3))}` : value.toExponential(0);
}

// --- internal ---

/** At most `count` points: means of those that lie under the same pixels. */
function means(points: Curve["points"], count: number, steps: number): Curve["points"] {
  if (points.length <= count) return points;
  const groups = new Map<number, { sum: number; steps: number; n: number }>();
  for (const [step, value] of points) {
    const column = Math.floor((step * count) / Math.max(1, steps));
    const group = groups.get(column) ?? { sum: 0, steps: 0, n: 0 };
    groups.set(column, { sum: group.sum + value, steps: group.steps + step, n: group.n + 1 });
  }
  return [...groups.values()].map(({ sum, steps, n }) => [steps / n, sum / n] as const);
}

/** Round values between which all points lie. */
function scale(curves: readonly Curve[]): { low: number; high: number; ticks: number[] } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { points } of curves)
    for (const [, value] of points) [least, most] = [Math.min(least, value), Math.max(most, value)];
  if (!Number.isFinite(least)) [least, most] = [0, 1];
  if (most - least < 1e-9 * Math.max(1, Math.abs(most)))
    [least, most] = [least - Math.abs(least) / 2 - 1e-6, most + Math.abs(most) / 2 + 1e-6];
  const rough = (most - least) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)!;
  const low = Math.floor(least / step) * step;
  const ticks = [low];
  while (ticks.at(-1)! < most - 1e-9 * step) ticks.push(Number((low + ticks.length * step).toPrecision(12)));
  return { low, high: ticks.at(-1)!, ticks };
}

/** A colour of the palette, or of the page's style, thinner. */
const withAlpha = (colour: string, alpha: number): string =>
  `color-mix(in srgb, ${colour} ${Math.round(100 * alpha)}%, transparent)`;
