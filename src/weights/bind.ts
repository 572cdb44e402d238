/**
 * @file Binds what a model description declares to what a checkpoint holds, in place wherever the file already has it.
 * Nothing fits by accident, and nothing is left over in silence.
 */

import { HocketError } from "../errors.js";
import type { WeightData } from "../platform/platform.js";
import type { DType } from "../tensor.js";
import type { Checkpoint, StoredTensor } from "./checkpoint.js";
import { toFloat32 } from "./float32.js";
import { findSpelling, isLeftover, type Spelling } from "./names.js";

/** A weight as a model description declares it. */
export interface DeclaredWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface BoundWeight {
  /** As stored: float32, float16, bfloat16 or float64. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: WeightData;
}

/**
 * Finds every declared weight in the checkpoint, under any published spelling.
 * @param options.prefix what precedes the declared names in the checkpoint ("audio_encoder.").
 * @param options.whole demands that the checkpoint has nothing more under that prefix: a configuration with too few
 *   layers would otherwise run, and sound wrong.
 * @returns the weights by declared name, without the prefix.
 * @throws HocketError bad-checkpoint, naming tensors and shapes.
 */
export async function bindWeights(
  declared: readonly DeclaredWeight[],
  checkpoint: Checkpoint,
  { prefix = "", whole = false }: { prefix?: string; whole?: boolean } = {},
): Promise<Map<string, BoundWeight>> {
  const found: Found[] = [];
  const missing: string[] = [];
  for (const { name, shape } of declared) {
    const spelling = findSpelling(prefix + name, (stored) => checkpoint.tensors.has(stored));
    if (spelling === undefined) missing.push(prefix + name);
    else found.push({ name, shape, as: spelling.as, stored: checkpoint.tensors.get(spelling.stored)! });
  }
  const used = new Set(found.map(({ stored }) => stored.name));
  const isExtra = (name: string) => name.startsWith(prefix) && !used.has(name) && !isLeftover(name);
  const extra = whole ? [...checkpoint.tensors.keys()].filter(isExtra) : [];
  const misfits = found.map(misfit).filter((message) => message !== undefined);

  const problems: string[] = [];
  if (misfits.length > 0) problems.push(misfits[0]! + (misfits.length > 1 ? ` (and ${misfits.length - 1} more)` : ""));
  if (missing.length > 0) problems.push(`the model described by config.json needs ${some(missing)}, not found`);
  if (extra.length > 0) problems.push(`the model described by config.json has no use for ${some(extra)}`);
  if (problems.length > 0)
    throw new HocketError(
      "bad-checkpoint",
      `${problems.join("; ")}. Do config.json and the weights in ${checkpoint.location} belong together?`,
    );

  const bound = new Map<string, BoundWeight>();
  for (const weight of found) bound.set(weight.name, await bind(checkpoint, weight));
  return bound;
}

// --- internal ---

interface Found extends DeclaredWeight {
  readonly stored: StoredTensor;
  readonly as: Spelling["as"];
}

const floats: ReadonlySet<DType> = new Set(["float32", "float16", "bfloat16", "float64"]);

/** What is wrong with the tensor that was found, if anything is. */
function misfit({ shape, stored, as }: Found): string | undefined {
  if (!floats.has(stored.dtype)) return `${stored.name}: ${stored.file} holds ${stored.dtype}, and a weight is a float`;
  const fits = as === "norm" ? shape[0] === stored.shape[0] : sameShape(shape, stored.shape);
  if (fits) return undefined;
  const needed = as === "norm" ? `${shape[0]} rows` : `[${shape.join(", ")}]`;
  const held = `[${stored.shape.join(", ")}]`;
  return `${stored.name}: the model described by config.json needs ${needed}, ${stored.file} holds ${held}`;
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((n, i) => n === b[i]);

function some(names: readonly string[]): string {
  const rest = names.length - 3;
  return names.slice(0, 3).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

async function bind(checkpoint: Checkpoint, { shape, stored, as }: Found): Promise<BoundWeight> {
  const { dtype, location, offset, length } = stored;
  const inPlace = { dtype, shape, data: { location, offset, length } };
  if (as === undefined) return inPlace;

  const weight = toFloat32(await checkpoint.read(stored.name)).data;
  const norms = rowNorms(weight, stored.shape[0]!);
  if (as === "norm") return { dtype: "float32", shape, data: new Uint8Array(norms.buffer) };
  if (!norms.includes(0)) return inPlace;
  // A row of zeros has no direction, and g v / |v| would be 0 / 0. Its g is 0, so any v will do.
  const directions = weight.slice();
  const width = weight.length / norms.length;
  for (const [row, norm] of norms.entries()) if (norm === 0) directions.fill(1, row * width, (row + 1) * width);
  return { dtype: "float32", shape, data: new Uint8Array(directions.buffer) };
}

/** Of a row-major array, the length of the vector at each step along axis 0. */
function rowNorms(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const width = values.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += values[i]! ** 2;
    return Math.sqrt(squares);
  });
}
