/**
 * @file How much of a sound is struck, as by drums: what is struck stands upright in a spectrogram, what is sung or held lies along it
 * (Fitzgerald, "Harmonic/percussive separation using median filtering", 2010).
 */

import { bands, type Heard } from "./hearing.js";

/** 0 to 1: of the magnitude of all bands above 250 Hz, the share that is upright rather than along. */
export function percussiveness({ mel }: Heard): number {
  const size = mel.map((frame) => frame.map((power) => Math.sqrt(power)));
  const column = new Float32Array(2 * length + 1);
  const row = new Float32Array(2 * height + 1);
  let [struck, whole] = [0, 0];
  for (let t = length; t < size.length - length; t += 2)
    for (let band = lowest; band < bands - height; band++) {
      for (let i = -length; i <= length; i++) column[length + i] = size[t + i]![band]!;
      for (let i = -height; i <= height; i++) row[height + i] = size[t]![band + i]!;
      const along = column.sort()[length]! ** 2;
      const upright = row.sort()[height]! ** 2;
      const here = size[t]![band]!;
      whole += here;
      if (upright > 0) struck += (here * upright) / (upright + along);
    }
  return whole > 0 ? struck / whole : 0;
}

// --- internal ---

/** Frames, and bands, on either side. */
const length = 10;
const height = 6;
const lowest = 8;
