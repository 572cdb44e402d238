/**
 * @file Parts become one sound: each brought to its level, cut below where it has something to say, coloured and placed;
 * then the room, the glue of a compressor, and the loudness that the production asks for.
 */

import { integratedLoudness } from "../audio/loudness.js";
import { uniform } from "../lm/random.js";
import { age, echo, saturate } from "./effects/colour.js";
import { compress, limit } from "./effects/dynamics.js";
import { filter, highPass } from "./effects/filters.js";
import { type Room, reverberate } from "./effects/reverb.js";
import type { Family, Part, Production, Score } from "./score.js";
import type { Span } from "./span.js";

/** No sample is above it. */
export const ceiling = 0.89;

/** [parts][channels][samples of `span`], which is used up -> [channels][samples of the clip]. */
export function mix(score: Score, stems: readonly Float32Array[][], span: Span): Float32Array[] {
  const { production, seed } = score;
  const draw = (k: number) => uniform(seed, mixing, k);
  const channels = (stems[0]?.length ?? 1) as 1 | 2;
  const sums = Array.from({ length: channels }, () => new Float32Array(span.samples));
  const send = new Float32Array(span.samples);
  const parts = score.parts
    .map((part, i) => ({ part, sides: stems[i]! }))
    .filter(({ part, sides }) => prepare(part, sides, production, span.rate));
  raiseLead(parts, span);
  for (const { part, sides } of parts) {
    if (production.delay && part.role === "lead") addEcho(sides, score, span.rate, draw);
    for (const [side, gain] of panGains(part.pan, channels).entries()) add(sums[side]!, sides[side]!, gain);
    for (const side of sides) add(send, side, sendLevels[part.role] / channels);
  }
  if (production.reverb !== "dry") {
    const { room, level } = drawRoom(production.reverb, draw);
    for (const [side, answer] of reverberate(send, room, span.rate, channels).entries())
      add(sums[side]!, answer, level);
  }
  const lead = span.samples - Math.round(score.seconds * span.rate);
  const clip = sums.map((sum) => sum.subarray(lead).slice());
  if (production.lofi) age(clip, span.rate, Math.floor(draw(1) * 2 ** 31), rootMeanSquare(clip));
  const rms = rootMeanSquare(clip);
  if (rms === 0) return clip;
  compress(clip, span.rate, { threshold: 1.2 * rms, ratio: 2 + draw(2), attack: 0.01, release: 0.15 });
  for (const channel of clip) {
    saturate(channel, 0.25 * production.saturation, rms);
    filter(channel, highPass(lowest, span.rate)); // what is squashed on one side has a mean
  }
  toLoudness(clip, span.rate, production.loudness);
  return clip;
}

// --- internal ---

/** What these draws are called among those of a seed. */
const mixing = 0x313c;

/** LUFS of a part at level 0, before everything is brought to the production's loudness. */
const partLoudness = -23;

/** dB that drums are given: loudness, measured over 400 ms, counts the silence between strokes. */
const strokes = 2.5;

/** Hz. */
const lowest = 25;

/** How much of a part the room hears: little of what is low. */
const sendLevels: Readonly<Record<Part["role"], number>> = {
  lead: 1,
  counter: 1,
  chords: 0.8,
  pad: 1,
  bass: 0.12,
  drums: 0.45,
};

/** Hz below which a part has nothing but mud; 30 where it is not named. */
const cuts: Partial<Readonly<Record<Part["role"], number>>> = { lead: 110, counter: 110, chords: 90, pad: 120 };

/** Those with an amplifier, or a circuit, to overdrive. */
const electric: readonly Family[] = [
  "electric piano",
  "organ",
  "electric guitar",
  "distorted guitar",
  "synth lead",
  "bass",
];

/** Brings a part to its level, in place; false where it is silent. */
function prepare(part: Part, sides: readonly Float32Array[], production: Production, rate: number): boolean {
  for (const side of sides) filter(side, highPass(cuts[part.role] ?? 30, rate));
  if (electric.includes(part.family))
    for (const side of sides) saturate(side, production.saturation, rootMeanSquare([side]));
  const loudness = integratedLoudness({ sampleRate: rate, channels: sides });
  if (!Number.isFinite(loudness)) return false;
  const level = part.level + (part.role === "drums" ? strokes : 0);
  const gain = 10 ** ((partLoudness + level - loudness) / 20);
  for (const side of sides) for (let n = 0; n < side.length; n++) side[n]! *= gain;
  return true;
}

/** A lead is heard against all that accompanies it, however many they are: drums leave it room. */
function raiseLead(parts: readonly { part: Part; sides: readonly Float32Array[] }[], span: Span): void {
  const accompaniment = parts.filter(({ part: { role } }) => role !== "lead" && role !== "drums");
  if (accompaniment.length < 2) return;
  const sums = parts[0]!.sides.map(() => new Float32Array(span.samples));
  for (const { sides } of accompaniment) for (const [c, side] of sides.entries()) add(sums[c]!, side, 1);
  const louder = integratedLoudness({ sampleRate: span.rate, channels: sums }) - partLoudness;
  if (!(louder > 0)) return;
  const gain = 10 ** (louder / 20);
  for (const { part, sides } of parts)
    if (part.role === "lead") for (const side of sides) for (let n = 0; n < side.length; n++) side[n]! *= gain;
}

/** Echoes in time: three quarters of a beat, or a half. */
function addEcho(sides: readonly Float32Array[], score: Score, rate: number, draw: (k: number) => number): void {
  const beats = draw(3) < 0.5 ? 0.75 : 0.5;
  const [feedback, level] = [0.25 + 0.25 * draw(4), 0.18 + 0.17 * draw(5)];
  for (const side of sides) add(side, echo(side, (60 / score.bpm) * beats, feedback, rate), level);
}

/** Constant power; in mono nothing is left or right. */
function panGains(pan: number, channels: 1 | 2): number[] {
  if (channels === 1) return [1];
  const angle = ((1 + Math.max(-1, Math.min(1, pan))) * Math.PI) / 4;
  return [Math.SQRT2 * Math.cos(angle), Math.SQRT2 * Math.sin(angle)];
}

function drawRoom(kind: "room" | "hall", draw: (k: number) => number): { room: Room; level: number } {
  const between = (k: number, low: number, high: number) => low + (high - low) * draw(k);
  const low = kind === "room" ? between(6, 0.35, 0.9) : between(6, 1.3, 3);
  return {
    room: {
      low,
      high: low * between(7, 0.25, 0.6),
      size: kind === "room" ? between(8, 0.35, 0.8) : between(8, 1, 1.8),
      before: kind === "room" ? between(9, 0.002, 0.012) : between(9, 0.012, 0.04),
    },
    level: kind === "room" ? between(10, 0.15, 0.35) : between(10, 0.15, 0.4),
  };
}

/** Brings the sound to `target` LUFS; what a limiter takes from its peaks is given back once. */
function toLoudness(channels: readonly Float32Array[], rate: number, target: number): void {
  for (let pass = 0; pass < 2; pass++) {
    const gain = 10 ** ((target - integratedLoudness({ sampleRate: rate, channels })) / 20);
    if (!Number.isFinite(gain)) return;
    if (pass > 0 && gain < 1.06) return; // half a dB
    for (const channel of channels) for (let n = 0; n < channel.length; n++) channel[n]! *= gain;
    limit(channels, rate, ceiling);
  }
}

function add(to: Float32Array, from: Float32Array, gain: number): void {
  for (let n = 0; n < to.length; n++) to[n]! += gain * from[n]!;
}

function rootMeanSquare(channels: readonly Float32Array[]): number {
  let sum = 0;
  for (const channel of channels) for (let n = 0; n < channel.length; n++) sum += channel[n]! ** 2;
  return Math.sqrt(sum / channels.length / Math.max(1, channels[0]!.length));
}
