/** @file One clip heard, for a thread of its own: what the rules say of it, and what those who learnt need to know. */

import type { Waveform } from "../audio/waveform.js";
import { decoded } from "../data/recordings.js";
import { features, tonal } from "./features.js";
import { hear, hearingRate } from "./hearing.js";
import { bestKey, classesOf, clearest, type KeyEstimate, pitches } from "./key.js";
import { tempo } from "./tempo.js";

/** A recording, or a sound as it is; at most so many seconds of it. */
export interface HearJob {
  readonly sound: string | Waveform;
  readonly seconds: number;
}

/** What a clip is to the judges, before those who learnt have their say. */
export interface Impression {
  readonly features: Float32Array;
  /** See `tonal` of features.ts. */
  readonly tonal: Float32Array;
  readonly bpm: number;
  readonly key: KeyEstimate;
}

export async function hearClip({ sound, seconds }: HearJob): Promise<Impression> {
  const whole = typeof sound === "string" ? await decoded(sound, { sampleRate: hearingRate, channels: 1 }) : sound;
  return impression({
    sampleRate: whole.sampleRate,
    channels: whole.channels.map((channel) => channel.subarray(0, Math.round(seconds * whole.sampleRate))),
  });
}

export function impression(sound: Waveform): Impression {
  const heard = hear(sound);
  const played = pitches(heard);
  const classes = classesOf(played, ...clearest);
  const bpm = tempo(heard);
  return { features: features(heard, classes, bpm), tonal: tonal(played), bpm, key: bestKey(classes) };
}
