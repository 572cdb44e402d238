/**
 * @file The subtractive synthesiser: oscillators without aliases worth hearing (Välimäki and Huovilainen, "Antialiasing
 * oscillators in subtractive synthesis", 2007: polyBLEP), a resonant low-pass (Simper's trapezoidal state variable filter)
 * and two envelopes.
 */

import { noise } from "./noise.js";
import { bendAt, type Stage, type Synth, step, type Tone } from "./synth.js";

export interface Oscillator {
  readonly shape: "saw" | "pulse" | "triangle" | "sine";
  /** Against the tone's frequency. */
  readonly ratio: number;
  readonly gain: number;
  /** Of a pulse: the part of a period that it is high. */
  readonly width?: number;
}

/** Seconds, and of the peak. */
export interface Envelope {
  readonly attack: number;
  readonly decay: number;
  readonly sustain: number;
  readonly release: number;
}

export interface Patch {
  readonly oscillators: readonly Oscillator[];
  readonly envelope: Envelope;
  /** Of the filter's cutoff; none where it is left out. */
  readonly filter?: {
    /** Hz, and how many octaves the envelope opens it at full velocity. */
    readonly cutoff: number;
    readonly octaves: number;
    /** How far the cutoff follows the key: 0 not, 1 wholly, from middle C on. */
    readonly tracking: number;
    /** 0 none to 1 ringing. */
    readonly resonance: number;
    readonly envelope: Envelope;
  };
  /** tanh of this many times the sound; 0 leaves it alone. */
  readonly drive?: number;
}

/** A synth of this patch. */
export const voice =
  (patch: Patch, stage: Stage): Synth =>
  (tone) =>
    play(patch, stage, tone);

// --- internal ---

const middleC = 261.63;

function play(patch: Patch, stage: Stage, tone: Tone): void {
  const { rate, out } = stage;
  const { envelope, filter, drive = 0 } = patch;
  const length = tone.held + Math.ceil(envelope.release * rate);
  const end = Math.min(out.length, tone.start + length);
  const random = noise(tone.seed);
  const oscillators = patch.oscillators.map((oscillator) => ({
    ...oscillator,
    width: oscillator.width ?? 0.5,
    phase: (random() + 1) / 2,
  }));
  const level = 0.25 + 0.75 * tone.velocity ** 2;
  const sound = new Float32Array(step);
  const [gains, openings] = [
    envelopeOf(envelope, tone.held, rate),
    filter && envelopeOf(filter.envelope, tone.held, rate),
  ];
  let [low, band] = [0, 0];
  let gain = gains(0);
  for (let start = tone.start; start < end; start += step) {
    const age = start - tone.start;
    const nextGain = gains(age + step);
    const frequency = tone.frequency * bendAt(stage, start);
    if (start + step > 0) {
      sound.fill(0);
      for (const oscillator of oscillators) oscillate(oscillator, frequency / rate, sound);
      if (filter !== undefined) {
        const opened = filter.octaves * (0.3 + 0.7 * tone.velocity) * openings!(age);
        const cutoff = filter.cutoff * (frequency / middleC) ** filter.tracking * 2 ** opened;
        const g = Math.tan(Math.PI * Math.min(0.45, cutoff / rate));
        const k = 2 - 1.9 * filter.resonance;
        const a = 1 / (1 + g * (g + k));
        for (let i = 0; i < step; i++) {
          const high = sound[i]! - low;
          const v1 = a * band + a * g * high;
          const v2 = low + g * v1;
          band = 2 * v1 - band;
          low = 2 * v2 - low;
          sound[i] = v2;
        }
      }
      if (drive > 0) for (let i = 0; i < step; i++) sound[i] = Math.tanh(drive * sound[i]!) / Math.min(1, drive);
      const slope = (nextGain - gain) / step;
      for (let i = Math.max(0, -start); i < step && start + i < end; i++)
        out[start + i]! += level * (gain + slope * i) * sound[i]!;
    }
    gain = nextGain;
  }
}

/** Straight up, exponentially down to the sustained level, exponentially to nothing when the key is let go. */
function envelopeOf({ attack, decay, sustain, release }: Envelope, held: number, rate: number): (n: number) => number {
  const rise = Math.max(1, attack * rate);
  const fall = Math.exp(-1 / Math.max(1, (decay * rate) / 3)); // -26 dB of the way after `decay`
  const holding = (n: number) => (n < rise ? n / rise : sustain + (1 - sustain) * fall ** (n - rise));
  const letGo = holding(held);
  const leaving = Math.max(1, release * rate);
  // The square makes the end of a release meet zero softly.
  return (n) => (n <= held ? holding(n) : letGo * Math.max(0, 1 - (n - held) / leaving) ** 2);
}

interface Running extends Oscillator {
  readonly width: number;
  phase: number;
}

/** Adds a step of it to `sound`; `cycles` a sample. Above 0.45 of the rate it would be an alias: silence. */
function oscillate(oscillator: Running, cycles: number, sound: Float32Array): void {
  const { shape, gain, width } = oscillator;
  const dt = cycles * oscillator.ratio;
  let t = oscillator.phase;
  if (dt > 0.45) return;
  switch (shape) {
    case "saw":
      for (let i = 0; i < step; i++) {
        sound[i]! += gain * (2 * t - 1 - blep(t, dt));
        t += dt;
        if (t >= 1) t -= 1;
      }
      break;
    case "pulse": {
      const mean = 2 * width - 1;
      for (let i = 0; i < step; i++) {
        let fallen = t - width;
        if (fallen < 0) fallen += 1;
        sound[i]! += gain * ((t < width ? 1 : -1) - mean + blep(t, dt) - blep(fallen, dt));
        t += dt;
        if (t >= 1) t -= 1;
      }
      break;
    }
    case "triangle": // its harmonics fall so fast that the aliases of the plain one are below -60 dB for low tones
      for (let i = 0; i < step; i++) {
        sound[i]! += gain * (4 * Math.abs(t - 0.5) - 1);
        t += dt;
        if (t >= 1) t -= 1;
      }
      break;
    case "sine":
      for (let i = 0; i < step; i++) {
        sound[i]! += gain * Math.sin(2 * Math.PI * t);
        t += dt;
        if (t >= 1) t -= 1;
      }
      break;
  }
  oscillator.phase = t;
}

/** What a step at phase 0 has that a band-limited one has not, over one sample on each side. */
function blep(t: number, dt: number): number {
  if (t < dt) {
    const x = t / dt;
    return x + x - x * x - 1;
  }
  if (t > 1 - dt) {
    const x = (t - 1) / dt;
    return x * x + x + x + 1;
  }
  return 0;
}
