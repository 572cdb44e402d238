/** @file `hocket inspect`: what a file or a model is: a sound and what made it, codes, weights, or a whole model. */

import { type ByteSource, isFolder, type Runtime } from "#platform";
import { decodeAudio } from "../audio/decode.js";
import { integratedLoudness } from "../audio/loudness.js";
import { readProvenance } from "../audio/provenance.js";
import { duration } from "../audio/waveform.js";
import { HocketError } from "../errors.js";
import type { Scope } from "../graph/value.js";
import { type CodecModel, loadCodec, loadModel, type MusicModel, nonFiniteWeight } from "../model.js";
import { modelFacts as factsOfModel } from "../model-facts.js";
import { fits, machineMemory } from "../server/machine-memory.js";
import type { Fits } from "../server/wire-models.js";
import { elementCount } from "../tensor.js";
import { readHeader } from "../weights/safetensors.js";
import { resolveModel } from "../weights/source.js";
import type { Command } from "./command.js";
import { openInput } from "./input.js";
import { withModel } from "./models.js";

export const inspectCommand: Command = {
  name: "inspect",
  summary: "say what a sound, a codes file or a model is, and check it",
  operand: {
    name: "WHAT",
    help: "a sound file, a safetensors file, a model's folder, or a hub id that is on this machine",
  },
  options: { json: { kind: "flag", help: "print one line of JSON" } },
  examples: ["hocket inspect piano.wav", "hocket inspect facebook/musicgen-small"],
  async run(given) {
    const found = await describe(given.operand);
    process.stdout.write(given.flag("json") ? `${JSON.stringify(found)}\n` : `${lines(found).join("\n")}\n`);
  },
};

// --- internal ---

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
const room: Record<Fits, string> = {
  yes: "this machine has that free",
  tight: "this machine has that if other programs let go of some",
  no: "more than this machine has",
};

type Facts = { [name: string]: string | number | boolean | undefined | null | Facts | readonly Facts[] };

async function describe(what: string): Promise<Facts> {
  if (await isFolder(what)) return describeModel(what);
  const file = await openInput(what).catch((error: unknown) => {
    if (!/^[\w.-]+\/[\w.-]+(@[\w.-]+)?$/.test(what)) throw error;
    if (/\.(wav|mp3|flac|ogg|opus|safetensors)$/i.test(what)) throw error;
    return undefined; // a hub id
  });
  if (file === undefined) return describeModel(what);
  try {
    return (await holdsTensors(file, what)) ? await describeTensors(file, what) : await describeSound(file, what);
  } finally {
    await file.close();
  }
}

/** By its name, or by what follows the first eight bytes of a safetensors file. */
const holdsTensors = async (file: ByteSource, path: string): Promise<boolean> =>
  path.endsWith(".safetensors") || (file.size > 8 && (await file.read(8, 1))[0] === "{".charCodeAt(0));

async function describeSound(file: ByteSource, path: string): Promise<Facts> {
  const bytes = await file.read(0, file.size);
  const sound = await decodeAudio(bytes, path);
  const made = readProvenance(bytes);
  const peak = sound.channels.reduce((most, row) => row.reduce((m, x) => Math.max(m, Math.abs(x)), most), 0);
  return {
    kind: "sound",
    duration: duration(sound),
    sampleRate: sound.sampleRate,
    channels: sound.channels.length,
    peak,
    loudness: finite(integratedLoudness(sound)),
    madeBy: made === undefined ? null : { ...made, settings: made.settings as Facts },
  };
}

async function describeTensors(file: ByteSource, path: string): Promise<Facts> {
  const { tensors, metadata } = await readHeader(file, path);
  return {
    kind: [...tensors.keys()].some((name) => /^codes(\.\d+)?$/.test(name)) ? "codes" : "weights",
    tensors: [...tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape: `[${shape.join(", ")}]` })),
    metadata: { ...metadata },
  };
}

async function describeModel(what: string): Promise<Facts> {
  const folder = await resolveModel(what);
  const load = (runtime: Runtime): Promise<CodecModel | MusicModel> =>
    loadModel(folder, what, runtime).catch((error: unknown) => {
      if (error instanceof HocketError && error.code === "bad-request") return loadCodec(folder, what, runtime); // a codec
      throw error;
    });
  return withModel("cpu", load, async (model) => {
    const damaged = await nonFiniteWeight(model.checkpoint);
    if (damaged !== undefined) throw damaged;
    const { memory } = await factsOfModel(folder, what);
    return {
      kind: "lm" in model ? "model" : "codec",
      licence: model.licence ?? "not stated",
      memory: `about ${gigabytes(memory)} while it is at work: ${room[fits(memory, machineMemory())]}`,
      ...modelFacts(model),
      ...codecFacts(model),
    };
  });
}

function codecFacts({ codec, sides }: CodecModel): Facts {
  const { config } = codec;
  return {
    codec: {
      sampleRate: codec.sampleRate,
      channels: config.audio_channels * sides,
      frameRate: codec.frameRate,
      codebooks: codec.codebooks,
      codesPerCodebook: config.codebook_size,
      bandwidths: config.target_bandwidths.join(", "),
      causal: config.use_causal_conv,
      padding: config.pad_mode,
    },
  };
}

function modelFacts(model: CodecModel | MusicModel): Facts {
  const parameters = Object.fromEntries(
    Object.entries(model.parts).map(([part, scope]) => [part, parameterCount(scope)]),
  );
  if (!("lm" in model)) return { parameters };
  const { config } = model.lm;
  return {
    parameters,
    "language model": {
      layers: config.num_hidden_layers,
      width: config.hidden_size,
      heads: config.num_attention_heads,
      codebooks: config.num_codebooks,
      channels: config.audio_channels,
      melody: model.chroma !== undefined,
      seconds: model.defaults.window,
    },
    defaults: { ...model.defaults },
  };
}

const parameterCount = (part: Scope): number =>
  [...part.weights.values()].reduce((sum, value) => sum + elementCount(value.shape as readonly number[]), 0);

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** One fact a line, those that belong to another indented under it. */
function lines(facts: Facts, indent = ""): string[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value))
      return [`${indent}${name}:`, ...value.map((each: Facts) => `${indent}  ${Object.values(each).join("  ")}`)];
    if (typeof value === "object") return [`${indent}${name}:`, ...lines(value as Facts, `${indent}  `)];
    return [`${indent}${name}: ${typeof value === "string" ? JSON.stringify(value).slice(1, -1) : value}`];
  });
}
