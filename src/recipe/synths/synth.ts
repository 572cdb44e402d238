/** @file What a synthesiser of ours is given: a note at a time, and how its pitch moves. */

/** Samples between two looks at what moves slowly: envelopes of filters, vibrato, bends. A millisecond at 32 kHz. */
export const step = 32;

export interface Tone {
  /** The first sample in the output; negative where it began before. */
  readonly start: number;
  /** Samples until its key is let go. */
  readonly held: number;
  /** Hz, without bends. */
  readonly frequency: number;
  /** 0 to 1 */
  readonly velocity: number;
  /** A whole number of 32 bits, another for each note of a part. */
  readonly seed: number;
}

/** Where tones go, and what is true of the whole part. */
export interface Stage {
  readonly rate: number;
  /** Tones are added to it. */
  readonly out: Float32Array;
  /** [samples / step] factors of the frequency; undefined where nothing bends. */
  readonly bend: Float32Array | undefined;
  /** The part's character: the same number in [0, 1) for the same `index`. */
  draw(index: number): number;
}

/** Adds one tone to the stage's output, through to the end of its release. */
export type Synth = (tone: Tone) => void;

/** Makes a synth for a part, so that what all its tones share is drawn once. */
export type Instrument = (stage: Stage) => Synth;

/** The factor of the frequency at sample `n` of the output. */
export const bendAt = ({ bend }: Stage, n: number): number =>
  bend === undefined ? 1 : bend[Math.min(bend.length - 1, Math.max(0, Math.trunc(n / step)))]!;
