/** @file Published models that this server can fetch, and what it knows of them without having them. */

import { codecConfig } from "../codec/config.js";
import { lmConfig } from "../lm/config.js";
import { memoryToCompose } from "../memory-needed.js";
import { codec32, lmSizes, t5Base } from "../published.js";
import { t5Config } from "../text/t5.js";

export interface Offer {
  readonly name: string;
  /** What it is good for, for people. */
  readonly about: string;
  readonly licence: string;
  /** Bytes held at most while it composes. */
  readonly memory: number;
}

export function offers(): Offer[] {
  return published.map(([name, about, { melody = false, ...decoder }]) => {
    const lm = lmConfig(decoder, !melody, name);
    const memory = memoryToCompose({ lm, text: t5Config(t5Base, name), codec: codecConfig(codec32, name), columns });
    return { name, about, licence: "cc-by-nc-4.0", memory: Math.round(memory) };
  });
}

// --- internal ---

const { small, medium, large } = lmSizes;
const stereo = { num_codebooks: 8, audio_channels: 2 };
/** Half a minute. */
const columns = 1500;

const published: readonly (readonly [string, string, object & { melody?: boolean }])[] = [
  ["facebook/musicgen-small", "the smallest of Meta's models, mono", small],
  ["facebook/musicgen-melody", "follows a tune that you hum or play", { ...medium, melody: true }],
  ["facebook/musicgen-stereo-small", "the small one, left and right", { ...small, ...stereo }],
  ["facebook/musicgen-medium", "better music, slower", medium],
  ["facebook/musicgen-large", "the best of them, and the slowest", large],
];
