/** @file What can play: General MIDI programs that sound like their names, and our own synthesisers, by family. */

import type { Family, Sound } from "./score.js";

export interface Instrument {
  readonly name: string;
  readonly family: Family;
  readonly sound: Sound;
  /** What it can play, MIDI pitches. */
  readonly range: readonly [low: number, high: number];
  /** Where it sings when it leads. */
  readonly lead: readonly [low: number, high: number];
  readonly can: readonly ("lead" | "chords" | "pad" | "bass")[];
  /** A tone lasts as long as it is played, so that it can swell and shake. */
  readonly sustained: boolean;
  /** One note at a time. */
  readonly single: boolean;
}

export const instruments: readonly Instrument[] = rows({
  piano: ["grand piano 0 28-96 62-86 lc", "bright piano 1 28-96 62-86 lc", "honky-tonk piano 3 36-91 62-84 lc"],
  "electric piano": [
    "electric piano 4 36-91 60-84 lc",
    "FM electric piano 5 36-91 60-86 lc",
    "clavinet 7 36-84 55-79 c",
  ],
  organ: [
    "drawbar organ 16 36-91 58-82 lcp~",
    "rock organ 18 36-91 58-82 lcp~",
    "church organ 19 36-91 58-84 lcp~",
    "accordion 21 53-88 60-84 lc~",
  ],
  mallets: [
    "celesta 8 60-103 72-96 lc",
    "glockenspiel 9 72-103 79-101 l",
    "music box 10 60-98 70-94 lc",
    "vibraphone 11 53-89 62-86 lc",
    "marimba 12 45-91 57-84 lc",
    "xylophone 13 65-96 69-93 l",
    "tubular bells 14 60-77 60-77 l",
    "steel drums 114 55-88 62-84 l",
    "synth bells fm-bell 55-100 66-93 lc",
  ],
  "acoustic guitar": ["nylon guitar 24 40-84 57-79 lc", "steel-string guitar 25 40-84 57-79 lc"],
  "electric guitar": [
    "jazz guitar 26 40-84 57-79 lc",
    "clean electric guitar 27 40-86 57-81 lc",
    "muted electric guitar 28 40-79 55-74 c",
  ],
  "distorted guitar": ["overdriven guitar 29 40-86 57-83 lc~", "distorted guitar 30 40-86 57-83 lc~"],
  plucked: [
    "harpsichord 6 41-89 60-84 lc",
    "pizzicato strings 45 45-88 60-84 lc",
    "harp 46 36-98 60-88 lc",
    "sitar 104 48-79 55-77 l",
    "banjo 105 50-84 57-81 lc",
    "koto 107 50-86 60-82 lc",
    "kalimba 108 55-86 62-84 lc",
  ],
  strings: [
    "string ensemble 48 40-94 60-86 lcp~",
    "slow strings 49 40-91 60-84 p~",
    "tremolo strings 44 45-88 60-84 p~",
    "cello 42 36-72 45-69 l~1",
  ],
  violin: ["violin 40 55-98 62-88 l~1"],
  choir: ["choir 52 43-81 58-77 lp~", "ooh voices 53 43-81 58-77 lp~"],
  brass: [
    "trumpet 56 54-84 58-81 l~1",
    "trombone 57 40-72 46-67 l~1",
    "muted trumpet 59 54-84 60-81 l~1",
    "french horn 60 41-77 50-72 lp~1",
    "brass section 61 43-84 55-79 lc~",
  ],
  saxophone: [
    "soprano saxophone 64 56-86 60-82 l~1",
    "alto saxophone 65 49-80 56-77 l~1",
    "tenor saxophone 66 44-76 51-72 l~1",
    "baritone saxophone 67 36-68 43-64 l~1",
  ],
  flute: [
    "flute 73 60-94 67-90 l~1",
    "piccolo 72 74-102 76-98 l~1",
    "recorder 74 67-93 69-88 l~1",
    "pan flute 75 60-91 66-86 l~1",
  ],
  clarinet: ["clarinet 71 50-89 57-82 l~1"],
  "synth lead": [
    "square synth lead 80 43-96 60-86 l~1",
    "sawtooth synth lead 81 43-96 60-86 l~1",
    "saw synth lead lead-saw 43-96 60-86 lc~1",
    "square wave lead lead-square 43-96 60-86 l~1",
    "synth pluck pluck 43-96 60-86 lc",
    "chip lead chip 48-98 64-91 lc~1",
  ],
  "synth pad": [
    "new age pad 88 43-88 60-84 p~",
    "warm pad 89 43-84 58-81 p~",
    "polysynth 90 43-88 60-84 cp~",
    "halo pad 94 43-86 60-84 p~",
    "sweep pad 95 43-86 60-84 p~",
    "synth pad pad 43-88 60-84 cp~",
    "soft synth pad pad 43-84 58-81 p~",
  ],
  bass: [
    "upright bass 32 28-60 40-60 lb1",
    "bass guitar 33 28-60 40-60 lb1",
    "picked bass 34 28-60 40-60 lb1",
    "fretless bass 35 28-60 40-62 lb1",
    "slap bass 36 28-60 40-60 lb1",
    "synth bass 38 28-60 36-58 b1",
    "double bass 43 28-60 40-60 b~1",
    "saw bass bass-saw 26-60 36-58 b~1",
    "sub bass bass-sine 26-55 36-55 b~1",
    "chip bass chip 33-62 45-62 b~1",
  ],
});

export function instrumentNamed(name: string): Instrument | undefined {
  return byName.get(name);
}

/** Those of the families that can do it. */
export function playersOf(families: readonly Family[], duty: Instrument["can"][number]): readonly Instrument[] {
  return instruments.filter(({ family, can }) => families.includes(family) && can.includes(duty));
}

/** Families that can carry a tune. */
export const leadFamilies: readonly Family[] = [
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
];

// --- internal ---

const byName = new Map(instruments.map((instrument) => [instrument.name, instrument]));

/** "name sound low-high lead range marks": a number is a program, a word a synthesiser; ~ is sustained, 1 is single. */
function rows(table: Partial<Record<Family, readonly string[]>>): Instrument[] {
  const duties = { l: "lead", c: "chords", p: "pad", b: "bass" } as const;
  return Object.entries(table).flatMap(([family, lines]) =>
    lines.map((line) => {
      const words = line.split(" ");
      const [sound, range, lead, marks] = words.splice(-4) as [string, string, string, string];
      const program = Number(sound);
      return {
        name: words.join(" "),
        family: family as Family,
        sound: Number.isNaN(program) ? { kind: "synth", name: sound } : { kind: "program", program },
        range: pair(range),
        lead: pair(lead),
        can: Object.entries(duties).flatMap(([mark, duty]) => (marks.includes(mark) ? [duty] : [])),
        sustained: marks.includes("~"),
        single: marks.includes("1"),
      };
    }),
  );
}

function pair(text: string): [number, number] {
  const [low, high] = text.split("-").map(Number);
  return [low!, high!];
}
