/** @file Style cards of what swings or sways: blues, jazz, latin and reggae. */

import type { Style } from "./style.js";

const straight = { chance: 0, unit: 0.5, by: [0, 0] } as const;

export const blues: Style = {
  tempo: [56, 150],
  three: 0,
  swing: { chance: 1, unit: 0.5, by: [0.14, 0.17] },
  modes: { major: 62, minor: 38 },
  harmony: {
    major: ["I IV I V", "I IV V I", "I I V I", "I IV I VI7 ii V I V", "I I IV IV I V I V"],
    minor: ["i iv i V", "i iv V i", "i bVI V i", "i iv i i bVI V i V", "i iv i i iiø V i V"],
    blues: {
      major: ["I IV I I IV IV I I V IV I V", "I I I I IV IV I VI7 ii V I V"],
      minor: ["i iv i i iv iv i i bVI V i V"],
    },
    free: 0,
    colour: "dominant",
  },
  drums: { chance: 0.8, kits: { "0": 5, "8": 4, "40": 2 }, grooves: ["shuffle"], three: ["three"], fills: "four" },
  bass: { chance: 0.92, by: ["bass guitar", "upright bass"], lines: ["boogie"] },
  chords: [
    { by: ["overdriven guitar", "clean electric guitar"], figures: ["shuffle"] },
    { by: ["piano"], figures: ["shuffle"] },
    { by: ["steel-string guitar"], figures: ["shuffle"] },
  ],
  extra: [
    { role: "chords", by: ["drawbar organ", "rock organ"], figures: ["held"], chance: 0.35 },
    { role: "chords", by: ["piano"], figures: ["charleston"], chance: 0.2 },
  ],
  leads: ["electric guitar", "distorted guitar", "acoustic guitar", "saxophone", "piano", "organ"],
  strange: 0.2,
  melody: { cells: ["swung"], scale: "blues", plan: { period: 5, riff: 3, sparse: 2 }, gate: 0.92 },
  forms: ["song", "themes", "entering"],
  dynamics: 0.72,
  looseness: 9,
  alone: 0.15,
  production: { reverb: { room: 7, dry: 3 }, delay: 0.1, saturation: [0.1, 0.35], lofi: 0.03, loudness: [-21, -18] },
};

export const jazz: Style = {
  tempo: [58, 180],
  three: 0.06,
  swing: { chance: 1, unit: 0.5, by: [0.1, 0.17] },
  modes: { major: 52, minor: 40, dorian: 8 },
  harmony: {
    major: [
      "I vi ii V",
      "I ii V I",
      "I VI7 ii V",
      "I V I I",
      "I IV V I",
      "I IV I VI7 ii V I I",
      "I vi ii V I VI7 ii V",
      "I I7 IV iv6 I VI7 ii V",
    ],
    minor: ["i iiø V i", "i iv V i", "i bVI V i", "i i iiø V", "iiø V i i", "i iv iiø V i bVI V i"],
    free: 0.15,
    colour: "ninths",
  },
  drums: { chance: 0.78, kits: { "40": 6, "0": 3, "8": 1 }, grooves: ["jazz"], three: ["jazzThree"], fills: "small" },
  bass: { chance: 1, by: ["upright bass"], lines: ["walking"] },
  chords: [
    { by: ["piano"], figures: ["charleston"] },
    { by: ["electric guitar"], figures: ["charleston"] },
    { by: ["electric piano", "drawbar organ", "vibraphone"], figures: ["charleston"] },
  ],
  extra: [
    { role: "chords", by: ["brass"], figures: ["stabs"], chance: 0.2 },
    { role: "pad", by: ["strings"], figures: ["held"], chance: 0.1 },
  ],
  leads: ["saxophone", "brass", "piano", "clarinet", "electric guitar", "mallets", "flute"],
  prefers: [
    "jazz guitar",
    "vibraphone",
    "grand piano",
    "trumpet",
    "muted trumpet",
    "alto saxophone",
    "tenor saxophone",
  ],
  strange: 0.2,
  melody: {
    cells: ["swung", "swung", "lively"],
    scale: "chromatic",
    plan: { period: 5, sequence: 3, riff: 1 },
    gate: 0.9,
  },
  forms: ["themes", "themes", "entering"],
  dynamics: 0.64,
  looseness: 9,
  alone: 0.15,
  production: {
    reverb: { room: 7, dry: 2, hall: 1 },
    delay: 0,
    saturation: [0, 0.1],
    lofi: 0.03,
    loudness: [-23, -19],
  },
};

export const latin: Style = {
  tempo: [76, 160],
  three: 0,
  swing: straight,
  modes: { major: 46, minor: 46, dorian: 8 },
  harmony: {
    major: ["I II7 ii V", "I vi ii V", "I IV V I", "I ii V I", "I iv6 I V7", "I VI7 ii V I IV V I"],
    minor: ["i iv V i", "i V V i", "i i V i", "i iiø V i", "i bVI V i", "i bVII bVI V", "i iv i V i iiø V i"],
    free: 0.1,
    colour: "sevenths",
  },
  drums: { chance: 0.95, kits: { "0": 6, "8": 2, "40": 2 }, grooves: ["latin"], three: ["three"], fills: "latin" },
  bass: { chance: 0.95, by: ["upright bass", "bass guitar", "fretless bass"], lines: ["bossa", "tumbao"] },
  chords: [
    { by: ["nylon guitar"], figures: ["bossa"] },
    { by: ["piano"], figures: ["montuno"] },
    { by: ["electric piano", "vibraphone"], figures: ["montuno"] },
  ],
  extra: [
    { role: "chords", by: ["brass"], figures: ["stabs"], chance: 0.3 },
    { role: "pad", by: ["strings"], figures: ["held"], chance: 0.2 },
    { role: "counter", by: ["flute", "strings"], figures: [], chance: 0.15 },
  ],
  leads: ["brass", "flute", "acoustic guitar", "saxophone", "piano", "mallets"],
  strange: 0.2,
  melody: {
    cells: ["pushed", "pushed", "lively"],
    scale: "full",
    plan: { period: 5, sequence: 3, riff: 2 },
    gate: 0.85,
  },
  forms: ["song", "themes", "entering"],
  dynamics: 0.7,
  looseness: 6,
  alone: 0.1,
  production: {
    reverb: { room: 7, dry: 2, hall: 1 },
    delay: 0.05,
    saturation: [0, 0.1],
    lofi: 0.02,
    loudness: [-21, -18],
  },
};

export const reggae: Style = {
  tempo: [60, 120],
  three: 0,
  swing: { chance: 0.4, unit: 0.25, by: [0.04, 0.08] },
  modes: { major: 50, minor: 42, dorian: 5, mixolydian: 3 },
  harmony: {
    major: ["I IV I V", "I V IV V", "I IV V I", "I vi IV V", "I ii V I", "I V V I"],
    minor: ["i iv i V", "i iv V i", "i bVI V i", "i V i V", "i i iv V"],
    free: 0.05,
    colour: "triads",
  },
  drums: { chance: 0.88, kits: { "0": 6, "8": 4 }, grooves: ["reggae"], three: ["three"], fills: "four" },
  bass: { chance: 1, by: ["bass guitar", "fretless bass"], lines: ["reggae"] },
  chords: [
    { by: ["clean electric guitar", "muted electric guitar"], figures: ["skank"] },
    { by: ["drawbar organ", "rock organ"], figures: ["skank"] },
    { by: ["grand piano", "honky-tonk piano"], figures: ["skank"] },
  ],
  extra: [
    { role: "chords", by: ["drawbar organ", "rock organ"], figures: ["bubble"], chance: 0.6 },
    { role: "counter", by: ["brass"], figures: [], chance: 0.2 },
  ],
  leads: ["organ", "brass", "saxophone", "electric guitar", "flute", "synth lead"],
  strange: 0.2,
  melody: {
    cells: ["plain", "pushed", "sparse", "lively"],
    scale: "pentatonic",
    plan: { period: 5, riff: 3, sparse: 2 },
    gate: 0.85,
  },
  forms: ["song", "loop", "entering"],
  dynamics: 0.7,
  looseness: 6,
  alone: 0.06,
  production: {
    reverb: { room: 6, dry: 2, hall: 2 },
    delay: 0.45,
    saturation: [0, 0.2],
    lofi: 0.05,
    loudness: [-21, -18],
  },
};
