/** @file Sounds whose tempo, key and instruments are known because they were made so: what the judges are tested on. */

import type { Waveform } from "../src/audio/waveform.js";
import { philox } from "../src/lm/random.js";

export const rate = 16000;

/** Numbers in [0, 1) that follow from a seed. */
export function dice(seed: number): () => number {
  let count = 0;
  return () => philox([count++, 0, 0, 7], [seed, 0])[0] / 2 ** 32;
}

export const mono = (samples: Float32Array): Waveform => ({ sampleRate: rate, channels: [samples] });

export const silence = (seconds: number): Float32Array => new Float32Array(Math.round(seconds * rate));

/** A tone with four overtones, louder at its start than at its end. */
export function addNote(to: Float32Array, at: number, seconds: number, pitch: number, level = 0.1): void {
  const hertz = 440 * 2 ** ((pitch - 69) / 12);
  const start = Math.round(at * rate);
  const length = Math.min(Math.round(seconds * rate), to.length - start);
  for (let n = 0; n < length; n++) {
    const t = n / rate;
    const envelope = level * Math.min(1, t / 0.01, (seconds - t) / 0.02) * Math.exp(-t);
    let sum = 0;
    for (let overtone = 1; overtone <= 5; overtone++)
      if (overtone * hertz < rate / 2) sum += Math.sin(2 * Math.PI * overtone * hertz * t) / overtone;
    to[start + n]! += envelope * sum;
  }
}

/** A burst of noise that dies away. */
export function addHit(to: Float32Array, at: number, random: () => number, level = 0.3): void {
  const start = Math.round(at * rate);
  for (let n = 0; n < 0.08 * rate && start + n < to.length; n++)
    to[start + n]! += level * Math.exp(-n / (0.015 * rate)) * (2 * random() - 1);
}

/** A hit on every beat, every fourth louder, and softer ones between. */
export function clicks(seconds: number, bpm: number, random: () => number, to = silence(seconds)): Float32Array {
  const beat = 60 / bpm;
  for (let i = 0; i * beat < seconds; i++) {
    addHit(to, i * beat, random, i % 4 === 0 ? 0.4 : 0.25);
    addHit(to, (i + 0.5) * beat, random, 0.06);
  }
  return to;
}

/** Chords of one second each, and their roots in the bass. @param chords pitches above C, from the tonic */
export function harmony(tonic: number, chords: readonly (readonly number[])[], to = silence(chords.length)) {
  for (const [i, chord] of chords.entries()) {
    addNote(to, i, 1, 36 + ((tonic + chord[0]!) % 12), 0.15);
    for (const pitch of chord) addNote(to, i, 1, 60 + ((tonic + pitch) % 12));
  }
  return to;
}

/** I IV V I, ii V I I; and i iv V i, VI iv V i. */
export const cadences = {
  major: [
    [0, 4, 7],
    [5, 9, 0],
    [7, 11, 2],
    [0, 4, 7],
    [2, 5, 9],
    [7, 11, 2],
    [0, 4, 7],
    [0, 4, 7],
  ],
  minor: [
    [0, 3, 7],
    [5, 8, 0],
    [7, 11, 2],
    [0, 3, 7],
    [8, 0, 3],
    [5, 8, 0],
    [7, 11, 2],
    [0, 3, 7],
  ],
};
