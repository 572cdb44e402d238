/** @file Style cards of machines: ambient, house, hip hop and chiptune. */

import type { Style } from "./style.js";

const straight = { chance: 0, unit: 0.5, by: [0, 0] } as const;

export const ambient: Style = {
  tempo: [56, 112],
  three: 0.05,
  swing: straight,
  modes: { major: 48, minor: 42, dorian: 5, mixolydian: 5 },
  harmony: {
    major: ["I IV V I", "I IV I V", "I ii V I", "I iii IV V", "I I:3 IV V"],
    minor: ["i iv V i", "i bVI V i", "i iv i V", "i i iv V", "i bVI iv V"],
    free: 0.05,
    colour: "ninths",
  },
  drums: {
    chance: 0.12,
    kits: { "24": 2, "25": 2, "kit-808": 2 },
    grooves: ["ambient"],
    three: ["three"],
    fills: "small",
  },
  bass: { chance: 0.5, by: ["sub bass", "fretless bass", "synth bass"], lines: ["pedal"] },
  chords: [
    { by: ["synth pad"], figures: ["held"] },
    { by: ["slow strings", "choir"], figures: ["held"] },
    { by: ["electric piano", "synth bells", "vibraphone", "harp"], figures: ["drift"] },
  ],
  extra: [
    { role: "pad", by: ["synth pad"], figures: ["held"], chance: 1 },
    { role: "chords", by: ["synth bells", "kalimba", "harp"], figures: ["drift"], chance: 0.3 },
  ],
  leads: ["synth lead", "mallets", "piano", "choir", "flute", "electric piano", "plucked"],
  strange: 0.2,
  melody: { cells: ["sparse", "long"], scale: "pentatonic", plan: { sparse: 6, period: 4 }, gate: 1 },
  forms: ["steady"],
  dynamics: 0.56,
  looseness: 10,
  alone: 0.06,
  production: { reverb: { hall: 1 }, delay: 0.85, saturation: [0, 0.1], lofi: 0.08, loudness: [-23, -20] },
};

export const house: Style = {
  tempo: [98, 150],
  three: 0,
  swing: { chance: 0.15, unit: 0.25, by: [0.02, 0.06] },
  modes: { minor: 55, major: 36, dorian: 6, mixolydian: 3 },
  harmony: {
    major: ["I IV vi V", "I vi IV V", "I IV I V", "I iii IV V", "I ii IV V"],
    minor: ["i iv V i", "i bVI V i", "i iv i V", "i i iv V", "i bVI iv V"],
    loops: {
      major: ["IV V vi I", "ii IV vi I", "IV vi I ii", "vi IV I iii"],
      minor: ["i bVI bIII bVII", "bVI bVII i bIII", "iv bVI i bVII", "bVI i bVII iv", "i bIII bVII iv"],
    },
    free: 0.05,
    colour: "sevenths",
  },
  drums: {
    chance: 1,
    kits: { "kit-909": 6, "24": 3, "kit-808": 2 },
    grooves: ["house"],
    three: ["three"],
    fills: "electric",
  },
  bass: { chance: 1, by: ["saw bass", "synth bass", "sub bass"], lines: ["offbeat"] },
  chords: [
    { by: ["saw synth lead", "polysynth"], figures: ["offbeat"] },
    { by: ["saw synth lead"], figures: ["offbeat"] },
    { by: ["bright piano", "polysynth"], figures: ["offbeat"] },
  ],
  extra: [
    { role: "chords", by: ["synth pluck"], figures: ["sequence"], chance: 0.5 },
    { role: "pad", by: ["synth pad", "strings"], figures: ["held"], chance: 0.6 },
  ],
  leads: ["synth lead", "synth lead", "piano", "organ", "choir", "saxophone"],
  strange: 0.2,
  melody: {
    cells: ["pushed", "lively", "plain", "funky"],
    scale: "pentatonic",
    plan: { riff: 6, period: 3, sequence: 2 },
    gate: 0.75,
  },
  forms: ["dance"],
  dynamics: 0.78,
  looseness: 0,
  alone: 0.02,
  production: {
    reverb: { room: 5, hall: 3, dry: 2 },
    delay: 0.45,
    saturation: [0.05, 0.3],
    lofi: 0,
    loudness: [-19, -17],
  },
};

export const hiphop: Style = {
  tempo: [62, 108],
  three: 0,
  swing: { chance: 1, unit: 0.25, by: [0.04, 0.09] },
  modes: { minor: 56, major: 32, dorian: 12 },
  harmony: {
    major: ["I vi ii V", "I IV I V", "I IV ii V", "I ii V I", "I iii IV V", "I IV iii VI7 ii V I I"],
    minor: ["i iv V i", "i bVI V i", "i iv i V", "i iiø V i", "i i iv V", "i bVI iv V"],
    free: 0.05,
    colour: "ninths",
  },
  drums: {
    chance: 0.92,
    kits: { "kit-808": 4, "25": 4, "8": 3 },
    grooves: ["hiphop"],
    three: ["three"],
    fills: "electric",
  },
  bass: { chance: 1, by: ["sub bass"], lines: ["sub"] },
  chords: [
    { by: ["electric piano"], figures: ["lazy"] },
    { by: ["electric piano", "grand piano"], figures: ["lazy"] },
    { by: ["vibraphone", "jazz guitar"], figures: ["lazy"] },
  ],
  extra: [
    { role: "pad", by: ["synth pad", "strings", "choir"], figures: ["held"], chance: 0.4 },
    { role: "chords", by: ["brass", "strings"], figures: ["stabs"], chance: 0.15 },
  ],
  leads: ["electric piano", "piano", "flute", "synth lead", "mallets", "electric guitar", "brass"],
  strange: 0.2,
  melody: {
    cells: ["sparse", "pushed", "sixteenths", "plain"],
    scale: "pentatonic",
    plan: { riff: 5, sparse: 2, period: 3 },
    gate: 0.9,
  },
  forms: ["loop"],
  dynamics: 0.68,
  looseness: 7,
  alone: 0.03,
  production: { reverb: { dry: 4, room: 6 }, delay: 0.2, saturation: [0.1, 0.35], lofi: 0.6, loudness: [-21, -17] },
};

export const chiptune: Style = {
  tempo: [84, 180],
  three: 0.04,
  swing: straight,
  modes: { major: 50, minor: 44, mixolydian: 3, dorian: 3 },
  harmony: {
    major: ["I IV V I", "I vi IV V", "I IV I V", "I ii V I", "I bVI bVII V", "I V vi iii IV I IV V"],
    minor: ["i iv V i", "i bVI V i", "i V i V", "i bVII bVI V", "i iv i V", "i iv V V i iio V i"],
    free: 0.3,
    colour: "triads",
  },
  drums: {
    chance: 0.82,
    kits: { "kit-808": 3, "24": 4, "kit-909": 1 },
    grooves: ["chip"],
    three: ["three"],
    fills: "electric",
  },
  bass: { chance: 0.95, by: ["chip bass"], lines: ["chip"] },
  chords: [{ by: ["chip lead", "square wave lead"], figures: ["chip"] }],
  extra: [{ role: "counter", by: ["square wave lead", "chip lead"], figures: [], chance: 0.4 }],
  leads: ["synth lead"],
  prefers: ["chip lead", "square wave lead", "square synth lead"],
  strange: 0.12,
  melody: {
    cells: ["lively", "sixteenths", "pushed", "plain"],
    scale: "full",
    plan: { period: 5, sequence: 4, riff: 3 },
    gate: 0.85,
  },
  forms: ["song", "dance", "themes"],
  dynamics: 0.74,
  looseness: 0,
  alone: 0.1,
  production: { reverb: { dry: 8, room: 2 }, delay: 0.15, saturation: [0, 0.15], lofi: 0, loudness: [-20, -17] },
};
