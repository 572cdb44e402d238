/** @file How loud a track is, measured once. */

import { integratedLoudness } from "../../../src/audio/loudness.js";
import type { Track } from "./track.js";

export interface Loudness {
  /** LUFS, by ITU-R BS.1770. */
  readonly integrated: number;
  /** Of the largest sample, in dB below full scale. */
  readonly peak: number;
}

/** Of a track that is whole. */
export function loudnessOf(track: Track): Loudness {
  const known = measured.get(track);
  if (known !== undefined) return known;
  const channels = track.slice(0, track.length);
  let most = 0;
  for (const channel of channels) for (let n = 0; n < channel.length; n++) most = Math.max(most, Math.abs(channel[n]!));
  const loudness = {
    integrated: integratedLoudness({ sampleRate: track.sampleRate, channels }),
    peak: 20 * Math.log10(most),
  };
  measured.set(track, loudness);
  return loudness;
}

// --- internal ---

const measured = new WeakMap<Track, Loudness>();
