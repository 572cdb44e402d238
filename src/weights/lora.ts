/**
 * @file Adapters of low rank (LoRA; Hu et al., arXiv 2106.09685) in the layout of Hugging Face PEFT: adapter_config.json
 * and adapter_model.safetensors. An adapter adds alpha / rank B A to some of a model's matrices.
 */

import { writeFileAtomically } from "#platform";
import { z } from "#zod";
import { checked } from "../checked.js";
import { assert, HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import type { LowRank } from "../graph/onnx.js";
import type { Folder } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { toFloat32 } from "./float32.js";
import { readHeader, readTensor, writeSafetensors } from "./safetensors.js";

export interface Adapter {
  /** Its folder, for messages. */
  readonly location: string;
  /** The model that it is for, as whoever trained it called it. */
  readonly base: string | undefined;
  /** What it adds at strength 1: `scale` up down, by the name of the weight. */
  readonly changes: ReadonlyMap<string, LowRank>;
  readonly scale: number;
}

/** What training leaves. */
export interface TrainedAdapter {
  readonly base: string;
  readonly rank: number;
  readonly alpha: number;
  /** Both factors of every change, named as `factorNames` does. */
  readonly factors: Readonly<Record<string, Tensor>>;
}

/** The names of A [rank, in] and B [out, rank], by the name of the weight that they change. */
export function factorNames(weight: string): readonly [a: string, b: string] {
  assert(weight.endsWith(".weight"), `${weight} is no matrix that an adapter changes`);
  const module = weight.slice(0, -".weight".length);
  return [`${module}.lora_A.weight`, `${module}.lora_B.weight`];
}

export const isAdapter = async (folder: Folder): Promise<boolean> => (await folder.list()).includes(CONFIG);

/**
 * The model that an adapter is for. Reads nothing but its configuration.
 * @throws HocketError bad-checkpoint if that cannot be an adapter's; unsupported for kinds that Hocket cannot use
 */
export const readBase = async (folder: Folder): Promise<string | undefined> =>
  (await readConfig(folder)).base_model_name_or_path ?? undefined;

/** @throws HocketError bad-checkpoint, bad-file or unsupported, naming what does not fit together */
export async function readAdapter(folder: Folder): Promise<Adapter> {
  const config = await readConfig(folder);
  const { location } = folder;
  const bad = (what: string) => new HocketError("bad-checkpoint", `${location}/${WEIGHTS}: ${what}`);
  const file = await folder.open(WEIGHTS);
  if (file === undefined)
    throw new HocketError("bad-checkpoint", `${location} holds no ${WEIGHTS}: it is not a whole adapter`);
  try {
    const { tensors } = await readHeader(file, `${location}/${WEIGHTS}`);
    const changes = new Map<string, { up?: Tensor<"float32">; down?: Tensor<"float32"> }>();
    for (const [name, entry] of tensors) {
      const [, module, factor] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(name) ?? [];
      if (module === undefined)
        throw new HocketError("unsupported", `${location}/${WEIGHTS}: ${name} is no factor of a matrix's change`);
      const numbers = toFloat32(await readTensor(file, entry));
      const { shape, data } = numbers;
      if (shape.length !== 2) throw bad(`${name} has shape [${shape.join(", ")}], and a factor is a matrix`);
      if (shape[factor === "A" ? 0 : 1] !== config.r)
        throw bad(`${name} is [${shape.join(", ")}], and ${CONFIG} says that the rank is ${config.r}`);
      const broken = data.findIndex((x) => !Number.isFinite(x));
      if (broken >= 0)
        throw bad(`${name} is not a finite number at element ${broken}: the training that made it failed`);
      const change = changes.get(`${module}.weight`) ?? {};
      changes.set(`${module}.weight`, { ...change, [factor === "A" ? "down" : "up"]: numbers });
    }
    if (changes.size === 0) throw bad("it is empty: there is nothing to add to a model");
    for (const [name, { up, down }] of changes)
      if (up === undefined || down === undefined) throw bad(`of the change to ${name}, there is one factor of two`);
    return {
      location,
      base: config.base_model_name_or_path ?? undefined,
      changes: changes as ReadonlyMap<string, LowRank>,
      scale: config.lora_alpha / (config.use_rslora ? Math.sqrt(config.r) : config.r),
    };
  } finally {
    await file.close();
  }
}

/** Writes an adapter into a folder that is there, as PEFT would. The configuration comes last: it says that all is there. */
export async function writeAdapter(path: string, { base, rank, alpha, factors }: TrainedAdapter): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries(factors).map(([name, numbers]) => [`base_model.model.${name}`, numbers]),
  );
  const modules = new Set(Object.keys(factors).map((name) => /([^.]+)\.lora_[AB]\.weight$/.exec(name)![1]!));
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: [...modules].sort(),
    task_type: null,
    use_dora: false,
    use_rslora: false,
  };
  await writeFileAtomically(`${path}/${WEIGHTS}`, writeSafetensors(tensors, { format: "pt" }));
  await writeFileAtomically(`${path}/${CONFIG}`, new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`));
}

/**
 * What several adapters add together, each at its strength: 1 as it was trained, 0 not at all (and then nothing is added,
 * not even zeros). Changes of one weight are put side by side: [B1 B2] [A1; A2] = B1 A1 + B2 A2.
 */
export function addUp(uses: readonly { adapter: Adapter; strength: number }[]): Map<string, LowRank> {
  const sum = new Map<string, LowRank>();
  for (const { adapter, strength } of uses)
    for (const [name, { up, down }] of strength === 0 ? [] : adapter.changes) {
      const factor = strength * adapter.scale;
      const change = {
        up: tensor(
          "float32",
          up.shape,
          up.data.map((x) => factor * x),
        ),
        down,
      };
      const before = sum.get(name);
      sum.set(name, before === undefined ? change : beside(before, change));
    }
  return sum;
}

/** Binds what `bind` does, with `changes` on top; their names have `prefix` before those that are declared. */
export const changed =
  (bind: Binder, changes: ReadonlyMap<string, LowRank>, prefix = ""): Binder =>
  async (declared) =>
    new Map(
      [...(await bind(declared))].map(([name, weight]) => {
        const added = changes.get(prefix + name);
        return [name, added === undefined ? weight : { ...weight, added }];
      }),
    );

/**
 * @param shapeOf of the model's weights, by name
 * @throws HocketError bad-checkpoint if the adapter changes what this model does not have, or has in another shape
 */
export function checkFits(
  adapter: Adapter,
  model: string,
  shapeOf: (name: string) => readonly number[] | undefined,
): void {
  for (const [name, { up, down }] of adapter.changes) {
    const shape = shapeOf(name);
    const changes = `[${up.shape[0]}, ${down.shape[1]}]`;
    if (shape !== undefined && `[${shape.join(", ")}]` === changes) continue;
    const has = shape === undefined ? "has none" : `has [${shape.join(", ")}]`;
    const base = adapter.base === undefined ? "another model" : adapter.base;
    throw new HocketError(
      "bad-checkpoint",
      `${adapter.location} changes ${name} of shape ${changes}, and ${model} ${has}: the adapter is for ${base}`,
    );
  }
}

// --- internal ---

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";

/** In bytes; one has a few hundred, one with a list of modules some thousands. */
const longestConfig = 2 ** 20;

/** A field that asks for something that Hocket does not do. */
const without = (schema: z.ZodType, what: string) =>
  z.unknown().refine((value) => value == null || schema.safeParse(value).success, `${what} are not supported`);
const empty = z.union([z.array(z.unknown()).max(0), z.record(z.string(), z.never())]);

const Config = z.object({
  peft_type: z.unknown().refine((type) => type === "LORA", "Hocket knows adapters of type LORA"),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  base_model_name_or_path: z.string().nullish(),
  use_rslora: z.boolean().nullish(),
  use_dora: without(z.literal(false), "decomposed weights (DoRA)"),
  fan_in_fan_out: without(z.literal(false), "matrices that lie the other way"),
  bias: without(z.literal("none"), "biases that learn"),
  modules_to_save: without(empty, "modules that are kept whole"),
  rank_pattern: without(empty, "ranks that differ"),
  alpha_pattern: without(empty, "alphas that differ"),
});

async function readConfig(folder: Folder): Promise<z.output<typeof Config>> {
  const where = `${folder.location}/${CONFIG}`;
  const file = await folder.open(CONFIG);
  if (file === undefined)
    throw new HocketError("bad-checkpoint", `${folder.location} has no ${CONFIG}: give the folder of an adapter`);
  try {
    if (file.size > longestConfig)
      throw new HocketError("bad-checkpoint", `${where} has ${file.size} bytes: no adapter's has as many`);
    const text = new TextDecoder().decode(await file.read(0, file.size));
    return checked(Config, parsed(text, where), where);
  } finally {
    await file.close();
  }
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HocketError("bad-checkpoint", `${where} is not JSON: get the file again`, { cause });
  }
}

/** Two changes of one weight as one. */
function beside(a: LowRank, b: LowRank): LowRank {
  const [rows, [ranks, more]] = [a.up.shape[0]!, [a.up.shape[1]!, b.up.shape[1]!]] as const;
  const up = tensor("float32", [rows, ranks + more]);
  for (let row = 0; row < rows; row++) {
    up.data.set(a.up.data.subarray(row * ranks, (row + 1) * ranks), row * (ranks + more));
    up.data.set(b.up.data.subarray(row * more, (row + 1) * more), row * (ranks + more) + ranks);
  }
  const down = tensor("float32", [ranks + more, a.down.shape[1]!]);
  down.data.set(a.down.data);
  down.data.set(b.down.data, a.down.data.length);
  return { up, down };
}
