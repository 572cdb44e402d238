/** @file What was measured, as tables of Markdown: for people at a terminal, and for eval.md. */

import type { Anchor } from "./anchors.js";
import type { DataReport, HeardSet } from "./ceilings.js";
import type { CodecScore } from "./codec-run.js";

export interface CodecReport {
  readonly kind: "codec";
  readonly model: string;
  readonly sets: readonly CodecScore[];
  readonly anchors: readonly Anchor[];
}

export function dataText({ data, taught, clips, majority, sets }: DataReport): string {
  const [renders] = sets as [HeardSet];
  const rows = Object.keys(renders.ceilings).map((name) => [
    name,
    `${renders.ceilings[name]!.count}`,
    percent(renders.ceilings[name]!.chance),
    majority[name] === undefined ? "" : percent(majority[name]),
    ...sets.map(({ ceilings }) => percent(ceilings[name]!.accuracy)),
  ]);
  const retrieval = (["first", "firstFive"] as const).map((rank, i) => [
    `own caption ${i === 0 ? "first" : "in the first 5"} of 32`,
    `${clips}`,
    percent(i === 0 ? 1 / 32 : 5 / 32),
    "",
    ...sets.map((set) => percent(set.recall[rank])),
  ]);
  const distance = (["diagonal", "full"] as const).map((kind) => [
    `Fréchet distance, ${kind}`,
    `${clips}`,
    "",
    "",
    ...sets.map((set) => set.distance[kind].toFixed(2)),
  ]);
  const names = sets.map(({ name }) => name);
  return [
    `How well the judges hear ${clips} test clips of ${data}; ${taught} training clips taught them.`,
    "Chance: the share of clips that agree with what is true of others. Majority: of those with the commonest answer.",
    "The first Fréchet distance is between halves of the renders: the floor. The others are to the renders.",
    "",
    table(["what", "clips", "chance", "majority", ...names], [...rows, ...retrieval, ...distance]),
    ...["style", "lead"].flatMap((question) => ["", answersTable(question, sets)]),
  ].join("\n");
}

export function codecText({ model, sets, anchors }: CodecReport): string {
  const number = (value: number) => value.toFixed(2);
  const rows = sets.map(({ set, clips, mean, codebooks }) => [
    set,
    `${clips.length}`,
    mean.siSnr.toFixed(1),
    number(mean.mel),
    number(mean.lsd),
    codebooks.map(({ usage }) => percent(usage)).join(" "),
    codebooks.map(({ perplexity }) => percent(perplexity)).join(" "),
  ]);
  const rulers = anchors.map(({ name, kept, published }) => [
    published ? `${name} (published)` : name,
    "",
    kept.siSnr.toFixed(1),
    number(kept.mel),
    number(kept.lsd),
    "",
    "",
  ]);
  return [
    `What ${model} keeps of sounds that it never learnt from, and known codecs on the last set.`,
    "SI-SNR in dB, higher is better; mel and log-spectral distance (LSD), lower is better; of each codebook the share of",
    "entries in use, and perplexity as a share of its entries.",
    "",
    table(["set", "clips", "SI-SNR", "mel", "LSD", "in use", "perplexity"], [...rows, ...rulers]),
  ].join("\n");
}

/** A table of Markdown; every column but the first is to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

export const percent = (share: number): string => (Number.isNaN(share) ? "-" : `${(100 * share).toFixed(0)} %`);

// --- internal ---

/** Which answers are heard, and which are not. */
function answersTable(question: string, sets: readonly HeardSet[]): string {
  const [renders] = sets as [HeardSet];
  const rows = Object.entries(renders.answers[question] ?? {}).map(([answer, [, clips]]) => [
    answer,
    `${clips}`,
    ...sets.map(({ answers }) => {
      const [heard, count] = answers[question]?.[answer] ?? [0, 0];
      return percent(heard / count);
    }),
  ]);
  return table([question, "clips", ...sets.map(({ name }) => name)], rows.sort());
}
