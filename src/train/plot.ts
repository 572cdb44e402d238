/** @file A run's diary as pictures: one SVG a number, its mean over some steps drawn over every step. */

import { makeFolder, writeFileAtomically } from "#platform";
import type { LogLine } from "./log.js";

/** Writes `plots/NAME.svg` for each number of the log. */
export async function writePlots(run: string, lines: readonly LogLine[]): Promise<void> {
  await makeFolder(`${run}/plots`);
  const names = new Set(lines.flatMap((line) => Object.keys(line)));
  names.delete("step");
  for (const name of names) {
    const points = lines.flatMap((line) => (line[name] === undefined ? [] : [[line.step, line[name]] as const]));
    await writeFileAtomically(`${run}/plots/${name}.svg`, new TextEncoder().encode(plot(name, points)));
  }
}

/** A curve as SVG: [step, value], steps rising. */
export function plot(name: string, points: readonly (readonly [step: number, value: number])[]): string {
  const means = thinned(points, columns);
  const values = means.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [low, high] = most > least ? [least, most] : [least - 1, most + 1];
  const last = Math.max(1, points.at(-1)?.[0] ?? 1);
  const x = (step: number) => left + ((width - left - right) * step) / last;
  const y = (value: number) => top + ((height - top - bottom) * (high - value)) / (high - low);
  const path = means.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const text = (tx: number, ty: number, words: string, anchor: string) =>
    `<text x="${tx}" y="${ty}" text-anchor="${anchor}">${words}</text>`;
  const levels = [low, (low + high) / 2, high].map(
    (value) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>${text(left - 6, y(value) + 4, short(value), "end")}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${text(left, 16, name, "start")}
${levels.join("\n")}
<polyline fill="none" stroke="#2563eb" stroke-width="1.5" points="${path}"/>
${text(left, height - 6, "0", "middle")}
${text(width - right, height - 6, `${last} steps`, "end")}
</svg>
`;
}

// --- internal ---

const [width, height, left, right, top, bottom] = [720, 300, 70, 20, 28, 26];
/** As many points as can be told apart. */
const columns = 240;

/** At most `count` points: means of neighbours. */
function thinned(points: readonly (readonly [number, number])[], count: number): (readonly [number, number])[] {
  const each = Math.max(1, Math.ceil(points.length / count));
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const group = points.slice(i * each, (i + 1) * each);
    const mean = (part: 0 | 1) => group.reduce((sum, point) => sum + point[part], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
