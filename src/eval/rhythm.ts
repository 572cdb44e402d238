/**
 * @file How a piece moves, whatever its tempo: how strongly sounds begin at each multiple and share of the beat, in four
 * registers, and whether a register plays with the bass or between its notes.
 */

import { bands, frameRate, type Heard } from "./hearing.js";
import { onsets } from "./tempo.js";

/** Onsets a beat that are looked for: a bar of four or three, half bars, beats, shuffles, eighths to sixths of a beat. */
const rates = [1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 4 / 3, 3 / 2, 2, 3, 4, 6];
/** Those at which registers are held against the bass. */
const compared = [1 / 2, 1, 2];
/** First bands of the registers: bass, low, middle, high. */
const registers = [0, 8, 24, 44, bands];

export const rhythmCount = (registers.length - 1) * (rates.length + 1) + (registers.length - 2) * compared.length * 2;

/** [rhythmCount]; zeros where nothing begins. @param bpm its tempo */
export function rhythm(heard: Heard, bpm: number): Float32Array {
  const beat = (60 / bpm) * frameRate;
  if (Number.isNaN(beat)) return new Float32Array(rhythmCount);
  const begun = registers.slice(1).map((end, i) => onsets(heard, registers[i], end));
  const loudness = begun.map((row) => row.reduce((sum, value) => sum + value, 0));
  const all = loudness.reduce((sum, value) => sum + value, 0);
  const waves = begun.map((row, i) => new Map(rates.map((rate) => [rate, waveAt(row, rate / beat, loudness[i]!)])));
  const [bass, ...others] = waves;
  return Float32Array.from([
    ...waves.flatMap((wave) => rates.map((rate) => Math.hypot(...wave.get(rate)!))),
    ...loudness.map((value) => value / all),
    // The product with the bass's conjugate: 1 where both begin together, -1 where one is between the other.
    ...others.flatMap((wave) =>
      compared.flatMap((rate) => {
        const [[a, b], [c, d]] = [bass!.get(rate)!, wave.get(rate)!];
        const size = Math.hypot(a, b) * Math.hypot(c, d);
        const sure = size / (size + 0.01);
        return size > 0 ? [(sure * (a * c + b * d)) / size, (sure * (a * d - b * c)) / size] : [0, 0];
      }),
    ),
  ]);
}

// --- internal ---

/** The Fourier coefficient of a row at a frequency (a frame), as a share of the row's sum. */
function waveAt(row: Float32Array, frequency: number, whole: number): readonly [number, number] {
  let [re, im] = [0, 0];
  for (let t = 0; t < row.length; t++) {
    const turn = 2 * Math.PI * frequency * t;
    re += row[t]! * Math.cos(turn);
    im -= row[t]! * Math.sin(turn);
  }
  return whole > 0 ? [re / whole, im / whole] : [0, 0];
}
