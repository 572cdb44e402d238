/** @file Prompts to begin with, in the words that a model has learnt. */

/** @param model its name */
export const ideasFor = (model: string | undefined): readonly string[] =>
  Object.entries(learnt).find(([name]) => model?.includes(name))?.[1] ?? usual;

// --- internal ---

const learnt: Record<string, readonly string[]> = {
  /** From its card: what it was trained on. */
  "mini-reference": [
    "fast happy chiptune with square lead and four on the floor drums in C major, 140 bpm",
    "dark organ, fast, 130 bpm, four-on-the-floor beat, in A minor",
    "bright bells, house drums, bass line, mid-tempo, 110 bpm, D major, many notes",
    "joyful synth strings, four on the floor drums, 120 bpm, F major",
    "fast sad square wave lead, rock drums, E minor, 160 BPM",
  ],
};

const usual = [
  "warm lo-fi piano with soft drums and vinyl crackle",
  "a slow string quartet, rain on the window",
  "80s synth pop with a pulsing bass and gated drums",
  "solo acoustic guitar, fingerpicked, close and quiet",
  "driving techno, rolling bass, dark, 132 bpm",
  "bossa nova with nylon guitar and brushes",
];
