/** @file What gives a sound age and place: saturation, echoes, and the noise of tape and vinyl. In place. */

import { noise } from "../synths/noise.js";
import { filter, highPass, lowPass } from "./filters.js";

/** tanh of up to five times the sound, whose RMS is `rms`; `amount` 0 leaves it as it is, 1 squashes it. */
export function saturate(sound: Float32Array, amount: number, rms: number): void {
  if (amount <= 0 || rms === 0) return;
  const drive = (0.2 + 1.8 * amount) / rms / 2; // at the RMS, tanh of 0.1 to 1
  for (let n = 0; n < sound.length; n++) sound[n] = Math.tanh(drive * sound[n]!) / drive;
}

/** Echoes of `input` alone, every `seconds`, each `feedback` of the last and duller. */
export function echo(input: Float32Array, seconds: number, feedback: number, rate: number): Float32Array {
  const delay = Math.max(1, Math.round(seconds * rate));
  const out = new Float32Array(input.length);
  let dull = 0;
  for (let n = delay; n < out.length; n++) {
    dull += 0.4 * (input[n - delay]! + feedback * out[n - delay]! - dull);
    out[n] = dull;
  }
  return out;
}

/**
 * An old record: the highs gone, the pitch wavering, hiss, and the crackle of dust. `rms` is the sound's own; the same
 * seed crackles alike.
 */
export function age(channels: readonly Float32Array[], rate: number, seed: number, rms: number): void {
  const random = noise(seed);
  const dullness = 5000 + 1500 * random();
  const speed = 0.5 + 0.2 * random(); // Hz
  const swing = 0.0004 * rate * (1 + 0.5 * random());
  for (const channel of channels) {
    waver(channel, speed / rate, swing);
    filter(channel, lowPass(dullness, rate));
  }
  const dust = dirt(channels[0]!.length, rate, random);
  for (const channel of channels) for (let n = 0; n < channel.length; n++) channel[n]! += rms * dust[n]!;
}

// --- internal ---

/** Reads the sound up to twice `swing` samples late, to and fro. */
function waver(sound: Float32Array, cycles: number, swing: number): void {
  const source = sound.slice();
  for (let n = 0; n < sound.length; n++) {
    const from = Math.max(0, n - swing * (1 - Math.cos(2 * Math.PI * cycles * n)));
    const whole = Math.trunc(from);
    const a = source[whole]!;
    sound[n] = a + (from - whole) * ((source[whole + 1] ?? a) - a);
  }
}

/** Hiss at about -36 dB and some crackles a second, of a sound whose RMS is 1. */
function dirt(length: number, rate: number, random: () => number): Float32Array {
  const out = new Float32Array(length);
  for (let n = 0; n < length; n++) out[n] = 0.03 * random();
  const crackles = (6 * length) / rate;
  for (let k = 0; k < crackles; k++) {
    const at = Math.floor(((random() + 1) / 2) * length);
    const size = 0.6 * random() ** 3;
    const width = 4 + Math.floor(6 * (random() + 1));
    for (let i = 0; i < width && at + i < length; i++) out[at + i]! += size * random() * (1 - i / width);
  }
  filter(out, highPass(400, rate));
  filter(out, lowPass(7000, rate));
  return out;
}
