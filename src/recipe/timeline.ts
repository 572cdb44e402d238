/** @file From beats to seconds: tempo, its changes, and swing. */

export interface Swing {
  /** 0.5 of a quarter note for eighths, 0.25 for sixteenths. */
  readonly unit: number;
  /** How much of a quarter note every second one comes late; 0 is straight. */
  readonly by: number;
}

/** A tempo that grows or shrinks to `ratio` of itself, a step every quarter note, and stays there. */
export interface Curve {
  readonly from: number;
  readonly to: number;
  readonly ratio: number;
}

/** Where quarter notes fall, in seconds from the piece's start. */
export class Timeline {
  readonly #starts: number[] = [0];

  constructor(
    readonly bpm: number,
    readonly swing: Swing,
    readonly curve?: Curve,
  ) {}

  /** Quarter notes a minute during the quarter note that starts at `beat`. */
  bpmAt(beat: number): number {
    if (this.curve === undefined) return this.bpm;
    const { from, to, ratio } = this.curve;
    const done = Math.min(1, Math.max(0, (Math.floor(beat) - from) / (to - from)));
    return round(this.bpm * (1 + (ratio - 1) * done), 100);
  }

  /** Of a place in the bar as written, swing not yet counted. */
  seconds(beat: number): number {
    return this.even(swung(beat, this.swing));
  }

  /** Of a beat as the metronome ticks. */
  even(beat: number): number {
    const whole = Math.floor(beat);
    while (this.#starts.length <= whole) {
      const last = this.#starts.length - 1;
      this.#starts.push(this.#starts[last]! + 60 / this.bpmAt(last));
    }
    return this.#starts[whole]! + ((beat - whole) * 60) / this.bpmAt(whole);
  }
}

/** Times are kept to a tenth of a millisecond, so that a score reads the same everywhere. */
export const round = (value: number, to = 10_000): number => Math.round(value * to) / to;

// --- internal ---

function swung(beat: number, { unit, by }: Swing): number {
  if (by === 0) return beat;
  const pair = Math.floor(beat / (2 * unit)) * 2 * unit;
  const within = beat - pair;
  return within < unit
    ? pair + (within * (unit + by)) / unit
    : pair + unit + by + ((within - unit) * (unit - by)) / unit;
}
