/**
 * @file Whether a device computes what the processor computes: GPUs and their drivers are many, and a wrong kernel sounds
 * like music. A model is refused on a device where a golden step of it differs.
 */

import type { Encodec } from "./codec/encodec.js";
import { codes } from "./codes.js";
import { HocketError } from "./errors.js";
import type { LmConfig } from "./lm/config.js";
import { everything, type LanguageModel } from "./lm/lm.js";
import { philox } from "./lm/random.js";
import type { Device, Runtime } from "./platform/platform.js";
import type { Precision } from "./precision.js";
import { tensor } from "./tensor.js";

/**
 * Runs columns of codes through the first layers of a language model on its device and on the processor: a few at once,
 * then one by one, with a text and without.
 * @param make such a model, on a runtime
 * @returns how many columns it may read at once
 * @throws HocketError "unsupported" if the numbers differ
 */
export async function checkLm(
  { config, runtime }: Pick<LanguageModel, "config" | "runtime">,
  make: (config: LmConfig, on: Runtime) => LanguageModel,
  processor: Runtime,
  precision: Precision,
): Promise<number> {
  const few = { ...config, num_hidden_layers: Math.min(2, config.num_hidden_layers) };
  const [there, here] = [make(few, runtime), make(few, processor)];
  const tolerance = tolerances[precision];
  try {
    const expected = await golden(here, [4, 1, 1, 1]);
    for (const [i, logits] of (await golden(there, [4, 1, 1, 1])).entries())
      compare(runtime.device, `the language model's logits of step ${i + 1} are`, logits, expected[i]!, tolerance);
    // That the device reads much at once as it reads it in pieces is seen exactly where it rounds the same numbers.
    const [inPieces] = await golden(there, [longPass]);
    const { atOnce } = there;
    there.atOnce = everything;
    const [whole] = await golden(there, [longPass]);
    const alike = precision === "fp16" ? tolerance : summed;
    return difference(whole!, inPieces!) <= alike ? everything : atOnce;
  } finally {
    await Promise.all([there.dispose(), here.dispose()]);
  }
}

/**
 * The same for the decoder of a codec.
 * @param make the same codec, on the processor
 */
export async function checkCodec(codec: Encodec, make: () => Encodec, device: Device): Promise<void> {
  const here = make();
  try {
    compare(device, "the sound that the codec decodes is", await decoded(codec), await decoded(here), summed);
  } finally {
    await here.dispose();
  }
}

/** What a number may be off by, of the largest of its kind: where sums are taken in another order; */
export const summed = 1e-3;

/** Always the same numbers from 0 to 1. */
export const chance = (i: number, row: number): number => philox([i, row, 0, 0], [4, 0])[0] / 2 ** 32;

export const drawn = (count: number, below: number, row: number): Int32Array<ArrayBuffer> =>
  Int32Array.from({ length: count }, (_, i) => Math.floor(chance(i, row) * below));

/**
 * @param what the numbers are, for a message: "the logits are"
 * @param floor what the largest of them counts as at least
 * @throws HocketError "unsupported" where one of them is off by more than `tolerance` of the largest
 */
export function compare(
  device: Device,
  what: string,
  got: Float32Array,
  expected: Float32Array,
  tolerance: number,
  floor = 0,
): void {
  const off = difference(got, expected, floor);
  if (!(off <= tolerance))
    throw new HocketError(
      "unsupported",
      `device ${device} computes other numbers than the processor: ${what} off by ${percent(off)} of the largest, and ${percent(tolerance)} would do; a newer driver may help, and cpu always does`,
    );
}

// --- internal ---

/** The same where the processor rounds inputs to 8 bits, and the device does not (measured: 0.008). */
const rounded = 0.03;
/** And where the device sums in float16, a thousand numbers and more. */
const halves = 0.02;
const tolerances: Readonly<Record<Precision, number>> = { fp32: summed, fp16: halves, int8: rounded, int4: rounded };

/** Columns for which attention goes the way of long passes. */
const longPass = 40;

/** The logits after each of the passes over so many columns, for an item with a text and one without. */
async function golden(lm: LanguageModel, passes: readonly number[]): Promise<Float32Array[]> {
  const { num_codebooks, vocab_size } = lm.config;
  const text = tensor("float32", [1, 5, lm.around.textWidth]);
  for (const i of text.data.keys()) text.data[i] = chance(i, 0) * 2 - 1;
  const decoding = await lm.open(
    [{ text }],
    true,
    passes.reduce((all, count) => all + count),
  );
  const logits: Float32Array[] = [];
  try {
    for (const [i, count] of passes.entries())
      logits.push(await decoding.step([drawn(num_codebooks * count, vocab_size, i + 1)], count));
  } finally {
    await decoding.dispose();
  }
  return logits;
}

async function decoded(codec: Encodec): Promise<Float32Array> {
  const frames = 8;
  const grid = Array.from({ length: codec.codebooks }, (_, k) => drawn(frames, codec.config.codebook_size, k));
  const scale = codec.config.normalize ? { scale: Float32Array.of(1) } : {};
  return (await codec.decode([{ codes: [codes(grid)], ...scale }]))[0]![0]!;
}

/** Of the largest that is expected; not a number where one is not. */
function difference(got: Float32Array, expected: Float32Array, floor = 0): number {
  let [largest, off] = [floor, got.length === expected.length ? 0 : Number.NaN];
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    off = Math.max(off, Math.abs(got[i]! - value));
  }
  return off === 0 ? 0 : off / largest;
}

const percent = (part: number): string => `${(100 * part).toPrecision(2)} %`;
