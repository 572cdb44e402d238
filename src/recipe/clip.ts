/** @file One clip of the recipe "synth", from its seed to an audio file and a line of the manifest. */

import { integratedLoudness } from "../audio/loudness.js";
import { writeFlac } from "../audio/write-flac.js";
import type { Entry, Split } from "../data/manifest.js";
import { captionsOf } from "./captions.js";
import { compose } from "./compose.js";
import { type Font, type FontSource, loadFonts } from "./fonts.js";
import { labelsOf } from "./labels.js";
import { playedBy, render } from "./render.js";

/** One clip. */
export interface ClipJob {
  readonly seed: number;
  readonly split: Split;
  /** Of the audio file, from the data set's folder. */
  readonly path: string;
  readonly seconds: number;
  readonly channels: 1 | 2;
  readonly fonts: readonly FontSource[];
}

export interface Clip {
  /** A FLAC file of 16 bits. */
  readonly audio: Uint8Array;
  readonly entry: Entry;
}

/** The same job gives the same bytes. A thread that makes many reads the fonts once. */
export async function makeClip({ seed, split, path, seconds, channels, fonts: sources }: ClipJob): Promise<Clip> {
  const fonts = await loaded(sources);
  const score = compose(seed, { seconds });
  const sound = await render(score, fonts, { channels });
  const { caption, others, info, mood } = captionsOf(score, seed, { heldOut: split === "test" });
  return {
    audio: writeFlac(sound, 16),
    entry: {
      path,
      duration: seconds,
      sample_rate: sound.sampleRate,
      channels,
      split,
      info: { ...info, description: caption },
      captions: others,
      labels: labelsOf(score, playedBy(score, fonts), integratedLoudness(sound), mood),
    },
  };
}

// --- internal ---

let last: { readonly paths: string; readonly fonts: Promise<Font[]> } | undefined;

function loaded(sources: readonly FontSource[]): Promise<Font[]> {
  const paths = sources.map(({ path }) => path).join("\n");
  if (last?.paths !== paths) last = { paths, fonts: loadFonts(sources) };
  return last.fonts;
}
