/**
 * @file Codecs that everybody knows, as rulers: Opus, MP3 and low-pass filters on the same clips. Their numbers depend on
 * the clips, so they are measured; where nothing here can encode, the published ones stand in and say so.
 */

import { sampleCount, type Waveform } from "../audio/waveform.js";
import type { Clip } from "./clips.js";
import { type Kept, keptOf, meanOf } from "./codec-run.js";

export interface Anchor {
  readonly name: string;
  readonly kept: Kept;
  /** Whether these are the numbers of the sixteen clips of recipes/real-audio.sh, published, rather than measured here. */
  readonly published: boolean;
}

export interface AnchorCodec {
  readonly name: string;
  readonly format: "opus" | "mp3";
  /** kbit/s */
  readonly rate: number;
}

/** Encodes and decodes; the sound comes back at its rate, perhaps shifted. */
export type AnchorEncoder = (sound: Waveform, codec: AnchorCodec) => Promise<Waveform>;

/** The anchors on `clips`, as mono at 32 kHz. @param encode undefined where nothing here can */
export async function anchorsOn(
  clips: readonly Clip[],
  seconds: number,
  encode: AnchorEncoder | undefined,
  signal?: AbortSignal,
): Promise<Anchor[]> {
  if (encode === undefined) return published.map((row) => ({ ...row, published: true }));
  const sounds = await Promise.all(clips.map((clip) => clip.load(32000, seconds)));
  const anchors: Anchor[] = [];
  for (const codec of codecs) {
    const all: Kept[] = [];
    for (const sound of sounds) {
      signal?.throwIfAborted();
      all.push(keptOf(aligned(await encode(sound, codec), sound), sound));
    }
    anchors.push({ name: codec.name, kept: meanOf(all), published: false });
  }
  return anchors;
}

/** `made`, moved to where it fits `real` best: encoders put silence before the sound. */
export function aligned(made: Waveform, real: Waveform): Waveform {
  const [a, b] = [made.channels[0]!, real.channels[0]!];
  const from = Math.max(0, Math.floor(b.length / 2) - window / 2);
  let [best, shift] = [Number.NEGATIVE_INFINITY, 0];
  for (let lag = -furthest; lag <= furthest; lag++) {
    let sum = 0;
    for (let i = from; i < from + window && i < b.length; i++) sum += (a[i + lag] ?? 0) * b[i]!;
    if (sum > best) [best, shift] = [sum, lag];
  }
  const moved = Float32Array.from({ length: sampleCount(real) }, (_, i) => a[i + shift] ?? 0);
  return { sampleRate: real.sampleRate, channels: [moved] };
}

// --- internal ---

/** Samples whose likeness decides, and how far sounds are moved. */
const window = 16384;
const furthest = 3000;

const codecs: readonly AnchorCodec[] = [
  { name: "Opus 6 kbit/s", format: "opus", rate: 6 },
  { name: "Opus 8 kbit/s", format: "opus", rate: 8 },
  { name: "Opus 12 kbit/s", format: "opus", rate: 12 },
  { name: "Opus 16 kbit/s", format: "opus", rate: 16 },
  { name: "Opus 24 kbit/s", format: "opus", rate: 24 },
  { name: "MP3 16 kbit/s", format: "mp3", rate: 16 },
  { name: "MP3 32 kbit/s", format: "mp3", rate: 32 },
];

/** Of the sixteen clips of recipes/real-audio.sh: Opus and LAME by ffmpeg 5.1, aligned. */
const published: readonly { name: string; kept: Kept }[] = [
  { name: "Opus 6 kbit/s", kept: { siSnr: 1.6, mel: 1.05, lsd: 4.13 } },
  { name: "Opus 8 kbit/s", kept: { siSnr: 6.8, mel: 1.03, lsd: 4.14 } },
  { name: "Opus 12 kbit/s", kept: { siSnr: 9.6, mel: 0.5, lsd: 2.92 } },
  { name: "Opus 16 kbit/s", kept: { siSnr: 10.9, mel: 0.27, lsd: 2.16 } },
  { name: "Opus 24 kbit/s", kept: { siSnr: 14.1, mel: 0.24, lsd: 2.14 } },
  { name: "MP3 16 kbit/s", kept: { siSnr: 14.6, mel: 0.97, lsd: 4.17 } },
  { name: "MP3 32 kbit/s", kept: { siSnr: 17.0, mel: 0.56, lsd: 3.37 } },
];
