/** @file What a request means for a model: the settings that hold, and what that model cannot do, found before it is loaded. */

import { HocketError } from "./errors.js";
import { defaultSampling } from "./lm/sampling.js";
import type { GenerationDefaults } from "./model-files.js";
import { lengthOf, type Piece, type Region, type Asked as Request, type Settings } from "./request.js";

/** What has to be known of a model. */
export interface Known {
  readonly name: string;
  readonly defaults: GenerationDefaults;
  /** Frames a second. */
  readonly frameRate: number;
  /** Codes to choose among. */
  readonly bins: number;
  /** Whether it follows a melody. */
  readonly melody: boolean;
}

/** In frames, but for the settings. */
export interface Plan {
  readonly settings: Omit<Settings, "precision">;
  readonly frames: number;
  /** Where words begin that are others than before, if the words change. */
  readonly sections: readonly { readonly from: number; readonly prompt: string }[] | undefined;
  /** What is composed anew of a take, if anything is. */
  readonly region: { readonly from: number; readonly to: number } | undefined;
  readonly window: number;
  readonly stride: number;
}

type Asked = Omit<Request, "melody" | "continue" | "regenerate"> & {
  readonly melody?: unknown;
  readonly continue?: unknown;
  readonly regenerate?: Region | undefined;
};

/**
 * @param asked where a part of a take is composed anew, with the take's duration
 * @throws HocketError "bad-request" for what the model cannot do
 */
export function planFor(model: Known, asked: Asked): Plan {
  const settings = settingsFor(model, asked);
  const frames = Math.round(asked.duration * model.frameRate);
  const window = model.defaults.window * model.frameRate;
  const stride = strideFor(model, asked.stride);
  if (frames < 1)
    throw new HocketError(
      "bad-request",
      `a duration of ${asked.duration} s is shorter than one frame of this model (${1 / model.frameRate} s)`,
    );
  if (asked.melody !== undefined && !model.melody)
    throw new HocketError(
      "bad-request",
      `${model.name} has no melody input: use facebook/musicgen-melody or facebook/musicgen-melody-large, or leave the melody out`,
    );
  const sections = sectionsFor(model, asked.sections);
  return { settings, frames, window, stride, sections, region: regionFor(model, asked, frames) };
}

/** Every prompt in every variation. The seed of a variation, given alone, makes that variation again. */
export function piecesOf({ prompt, seed, variations }: Asked, randomSeed: () => number): Piece[] {
  const prompts = [prompt].flat().flatMap((text) => Array.from({ length: variations }, () => text));
  if (Array.isArray(seed) && seed.length !== prompts.length)
    throw new HocketError(
      "bad-request",
      `there are ${seed.length} seeds for ${prompts.length} pieces; give one, or one a piece`,
    );
  const first = seed ?? randomSeed();
  return prompts.map((text, i) => ({
    prompt: text,
    seed: Array.isArray(first) ? first[i]! : first + (i % variations),
  }));
}

export const freshSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0]!;

// --- internal ---

/** What was asked for, else what the model's makers ask for, else the defaults everybody knows. */
function settingsFor({ name, defaults, bins }: Known, asked: Asked): Plan["settings"] {
  if (asked.topK !== undefined && asked.topK > bins)
    throw new HocketError(
      "bad-request",
      `a top-k of ${asked.topK} is more than the ${bins} codes that ${name} chooses from; 0 means all`,
    );
  return {
    duration: asked.duration,
    temperature: asked.temperature ?? defaults.temperature ?? defaultSampling.temperature,
    topK: Math.min(bins, asked.topK ?? defaults.topK ?? defaultSampling.topK),
    topP: asked.topP ?? defaults.topP ?? defaultSampling.topP,
    guidance: asked.guidance ?? defaults.guidance ?? 3,
    greedy: asked.greedy ?? (defaults.greedy === true && asked.temperature === undefined),
    melody: asked.melody !== undefined,
    continued: asked.continue !== undefined,
    ...(asked.sections === undefined ? {} : { sections: asked.sections }),
    ...(asked.regenerate === undefined ? {} : { regenerated: numbersOf(asked.regenerate) }),
  };
}

const numbersOf = ({ from, to, candidates }: Region): Region => ({ from, to, candidates });

/** The same words again are no change. */
function sectionsFor({ frameRate }: Known, sections: Asked["sections"]): Plan["sections"] {
  if (sections === undefined) return undefined;
  const placed: { from: number; prompt: string }[] = [];
  let from = 0;
  for (const [i, { prompt, duration }] of sections.entries()) {
    const end = Math.round(lengthOf(sections.slice(0, i + 1)) * frameRate);
    if (end === from)
      throw new HocketError(
        "bad-request",
        `section ${i + 1} of ${duration} s is shorter than one frame of this model (${1 / frameRate} s)`,
      );
    if (placed.at(-1)?.prompt !== prompt) placed.push({ from, prompt });
    from = end;
  }
  return placed;
}

function regionFor({ frameRate }: Known, { regenerate, duration }: Asked, frames: number): Plan["region"] {
  if (regenerate === undefined) return undefined;
  const [from, to] = [regenerate.from, regenerate.to].map((seconds) => Math.round(seconds * frameRate)) as [
    number,
    number,
  ];
  if (to > frames)
    throw new HocketError("bad-request", `the part ends at ${regenerate.to} s and the take lasts ${duration} s`);
  if (from === to)
    throw new HocketError(
      "bad-request",
      `from ${regenerate.from} to ${regenerate.to} s there is less than one frame of this model (${1 / frameRate} s)`,
    );
  return { from, to };
}

function strideFor({ defaults, frameRate }: Known, asked: number | undefined): number {
  const seconds = asked ?? 0.6 * defaults.window; // MusicGen's 18 of 30
  const frames = Math.max(1, Math.round(seconds * frameRate));
  if (frames < defaults.window * frameRate) return frames;
  throw new HocketError(
    "bad-request",
    `a stride of ${seconds} s leaves nothing of the model's window of ${defaults.window} s to go on from`,
  );
}
