/** @file The numbers of a run as curves, each with what it is and what to expect of it. */

import type { RunNumbers, RunResource } from "../../../src/server/client.js";
import { type Curve, drawCurves, spelled } from "../figures/curve.js";
import { type Palette, palette, voiceOf } from "../figures/palette.js";
import { Canvas } from "../ui/canvas.js";
import { explained, names } from "./explain.js";
import { type Following, isOver } from "./state.js";

export function Numbers({ following, run }: { readonly following: Following; readonly run: RunResource }) {
  const version = following.more.value;
  const { lines } = following;
  if (lines.length === 0)
    return isOver(run) ? null : (
      <p class="empty waits">
        As soon as the first step is done, its numbers are drawn here. Before that, sound becomes codes, and the model
        is made ready to learn.
      </p>
    );
  return (
    <section class="numbers" aria-labelledby="numbers-title">
      <h2 id="numbers-title">Does it learn?</h2>
      {figures.map((figure) => {
        const shown = figure.of.filter((name) => lines.some((line) => hasNumber(line, name)));
        if (shown.length === 0) return null;
        return (
          <figure key={figure.of[0]} class={figure.large ? "large" : ""}>
            <div class="curve">
              <Canvas
                label={shown.map((name) => told(name, lines)).join("; ")}
                when={`${version} ${run.steps}`}
                draw={(ctx, width, height) => {
                  if (palette.value === undefined) return false;
                  const curves = shown.flatMap((name) => curvesOf(name, lines, palette.value!));
                  drawCurves(ctx, width, height, curves, run.steps, palette.value);
                  return false;
                }}
              />
            </div>
            <figcaption>
              <dl>
                {shown.map((name) => (
                  <Explanation key={name} name={name} lines={lines} />
                ))}
              </dl>
            </figcaption>
          </figure>
        );
      })}
    </section>
  );
}

// --- internal ---

/** What is drawn together. */
const figures: readonly { readonly of: readonly string[]; readonly large?: true }[] = [
  { of: ["loss", "valid.loss", "valid.untold", "valid.melody"], large: true },
  { of: ["ce"] },
  { of: ["norm"] },
  { of: ["rate"] },
];

function Explanation({ name, lines }: { readonly name: string; readonly lines: readonly RunNumbers[] }) {
  const { what, expect } = explained[name]!;
  const last = lines.findLast((line) => line[name] !== undefined)?.[name];
  return (
    <div class={`number ${name.replace(".", "-")}`}>
      <dt>
        <i aria-hidden="true" />
        {names[name]} <code>{name === "ce" ? "ce.K" : name}</code>
        {last !== undefined && <b>{spelled(last)}</b>}
      </dt>
      <dd>
        <span class="what">{what}</span>
        <span class="expect">{expect}</span>
      </dd>
    </div>
  );
}

const hasNumber = (line: RunNumbers, name: string): boolean =>
  name === "ce" ? line["ce.0"] !== undefined : line[name] !== undefined;

const pointsOf = (name: string, lines: readonly RunNumbers[]): Curve["points"] =>
  lines.flatMap((line) => (line[name] === undefined ? [] : [[line.step, line[name]] as const]));

function curvesOf(name: string, lines: readonly RunNumbers[], palette: Palette): Curve[] {
  if (name !== "ce") {
    const dots = name.startsWith("valid.");
    return [{ points: pointsOf(name, lines), colour: colourOf(name, palette), ...(dots && { dots }) }];
  }
  const count = Object.keys(lines.find((line) => hasNumber(line, name))!).filter((key) => /^ce\.\d+$/.test(key)).length;
  return Array.from({ length: count }, (_, k) => ({
    points: pointsOf(`ce.${k}`, lines),
    colour: voiceOf(palette, k, count)[0]!,
  }));
}

/** As train.css has it for the words beside. */
const colourOf = (name: string, { ink, muted, shades }: Palette): string =>
  ({
    loss: ink,
    "valid.loss": shades[0]![0]!,
    "valid.untold": shades[3]![0]!,
    "valid.melody": shades[2]![0]!,
  })[name] ?? muted;

/** For those who do not see the curve. */
function told(name: string, lines: readonly RunNumbers[]): string {
  const points = pointsOf(name === "ce" ? "ce.0" : name, lines);
  const [first, last] = [points[0]!, points.at(-1)!];
  const of = name === "ce" ? "first voice" : names[name]!.toLowerCase();
  return `${of}: ${spelled(first[1])} at step ${first[0]}, ${spelled(last[1])} at step ${last[0]}`;
}
