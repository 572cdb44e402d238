/** @file Sounds as pictures, one above the other: loudness in dB over time and frequency, so that a person can look at them. */

import { encode } from "fast-png";
import { realFft } from "../melody/fft.js";

/** Samples of a frame; a column a quarter of that. */
const fftSize = 1024;
/** dB from black to white, below the loudest. */
const range = 80;

/** A PNG of mono sounds, equally long and loud enough to compare: low frequencies at the bottom of each. */
export function spectrogramPng(sounds: readonly Float32Array[]): Uint8Array {
  const pictures = sounds.map(levels);
  const loudest = Math.max(...pictures.map(({ most }) => most));
  const [rows, gap] = [fftSize / 2, 4];
  const width = Math.max(...pictures.map(({ columns }) => columns));
  const height = pictures.length * (rows + gap) - gap;
  const data = new Uint8Array(width * height * 3).fill(255);
  for (const [i, { decibels, columns }] of pictures.entries())
    for (let x = 0; x < width; x++)
      for (let y = 0; y < rows; y++) {
        const level = x < columns ? 1 + (decibels[x * rows + (rows - 1 - y)]! - loudest) / range : 0;
        data.set(colourOf(Math.max(0, Math.min(1, level))), ((i * (rows + gap) + y) * width + x) * 3);
      }
  return encode({ width, height, data, channels: 3, depth: 8 });
}

// --- internal ---

function levels(sound: Float32Array) {
  const [hop, rows] = [fftSize / 4, fftSize / 2];
  const columns = Math.max(1, 1 + Math.floor((sound.length - fftSize) / hop));
  const fft = realFft(fftSize);
  const [frame, re, im] = [new Float64Array(fftSize), new Float64Array(rows + 1), new Float64Array(rows + 1)];
  const decibels = new Float32Array(columns * rows);
  let most = Number.NEGATIVE_INFINITY;
  for (let t = 0; t < columns; t++) {
    for (let n = 0; n < fftSize; n++)
      frame[n] = (sound[t * hop + n] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / fftSize));
    fft(frame, re, im);
    for (let k = 0; k < rows; k++) {
      const level = 10 * Math.log10(re[k]! ** 2 + im[k]! ** 2 + 1e-10);
      decibels[t * rows + k] = level;
      most = Math.max(most, level);
    }
  }
  return { decibels, columns, most };
}

/** Black, purple, orange, pale yellow: as bright as loud. */
const colourOf = (level: number): [number, number, number] => [
  Math.round(255 * Math.min(1, 1.6 * level)),
  Math.round(255 * level ** 2),
  Math.round(255 * (level < 0.5 ? 0.9 * level : 0.45 - 0.5 * (level - 0.5) + Math.max(0, level - 0.8) * 3)),
];
