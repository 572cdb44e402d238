/** @file The subtractive instruments: leads, pad, basses and the chip of old consoles, each drawn anew for a part. */

import type { Instrument, Stage } from "./synth.js";
import { type Oscillator, type Patch, voice } from "./voice.js";

export const leadSaw: Instrument = (stage) => {
  const between = betweenOf(stage);
  return voice(
    {
      oscillators: detuned("saw", 3, between(1, 3, 14)),
      envelope: { attack: between(2, 0.004, 0.02), decay: 0.6, sustain: 0.75, release: between(3, 0.06, 0.2) },
      filter: {
        cutoff: between(4, 900, 2400),
        octaves: between(5, 0.8, 2.5),
        tracking: 0.6,
        resonance: between(6, 0.1, 0.55),
        envelope: { attack: 0.005, decay: between(7, 0.15, 0.7), sustain: 0.35, release: 0.2 },
      },
    },
    stage,
  );
};

export const leadSquare: Instrument = (stage) => {
  const between = betweenOf(stage);
  return voice(
    {
      oscillators: [
        { shape: "pulse", ratio: 1, gain: 0.6, width: between(1, 0.35, 0.5) },
        { shape: "pulse", ratio: cents(between(2, 3, 9)), gain: 0.4, width: 0.5 },
      ],
      envelope: { attack: between(3, 0.003, 0.015), decay: 0.5, sustain: 0.8, release: between(4, 0.05, 0.18) },
      filter: {
        cutoff: between(5, 1200, 3500),
        octaves: between(6, 0.3, 1.5),
        tracking: 0.7,
        resonance: between(7, 0, 0.4),
        envelope: { attack: 0.005, decay: 0.4, sustain: 0.5, release: 0.2 },
      },
    },
    stage,
  );
};

export const pad: Instrument = (stage) => {
  const between = betweenOf(stage);
  return voice(
    {
      oscillators: [
        ...detuned("saw", 2, between(1, 8, 22)),
        { shape: "triangle", ratio: stage.draw(2) < 0.5 ? 0.5 : 2, gain: 0.3 },
      ],
      envelope: { attack: between(3, 0.15, 0.7), decay: 2, sustain: 0.85, release: between(4, 0.4, 1.2) },
      filter: {
        cutoff: between(5, 500, 1500),
        octaves: between(6, 0.5, 2),
        tracking: 0.4,
        resonance: between(7, 0, 0.3),
        envelope: { attack: between(8, 0.4, 1.5), decay: 3, sustain: 0.6, release: 1 },
      },
    },
    stage,
  );
};

export const bassSaw: Instrument = (stage) => {
  const between = betweenOf(stage);
  return voice(
    {
      oscillators: [
        { shape: "saw", ratio: 1, gain: 0.6 },
        { shape: "pulse", ratio: stage.draw(1) < 0.4 ? 0.5 : cents(between(2, 2, 8)), gain: 0.4 },
      ],
      envelope: { attack: 0.003, decay: 0.5, sustain: 0.7, release: 0.05 },
      filter: {
        cutoff: between(3, 150, 450),
        octaves: between(4, 1.5, 3.5),
        tracking: 0.3,
        resonance: between(5, 0.1, 0.6),
        envelope: { attack: 0.002, decay: between(6, 0.1, 0.45), sustain: 0.25, release: 0.05 },
      },
      drive: 1.2,
    },
    stage,
  );
};

/** A sine and a little of its octaves: what small speakers play of it. */
export const bassSine: Instrument = (stage) => {
  const between = betweenOf(stage);
  const patch: Patch = {
    oscillators: [
      { shape: "sine", ratio: 1, gain: 0.9 },
      { shape: "sine", ratio: 2, gain: between(1, 0.05, 0.25) },
      { shape: "triangle", ratio: 1, gain: 0.15 },
    ],
    envelope: { attack: 0.006, decay: between(2, 0.4, 1.5), sustain: between(3, 0.3, 0.8), release: 0.08 },
    drive: between(4, 0.8, 1.8),
  };
  return voice(patch, stage);
};

/** Pulses of an eighth, a quarter or a half of a period, as the consoles had; triangles in the bass. */
export const chip: Instrument = (stage) => {
  const width = [0.125, 0.25, 0.5][Math.floor(3 * stage.draw(0))]!;
  const envelope = {
    attack: 0.001,
    decay: 0.1 + 0.5 * stage.draw(1),
    sustain: 0.3 + 0.5 * stage.draw(2),
    release: 0.02,
  };
  const pulse = voice({ oscillators: [{ shape: "pulse", ratio: 1, gain: 0.6, width }], envelope }, stage);
  const triangle = voice(
    { oscillators: [{ shape: "triangle", ratio: 1, gain: 1 }], envelope: { ...envelope, sustain: 1 } },
    stage,
  );
  return (tone) => (tone.frequency < 130 ? triangle(tone) : pulse(tone));
};

// --- internal ---

const cents = (value: number): number => 2 ** (value / 1200);

const betweenOf =
  ({ draw }: Stage) =>
  (index: number, low: number, high: number): number =>
    low + (high - low) * draw(index);

/** `count` of them, spread evenly over `spread` cents on each side. */
const detuned = (shape: Oscillator["shape"], count: number, spread: number): Oscillator[] =>
  Array.from({ length: count }, (_, i) => ({
    shape,
    ratio: cents(spread * ((2 * i) / (count - 1) - 1)),
    gain: 1 / count,
  }));
