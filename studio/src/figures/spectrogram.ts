/** @file Which frequencies sound when: a picture of as many moments as it has columns, low notes below, octave by octave. */

import { realFft } from "../../../src/melody/fft.js";
import type { Track } from "../sound/track.js";

const size = 1024; // samples of a moment
const lowest = 50; // Hz
const range = 72; // dB from the loudest to what is not drawn

/** @param ramp colours from silence to loud, as #rrggbb */
export function spectrogram(track: Track, columns: number, rows: number, ramp: readonly string[]): ImageData {
  const levels = levelsOf(track, columns, rows);
  const loudest = levels.reduce((most, level) => Math.max(most, level), -120);
  const image = new ImageData(columns, rows);
  const stops = ramp.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  for (const [i, level] of levels.entries()) {
    const share = Math.max(0, Math.min(0.9999, 1 + (level - loudest) / range)) * (stops.length - 1);
    const [from, to] = [stops[Math.floor(share)]!, stops[Math.floor(share) + 1]!];
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = from[c]! + (to[c]! - from[c]!) * (share % 1);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Hz of a row of such a picture, from its top. */
export const frequencyOf = (row: number, rows: number, sampleRate: number): number =>
  lowest * (sampleRate / 2 / lowest) ** (1 - (row + 0.5) / rows);

// --- internal ---

/** [rows * columns] in dB, from the top. */
function levelsOf(track: Track, columns: number, rows: number): Float32Array {
  const fft = realFft(size);
  const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const [frame, re, im] = [new Float64Array(size), new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
  const levels = new Float32Array(rows * columns);
  for (let x = 0; x < columns; x++) {
    const start = Math.round(((x + 0.5) * track.length) / columns - size / 2);
    const part = track.slice(Math.max(0, start), start + size);
    for (let i = 0; i < size; i++) {
      const at = i + Math.min(0, start);
      frame[i] = at < 0 ? 0 : window[i]! * part.reduce((sum, channel) => sum + (channel[at] ?? 0), 0);
    }
    fft(frame, re, im);
    for (let y = 0; y < rows; y++) {
      const bin = (frequencyOf(y, rows, track.sampleRate) * size) / track.sampleRate;
      const [low, share] = [Math.floor(bin), bin % 1];
      const power = (b: number) => (re[b] ?? 0) ** 2 + (im[b] ?? 0) ** 2;
      levels[y * columns + x] = 10 * Math.log10(1e-9 + power(low) * (1 - share) + power(low + 1) * share);
    }
  }
  return levels;
}
