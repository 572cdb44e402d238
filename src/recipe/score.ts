/**
 * @file A score: everything that is played in one clip, in seconds from its first sample, and everything that is true of it.
 * The composer writes it, the renderer plays it, captions and labels are read from it.
 */

/** What a listener would call the instrument, of whatever make. */
export const families = [
  "piano",
  "electric piano",
  "organ",
  "mallets",
  "acoustic guitar",
  "electric guitar",
  "distorted guitar",
  "plucked",
  "strings",
  "violin",
  "choir",
  "brass",
  "saxophone",
  "flute",
  "clarinet",
  "synth lead",
  "synth pad",
  "bass",
  "drums",
] as const;
export type Family = (typeof families)[number];

export const modes = ["major", "minor", "dorian", "mixolydian"] as const;
export type Mode = (typeof modes)[number];

export interface Note {
  /** Seconds; may lie before 0 where a clip starts in the middle of a piece. */
  readonly at: number;
  readonly duration: number;
  /** MIDI number; on drums, General MIDI's percussion key. */
  readonly pitch: number;
  /** 1 to 127 */
  readonly velocity: number;
}

/** A MIDI controller (vibrato depth 1, expression 11, ...) or a bend of the pitch in semitones. */
export interface Control {
  readonly at: number;
  readonly controller: number | "bend";
  readonly value: number;
}

/** What plays a part: a General MIDI program or kit of whatever SoundFont, or one of our own synthesisers. */
export type Sound =
  | { readonly kind: "program"; readonly program: number }
  | { readonly kind: "kit"; readonly program: number }
  | { readonly kind: "synth"; readonly name: string };

export interface Part {
  readonly role: "lead" | "counter" | "chords" | "pad" | "bass" | "drums";
  readonly family: Family;
  /** As captions may call it, such as "nylon guitar". */
  readonly name: string;
  readonly sound: Sound;
  readonly notes: readonly Note[];
  readonly controls: readonly Control[];
  /** dB against the accompaniment. */
  readonly level: number;
  /** -1 left to 1 right */
  readonly pan: number;
}

export interface Chord {
  readonly at: number;
  /** 0 = C */
  readonly root: number;
  /** "maj", "min", "7", "maj7", "m7", "dim", "sus4", ... */
  readonly quality: string;
}

/** How a clip should sound as a whole. */
export interface Production {
  readonly reverb: "dry" | "room" | "hall";
  readonly delay: boolean;
  readonly saturation: number;
  /** Tape and vinyl noise. */
  readonly lofi: boolean;
  /** LUFS */
  readonly loudness: number;
}

export interface Score {
  readonly seed: number;
  readonly style: string;
  readonly seconds: number;
  /** Seconds of the piece before the clip's first sample: 0 where the clip is its start. */
  readonly offset: number;
  /** Quarter notes a minute, at the clip's start; `tempo` where it changes. */
  readonly bpm: number;
  readonly tempo: readonly { readonly at: number; readonly bpm: number }[];
  readonly metre: readonly [beats: number, unit: number];
  /** 0 = C; undefined where the harmony does not state one. */
  readonly key: number | undefined;
  readonly mode: Mode;
  readonly chords: readonly Chord[];
  readonly sections: readonly { readonly at: number; readonly name: string }[];
  readonly parts: readonly Part[];
  readonly beats: readonly number[];
  readonly production: Production;
}
