/**
 * @file How good a codec is on sound that it never learnt from: held-out renders and real recordings, in numbers, with the
 * use of its codebooks, and beside codecs that everybody knows.
 */

import { sampleCount, type Waveform } from "../audio/waveform.js";
import type { Codes } from "../codes.js";
import type { CodecModel } from "../model.js";
import { decodeCodes, encodeWaveform } from "../sound.js";
import { codebookUse, siSnr } from "../train/evaluate.js";
import type { Clip } from "./clips.js";
import { logSpectralDistance, melDistance } from "./fidelity.js";

/** How much of a sound is kept; see fidelity.ts. */
export interface Kept {
  /** dB, higher is better. */
  readonly siSnr: number;
  /** Lower is better. */
  readonly mel: number;
  readonly lsd: number;
}

export interface KeptClip extends Kept {
  readonly name: string;
}

/** A codec on one set of clips. */
export interface CodecScore {
  readonly set: string;
  readonly clips: readonly KeptClip[];
  readonly mean: Kept;
  /** Of each codebook over all clips: share of entries in use, and perplexity as a share of its entries. */
  readonly codebooks: readonly { readonly usage: number; readonly perplexity: number }[];
}

/** The measures of a sound that came back; both mono, of one rate. A codec may return a few samples more or less. */
export function keptOf(made: Waveform, real: Waveform): Kept {
  const length = Math.min(sampleCount(made), sampleCount(real));
  const [a, b] = [made, real].map((sound) => sound.channels[0]!.subarray(0, length)) as [Float32Array, Float32Array];
  return {
    siSnr: siSnr([[a]], [[b]], { sampleRate: real.sampleRate }),
    mel: melDistance(a, b, real.sampleRate),
    lsd: logSpectralDistance(a, b),
  };
}

/** Sound through `model` and back, and the codes that it was; several clips at once would need memory, and save no time. */
export async function throughModel(model: CodecModel, sound: Waveform, signal?: AbortSignal) {
  const options = signal === undefined ? {} : { signal };
  const chunks = await encodeWaveform(model, sound, options);
  const [made] = await decodeCodes(model, chunks, signal);
  return { sound: made!, codes: chunks.map((chunk) => chunk.codes[0]!) };
}

/** Judges `model` on clips of at most `seconds`; tells how many are done. */
export async function* scoreCodec(
  model: CodecModel,
  set: string,
  clips: readonly Clip[],
  seconds: number,
  signal?: AbortSignal,
): AsyncGenerator<number, CodecScore> {
  const kept: KeptClip[] = [];
  const grids: Codes[] = [];
  for (const clip of clips) {
    signal?.throwIfAborted();
    const real = await clip.load(model.codec.sampleRate, seconds);
    const { sound, codes } = await throughModel(model, real, signal);
    kept.push({ name: clip.name, ...keptOf(sound, real) });
    grids.push(...codes);
    yield kept.length;
  }
  const bins = model.codec.config.codebook_size;
  const codebooks = codebookUse(grids, bins).map(({ usage, perplexity }) => ({ usage, perplexity: perplexity / bins }));
  return { set, clips: kept, mean: meanOf(kept), codebooks };
}

export function meanOf(all: readonly Kept[]): Kept {
  const mean = (pick: (kept: Kept) => number) => all.reduce((sum, kept) => sum + pick(kept), 0) / all.length;
  return { siSnr: mean(({ siSnr }) => siSnr), mel: mean(({ mel }) => mel), lsd: mean(({ lsd }) => lsd) };
}
