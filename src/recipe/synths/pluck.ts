/** @file A plucked string (Karplus and Strong, 1983; tuned as Jaffe and Smith, 1983): noise that runs around in a loop. */

import { noise } from "./noise.js";
import { bendAt, type Instrument, type Stage, type Tone } from "./synth.js";

export const pluck: Instrument = (stage) => {
  const seconds = 0.8 + 2.4 * stage.draw(0); // to a thousandth
  const brightness = 0.3 + 0.6 * stage.draw(1);
  const place = 0.08 + 0.2 * stage.draw(2); // of the string, where it is plucked
  return (tone) => play(tone, stage, seconds, brightness, place);
};

// --- internal ---

/** Seconds that a hand takes to stop the string. */
const stopping = 0.08;

function play(tone: Tone, stage: Stage, seconds: number, brightness: number, place: number): void {
  const { rate, out } = stage;
  const length = Math.min(Math.ceil(seconds * rate), tone.held + Math.ceil(2 * stopping * rate));
  const end = Math.min(out.length, tone.start + length);
  const size = Math.ceil(rate / tone.frequency) * 2 + 4; // room for bends of an octave down
  const loop = new Float32Array(size);
  const period = rate / tone.frequency;
  excite(loop, Math.round(period), tone, brightness, place);

  // An octave up loses its highs twice as fast, so high strings are damped less.
  const damping = 0.5 * (1 - brightness) * Math.min(1, 220 / tone.frequency);
  const lossy = 0.001 ** (1 / (seconds * tone.frequency));
  const stopped = 0.001 ** (1 / (stopping * tone.frequency));
  let write = Math.round(period) % size;
  let [previous, arrived, passed] = [0, 0, 0];
  let mean = 0;
  for (let n = tone.start; n < end; n++) {
    // The filter delays by about `damping` samples; an all-pass makes up what is not a whole sample, without losses.
    const delay = Math.max(1.2, period / bendAt(stage, n) - damping);
    const whole = Math.trunc(delay - 0.1);
    const coefficient = (1 - (delay - whole)) / (1 + (delay - whole));
    const x = loop[write < whole ? write - whole + size : write - whole]!;
    passed = coefficient * (x - passed) + arrived;
    arrived = x;
    const kept = (n - tone.start < tone.held ? lossy : stopped) * ((1 - damping) * passed + damping * previous);
    previous = passed;
    loop[write] = kept;
    write = write + 1 === size ? 0 : write + 1;
    mean += 0.002 * (kept - mean); // what the loop keeps of a constant is not sound
    if (n >= 0) out[n]! += kept - mean;
  }
}

/** Noise, softened by how gently it is plucked, without the harmonics that have a node where it is plucked. */
function excite(loop: Float32Array, period: number, tone: Tone, brightness: number, place: number): void {
  const random = noise(tone.seed);
  const softness = 0.85 * (1 - tone.velocity) * (1 - 0.5 * brightness);
  const burst = new Float32Array(period);
  let smooth = 0;
  for (let n = 0; n < period; n++) {
    smooth += (1 - softness) * (random() - smooth);
    burst[n] = smooth;
  }
  const shift = Math.max(1, Math.round(place * period));
  let sum = 0;
  for (let n = 0; n < period; n++) sum += burst[n]! ** 2;
  const gain = (0.2 + 0.6 * tone.velocity) / Math.sqrt(1e-9 + sum / period) / 2;
  for (let n = 0; n < period; n++) loop[n] = gain * (burst[n]! - burst[(n + period - shift) % period]!);
}
