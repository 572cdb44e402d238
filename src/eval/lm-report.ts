/** @file An evaluation of a language model as tables of Markdown. */

import type { Distances } from "./ceilings.js";
import { counted, type LmReport } from "./lm-run.js";
import type { Repeats } from "./repeats.js";
import { percent, table } from "./report.js";

export function lmText(report: LmReport): string {
  const { model, data, prompts, seconds, mean } = report;
  return [
    `What ${model} makes of ${prompts} prompts, ${seconds} s each; judged by ${data}.`,
    "Scaled: 0 is chance (the pieces against other prompts), 100 % the ceiling (true renders of these prompts, through the",
    "codec). In brackets the middle 95 % by drawing prompts anew. New words: of the half that training never saw.",
    "",
    controlTable(report),
    "",
    `Mean of ${counted.join(", ")}: ${percent(mean.scaled)} [${mean.interval.map(percent).join(" to ")}]`,
    "",
    "One word changed, the same seed: how often what is measured moves the way asked (chance 50 %).",
    "",
    swapTable(report),
    "",
    "Against held-out renders and training clips:",
    "",
    wholeTable(report),
    ...details(report),
  ].join("\n");
}

// --- internal ---

const controlTable = ({ control }: LmReport): string =>
  table(
    ["asked for", "pieces", "heard", "chance", "ceiling", "scaled", "interval", "new words"],
    Object.entries(control).map(([name, row]) => [
      name,
      `${row.count}`,
      ...[row.accuracy, row.chance, row.ceiling, row.scaled].map(percent),
      row.interval.map(percent).join(" to "),
      percent(row.heldOut),
    ]),
  );

function swapTable({ swaps }: LmReport): string {
  const rows = Object.entries(swaps);
  const all = rows.reduce((sum, [, row]) => ({ moved: sum.moved + row.moved, pairs: sum.pairs + row.pairs }), {
    moved: 0,
    pairs: 0,
  });
  const row = ([name, { moved, pairs }]: (typeof rows)[number]) => [name, `${pairs}`, percent(moved / pairs)];
  return table(["changed", "pairs", "moved"], [...rows.map(row), row(["all", all])]);
}

function wholeTable({ distance, recall, repeats }: LmReport): string {
  const number = (value: number) => value.toFixed(2);
  const distances = (["diagonal", "full"] as const).map((kind) => {
    const of = (each: Distances) => number(each[kind]);
    return [`Fréchet distance, ${kind}`, of(distance.made), of(distance.codec), of(distance.floor)];
  });
  const ranks = (["first", "firstFive"] as const).map((rank) => [
    `own prompt ${rank === "first" ? "first" : "in the first 5"} of 32`,
    percent(recall.made[rank]),
    "",
    percent(recall.renders[rank]),
  ]);
  const repeated =
    repeats === undefined
      ? []
      : (
          [
            ["3 s exactly in a training clip, first codebook", ({ exact }: Repeats) => permille(exact)],
            ["3 s exactly in a training clip, all codebooks", ({ exactAll }: Repeats) => permille(exactAll)],
            ["codes to change to the nearest, median", ({ nearest }: Repeats) => percent(median(nearest))],
          ] as const
        ).map(([name, of]) => [name, of(repeats.made), "", of(repeats.renders)]);
  return table(["", "pieces", "renders, coded", "renders"], [...distances, ...ranks, ...repeated]);
}

function details({ surprise, following, repeats }: LmReport): string[] {
  const numbers = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(" ");
  return [
    "",
    surprise === undefined
      ? "Cross-entropy: not measured, since the data set has no validation clips as codes of this codec."
      : `Cross-entropy of held-out codes, a codebook at a time: ${numbers(surprise.told)}; told nothing: ${numbers(surprise.untold)}`,
    ...(repeats === undefined
      ? ["Repeats: not looked for, since the data set has no codes of this codec ('hocket data tokenize')."]
      : []),
    ...(following === undefined
      ? []
      : [
          `Tunes: ${percent(following.told)} of moments have the tune's pitch class; without it ${percent(following.untold)}, against another tune ${percent(following.another)}, the recording through the codec ${percent(following.ceiling)} (${following.pieces} pieces).`,
        ]),
  ];
}

const permille = (share: number): string => `${(100 * share).toFixed(2)} %`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
