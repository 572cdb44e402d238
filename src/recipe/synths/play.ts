/** @file Parts of a score played by synthesisers of our own. */

import { HocketError } from "../../errors.js";
import { philox, uniform } from "../../lm/random.js";
import type { Control, Note, Part } from "../score.js";
import type { Span } from "../span.js";
import { fmBell } from "./bell.js";
import { kit } from "./drums.js";
import { bassSaw, bassSine, chip, leadSaw, leadSquare, pad } from "./patches.js";
import { pluck } from "./pluck.js";
import { type Instrument, step } from "./synth.js";

/** What a score may call them. */
export const synths: Readonly<Record<string, Instrument>> = {
  "lead-saw": leadSaw,
  "lead-square": leadSquare,
  pad,
  "bass-saw": bassSaw,
  "bass-sine": bassSine,
  pluck,
  "fm-bell": fmBell,
  chip,
  "kit-808": kit("808"),
  "kit-909": kit("909"),
};

/**
 * [channels][samples of `span`]: part `index` of the score of `seed`, which also draws the instrument's character.
 * @throws HocketError "bad-request" for a synthesiser that there is not
 */
export function playSynth(part: Part, seed: number, index: number, span: Span, channels: 1 | 2): Float32Array[] {
  const name = part.sound.kind === "synth" ? part.sound.name : part.sound.kind;
  const instrument = Object.hasOwn(synths, name) ? synths[name] : undefined;
  if (instrument === undefined)
    throw new HocketError("bad-request", `there is no synthesiser "${name}": ${Object.keys(synths).join(", ")}`);
  const out = new Float32Array(span.samples);
  const steps = Math.ceil(span.samples / step);
  const synth = instrument({
    rate: span.rate,
    out,
    bend: bends(part.controls, span, steps),
    draw: (k) => uniform(seed, characters + index, k),
  });
  const notes = part.notes
    .filter(({ at, duration }) => at < span.start + span.samples / span.rate && at + duration > span.start)
    .sort((a, b) => a.at - b.at);
  for (const [k, note] of notes.entries())
    synth({
      start: span.sampleAt(note.at),
      held: Math.max(1, Math.round(pedalled(note, part.controls) * span.rate)),
      frequency: 440 * 2 ** ((note.pitch - 69) / 12),
      velocity: note.velocity / 127,
      seed: philox([k, index, takes, 0], [seed, seed / 2 ** 32])[0],
    });
  express(out, part.controls, span, steps);
  return channels === 1 ? [out] : [out, out.slice()];
}

// --- internal ---

/** What these draws are called among those of a seed. */
const characters = 0x5a00;
const takes = 0x7a6e;

/** MIDI's controllers. */
const vibratoDepth = 1;
const expression = 11;
const sustain = 64;

/** From this value on a pedal is down. */
const pressed = 64;
/** Seconds that one that never comes up holds. */
const longestPedal = 10;

/** Hz, and cents at the controller's highest value. */
const vibrato = { speed: 5.6, depth: 45 };

/** Seconds that a note sounds: to its end, or until the pedal that is down then comes up. */
function pedalled({ at, duration }: Note, controls: readonly Control[]): number {
  const pedal = controls.filter(({ controller }) => controller === sustain).sort((a, b) => a.at - b.at);
  const end = at + duration;
  if ((pedal.findLast((move) => move.at <= end)?.value ?? 0) < pressed) return duration;
  return (pedal.find((move) => move.at > end && move.value < pressed)?.at ?? end + longestPedal) - at;
}

/** [steps] factors of the frequency, from bends and vibrato; undefined where there are none. */
function bends(controls: readonly Control[], span: Span, steps: number): Float32Array | undefined {
  const semitones = curve(controls, "bend", 0, span, steps);
  const depth = curve(controls, vibratoDepth, 0, span, steps);
  if (semitones === undefined && depth === undefined) return undefined;
  return Float32Array.from({ length: steps }, (_, i) => {
    const swing = Math.sin((2 * Math.PI * vibrato.speed * i * step) / span.rate);
    const wobble = ((depth?.[i] ?? 0) / 127) * vibrato.depth * swing;
    return 2 ** ((semitones?.[i] ?? 0) / 12 + wobble / 1200);
  });
}

/** Loudness by expression, whose square is the gain; a step at a time, straight between. */
function express(out: Float32Array, controls: readonly Control[], span: Span, steps: number): void {
  const values = curve(controls, expression, 127, span, steps);
  if (values === undefined) return;
  let gain = (values[0]! / 127) ** 2;
  for (let i = 0; i < steps; i++) {
    const target = (values[i]! / 127) ** 2;
    const start = i * step;
    const end = Math.min(out.length, start + step);
    for (let n = start; n < end; n++) out[n]! *= gain + ((target - gain) * (n - start)) / step;
    gain = target;
  }
}

/** [steps] values of a controller; undefined where it never moves. */
function curve(
  controls: readonly Control[],
  controller: Control["controller"],
  initial: number,
  span: Span,
  steps: number,
): Float32Array | undefined {
  const moves = controls.filter((control) => control.controller === controller).sort((a, b) => a.at - b.at);
  if (moves.length === 0) return undefined;
  const values = new Float32Array(steps);
  let value = initial;
  let next = 0;
  for (let i = 0; i < steps; i++) {
    while (next < moves.length && span.sampleAt(moves[next]!.at) <= i * step) value = moves[next++]!.value;
    values[i] = value;
  }
  return values;
}
