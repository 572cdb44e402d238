/** @file A waveform as it grows: the extremes of what lies under each pixel, mirrored pillars for the eye. */

import type { Track } from "../sound/track.js";
import type { Palette } from "./palette.js";

const step = 3; // pixels from pillar to pillar

/** @param seconds that the whole width stands for */
export function drawWave(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  track: Track | undefined,
  seconds: number,
  heard: number,
  palette: Palette,
): void {
  ctx.clearRect(0, 0, width, height);
  const middle = height / 2;
  const levels = track === undefined ? [] : levelsOf(track, Math.max(1, Math.floor(width / step)), seconds);
  for (let i = 0; i * step < width; i++) {
    const level = levels[i];
    const half = level === undefined ? 0.5 : Math.max(0.75, level * (middle - 1));
    const before = (i * step * seconds) / width < heard;
    ctx.fillStyle = level === undefined ? palette.empty : before ? palette.ink : palette.muted;
    ctx.fillRect(i * step, middle - half, step - 1, 2 * half);
  }
}

/** The largest amplitude of each of `count` parts of so many seconds; of those that are there. */
export function levelsOf(track: Track, count: number, seconds: number): number[] {
  const key = `${count} ${seconds}`;
  const last = levels.get(track);
  const known = last?.key === key ? last : { key, of: [] };
  levels.set(track, known);
  const samples = (seconds * track.sampleRate) / count;
  for (;;) {
    const i = known.of.length;
    const [start, end] = [Math.floor(i * samples), Math.floor((i + 1) * samples)];
    if (i >= count || start >= track.length || (end > track.length && !track.whole)) return known.of;
    let most = 0;
    for (const channel of track.slice(start, Math.max(end, start + 1)))
      for (let n = 0; n < channel.length; n++) most = Math.max(most, Math.abs(channel[n]!));
    known.of.push(Math.min(1, most));
  }
}

// --- internal ---

const levels = new WeakMap<Track, { key: string; of: number[] }>();
