/**
 * @file What does it cost the music to compute with fewer bits? Each variant of a model reads what the model itself composed
 * in float32, and its next codes' odds are held against the model's own.
 *   node dist/bench/quality.js [MODEL_FOLDER...]   prints the tables of docs/benchmarks.md
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { miniReference } from "../src/bench/mini-reference.js";
import { type Row, row } from "../src/bench/row.js";
import { type Codes, frameCount, joinFrames } from "../src/codes.js";
import type { Binder } from "../src/graph/compile.js";
import { compose } from "../src/lm/compose.js";
import type { Condition } from "../src/lm/condition.js";
import { patternFor, specialToken } from "../src/lm/config.js";
import { guide } from "../src/lm/guidance.js";
import { LanguageModel, logitsAt } from "../src/lm/lm.js";
import { build } from "../src/lm/patterns.js";
import { loadModel, type MusicModel } from "../src/model.js";
import { createRuntime, openFolder } from "../src/platform/node.js";
import { codings, fullQuality } from "../src/precision.js";
import { bindWeights } from "../src/weights/bind.js";
import type { Coding } from "../src/weights/quantise.js";
import { quantised } from "../src/weights/quantised.js";

const prompts = [
  "bright bells, house drums, bass line, mid-tempo, 110 bpm, D major, many notes",
  "dark organ, fast, 130 bpm, four-on-the-floor beat, in A minor",
  "fast happy chiptune with square lead and four on the floor drums in C major, 140 bpm",
  "fast sad square wave lead, rock drums, E minor, 160 BPM",
  "joyful synth strings, four on the floor drums, 120 bpm, F major",
  "slow piano with a bass line, no drums, G major, 80 bpm",
  "calm guitar, sparse drums, 90 bpm, A minor",
  "warm lo-fi piano with soft drums",
];
/** How much is composed: frames of each of so many prompts. */
const usual = { frames: 200, count: prompts.length };

export interface Variant {
  readonly id: string;
  readonly coding: (name: string) => Coding | undefined;
  readonly exact?: boolean;
  /** Whether it steps in half precision; the processor sums in float32 all the same. */
  readonly half?: boolean;
}

/** Means over all codes. */
export interface Quality {
  /** Nats: KL divergence of the variant's odds of the next code from the model's own. */
  readonly kl: number;
  readonly guidedKl: number;
  /** The share of codes of which the likeliest is the same. */
  readonly agreement: number;
  readonly guidedAgreement: number;
  /** [K] nats: cross-entropy of what was composed. */
  readonly entropy: readonly number[];
}

const plain = (bits: 4 | 8, size: number): Coding => ({ bits, size, search: false });
const searched = (size: number): Coding => ({ bits: 4, size, search: true });
const shipped = (id: "int8" | "int4") => (name: string) => codings[id]({ name, shape: [] });
/** int4 as it ships, but for the matrices that `inEight` finds by their names. */
const except = (inEight: RegExp) => (name: string) => (inEight.test(name) ? plain(8, 32) : searched(32));

export const fp16: Variant = { id: "fp16", coding: () => undefined, half: true };

const variants: readonly Variant[] = [
  fp16,
  { id: "int8", coding: shipped("int8") },
  { id: "int8, inputs as they are", coding: shipped("int8"), exact: true },
  { id: "int8, 64 a block", coding: () => plain(8, 64) },
  { id: "int8, 128 a block", coding: () => plain(8, 128) },
  { id: "int4", coding: shipped("int4") },
  { id: "int4, inputs as they are", coding: shipped("int4"), exact: true },
  { id: "int4, heads too", coding: () => searched(32) },
  { id: "int4, heads too, plain rounding", coding: () => plain(4, 32) },
  { id: "int4, heads too, 16 a block", coding: () => searched(16) },
  { id: "int4, heads too, 64 a block", coding: () => searched(64) },
  { id: "int4, heads too, 128 a block", coding: () => searched(128) },
  { id: "int4, but attention in 8 bits", coding: except(/_attn/) },
  { id: "int4, but fc1 in 8 bits", coding: except(/fc1/) },
  { id: "int4, but fc2 in 8 bits", coding: except(/fc2/) },
];

/** What the precisions cost that one may ask for. */
export async function qualityRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const note = "KL divergence of the guided odds of the next code, against what auto may cost";
  for await (const { id, quality } of qualities(
    miniReference,
    variants.filter(({ id }) => /^int\d$/.test(id)),
  ))
    if (id !== "fp32") rows.push(row(`quality-${id}`, quality.guidedKl, "nat", fullQuality, note));
  return rows;
}

/** The variants of the model in `folder`, each with what it costs. */
export async function* qualities(
  folder: string,
  wanted: readonly Variant[] = variants,
  { frames, count } = usual,
): AsyncGenerator<{ id: string; quality: Quality }> {
  const runtime = createRuntime();
  const kept = await mkdtemp(join(tmpdir(), "hocket-quality-"));
  try {
    const model = await loadModel(await openFolder(folder), folder, runtime, { threads: 1 });
    const conditions: Condition[] = [];
    for (const prompt of prompts.slice(0, count))
      conditions.push({ text: await model.text.encode(prompt), melody: undefined });
    const grids = await composed(model, conditions, frames);
    const own = await oddsOf(model.lm, conditions, grids);
    yield { id: "fp32", quality: compared(model, grids, own, own) };
    for (const { id, coding, exact, half = false } of wanted) {
      const bind: Binder = (declared) => bindWeights(declared, model.checkpoint);
      const bound = quantised(bind, { coding: ({ name }) => coding(name), exact: exact === true, folder: kept });
      const lm = new LanguageModel(model.lm.config, model.lm.around, runtime, bound, { threads: 1 }, half);
      yield { id, quality: compared(model, grids, own, await oddsOf(lm, conditions, grids)) };
      await lm.dispose();
    }
    await model.dispose();
  } finally {
    await runtime.dispose();
    await rm(kept, { recursive: true, force: true });
  }
}

// --- internal ---

/** What the model composes, by its own defaults. */
async function composed(model: MusicModel, conditions: readonly Condition[], frames: number): Promise<Codes[]> {
  const { defaults, lm } = model;
  const guidance = defaults.guidance ?? 3;
  const sampling = { temperature: 1, topK: Math.min(250, lm.config.vocab_size), topP: 0 };
  const items = conditions.map((condition, seed) => ({ condition, seed }));
  const pieces: Codes[][] = items.map(() => []);
  for await (const { codes } of compose(lm, items, { frames, guidance, sampling }))
    for (const [i, more] of codes.entries()) pieces[i]!.push(more);
  return pieces.map(joinFrames);
}

/** For every step the logits [rows, K, bins] of the next column, where the columns before it are what was composed. */
async function oddsOf(lm: LanguageModel, conditions: readonly Condition[], grids: readonly Codes[]) {
  const pattern = patternFor(lm.config, frameCount(grids[0]!));
  const columns = grids.map((grid) => build(pattern, grid, specialToken(lm.config)));
  const decoding = await lm.open(conditions, true, columns[0]![0]!.length);
  const logits: Float32Array[] = [];
  for (let step = 0; step + 1 < columns[0]![0]!.length; step++) {
    const read = columns.map((grid) => Int32Array.from(grid, (row) => row[step]!));
    logits.push(await decoding.step(read, 1));
  }
  await decoding.dispose();
  return { columns, logits, items: decoding.plan.items };
}

type Odds = Awaited<ReturnType<typeof oddsOf>>;

function compared(model: MusicModel, grids: readonly Codes[], own: Odds, other: Odds): Quality {
  const { config } = model.lm;
  const guidance = model.defaults.guidance ?? 3;
  const sums = { kl: 0, guidedKl: 0, agreement: 0, guidedAgreement: 0, count: 0 };
  const entropy = grids[0]!.map(() => 0);
  for (const [step, logits] of own.logits.entries())
    for (const [i, { conditional, unconditional }] of own.items.entries())
      for (const [k, row] of own.columns[i]!.entries()) {
        const target = row[step + 1]!;
        if (target === specialToken(config)) continue;
        const at = (from: Float32Array, line: number) => logitsAt(from, config, line, k);
        const guided = (from: Float32Array) =>
          guide(at(from, conditional), at(from, unconditional!), guidance, new Float32Array(config.vocab_size));
        const [a, b] = [logOdds(at(logits, conditional)), logOdds(at(other.logits[step]!, conditional))];
        const [ga, gb] = [logOdds(guided(logits)), logOdds(guided(other.logits[step]!))];
        sums.kl += divergence(a, b);
        sums.guidedKl += divergence(ga, gb);
        sums.agreement += likeliest(a) === likeliest(b) ? 1 : 0;
        sums.guidedAgreement += likeliest(ga) === likeliest(gb) ? 1 : 0;
        entropy[k]! -= b[target]!;
        sums.count++;
      }
  const { count, ...totals } = sums;
  const means = Object.fromEntries(Object.entries(totals).map(([name, sum]) => [name, sum / count]));
  const perCodebook = count / entropy.length;
  return { ...(means as Omit<Quality, "entropy">), entropy: entropy.map((sum) => sum / perCodebook) };
}

function logOdds(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((sum, x) => sum + Math.exp(x - most), 0);
  return Float64Array.from(logits, (x) => x - most - Math.log(sum));
}

const divergence = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, x, i) => sum + Math.exp(x) * (x - b[i]!), 0);

const likeliest = (odds: Float64Array): number => odds.indexOf(odds.reduce((a, b) => Math.max(a, b)));

async function main(folders: readonly string[]): Promise<void> {
  for (const folder of folders.length === 0 ? [miniReference] : folders) {
    console.log(
      `| ${folder} | KL | guided | same likeliest | guided | cross-entropy of each codebook |\n|---|---|---|---|---|---|`,
    );
    for await (const { id, quality } of qualities(folder)) {
      const { kl, guidedKl, agreement, guidedAgreement, entropy } = quality;
      const share = (x: number) => `${(100 * x).toFixed(2)} %`;
      console.log(
        `| ${id} | ${kl.toFixed(5)} | ${guidedKl.toFixed(5)} | ${share(agreement)} | ${share(guidedAgreement)} | ${entropy.map((x) => x.toFixed(4)).join(", ")} |`,
      );
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
