/** @file Whether a model follows a tune: how often what it made has the pitch class that the tune has at that moment. */

import { resample } from "../audio/resample.js";
import type { Waveform } from "../audio/waveform.js";
import type { Codes } from "../codes.js";
import { type ChromaConfig, chroma } from "../melody/chroma.js";
import type { MusicModel } from "../model.js";
import { throughModel } from "./codec-run.js";
import { type Composing, composeAll, soundOf } from "./composed.js";
import type { Progress } from "./impressions.js";
import type { Asked } from "./prompts.js";

/** Shares of moments at which pitch classes agree. */
export interface Following {
  readonly pieces: number;
  /** Told the tune. */
  readonly told: number;
  /** The same prompts and seeds without it. */
  readonly untold: number;
  /** Told the tune, against the next one: what any tune of such music would reach. */
  readonly another: number;
  /** The recording itself through the codec: the most that can be reached. */
  readonly ceiling: number;
}

/** `tunes` recordings as tunes, each for two prompts of other clips. */
export async function* following(
  model: MusicModel,
  heard: ChromaConfig,
  asked: readonly Asked[],
  tunes: number,
  composing: Composing,
): AsyncGenerator<Progress, Following> {
  const { seconds, signal } = composing;
  const count = Math.min(tunes, asked.length);
  const classesOf = (sound: Waveform) => chroma(resample(sound, heard.sampleRate).channels[0]!, heard);
  const wishes = Array.from({ length: count }, (_, i) =>
    [1, 2].map((k) => ({ prompt: asked[(i + 3 * k) % asked.length]!.prompt, seed: 2000 + 2 * i + k })),
  );
  const melodies: Int32Array[] = [];
  const led: Codes[] = [];
  let ceiling = 0;
  for (const [i, pair] of wishes.entries()) {
    const melody = await asked[i]!.clip.load(heard.sampleRate, seconds);
    melodies.push(classesOf(melody));
    ceiling += agreement(melodies[i]!, classesOf((await throughModel(model, melody, signal)).sound)) / count;
    led.push(...(yield* composeAll(model, `following tune ${i + 1} of ${count}`, pair, { ...composing, melody })));
  }
  const free = yield* composeAll(model, "composing the same without tunes", wishes.flat(), composing);
  const mean = async (grids: readonly Codes[], offset: number) => {
    let sum = 0;
    for (const [j, grid] of grids.entries()) {
      const tune = melodies[((j >> 1) + offset) % count]!;
      sum += agreement(tune, classesOf(await soundOf(model, grid, signal))) / grids.length;
    }
    return sum;
  };
  return {
    pieces: led.length,
    told: await mean(led, 0),
    untold: await mean(free, 0),
    another: await mean(led, 1),
    ceiling,
  };
}

/** The share of moments that have the same pitch class, as far as both go. */
export function agreement(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  let same = 0;
  for (let t = 0; t < length; t++) same += +(a[t] === b[t]);
  return same / length;
}
