/** @file A score becomes sound: every part by what plays it, then the mix. */

import type { Waveform } from "../audio/waveform.js";
import { type Font, fontOf } from "./fonts.js";
import { mix } from "./mix.js";
import { playSampled } from "./sampled.js";
import type { Part, Score } from "./score.js";
import { type Span, spanOf } from "./span.js";
import { playSynth } from "./synths/play.js";

/** Samples a second. */
export const renderRate = 32_000;

export interface RenderOptions {
  /** 1 if not said. */
  readonly channels?: 1 | 2;
}

/**
 * `score.seconds` of sound at 32 kHz, peak below 0.9, at the loudness of its production. The same score and fonts give
 * the same samples.
 * @throws HocketError "bad-request" for a sound that no font and no synthesiser has
 */
export async function render(score: Score, fonts: readonly Font[], options: RenderOptions = {}): Promise<Waveform> {
  const channels = options.channels ?? 1;
  const span = spanOf(score, renderRate);
  return { sampleRate: renderRate, channels: mix(score, await stemsOf(score, fonts, span, channels), span) };
}

/** What plays each part: the name of a font, or undefined for a synthesiser of ours. */
export const playedBy = (score: Score, fonts: readonly Font[]): (string | undefined)[] =>
  score.parts.map((part, i) => (part.sound.kind === "synth" ? undefined : fontOf(part, score.seed, i, fonts).name));

/** [parts][channels][samples of `span`]: each part alone and dry, as loud as its instrument happens to be. */
export async function stemsOf(
  score: Score,
  fonts: readonly Font[],
  span: Span,
  channels: 1 | 2,
): Promise<Float32Array[][]> {
  const stems: Float32Array[][] = new Array(score.parts.length);
  const byFont = new Map<Font, { part: Part; i: number }[]>();
  for (const [i, part] of score.parts.entries()) {
    if (part.sound.kind === "synth") stems[i] = playSynth(part, score.seed, i, span, channels);
    else {
      const font = fontOf(part, score.seed, i, fonts);
      byFont.set(font, [...(byFont.get(font) ?? []), { part, i }]);
    }
  }
  for (const [font, parts] of byFont) {
    const played = await playSampled(
      parts.map(({ part }) => part),
      font,
      span,
      channels,
    );
    for (const [k, { i }] of parts.entries()) stems[i] = played[k]!;
  }
  return stems;
}
