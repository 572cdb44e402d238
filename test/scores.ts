// Scores for tests of what is said about scores: any mixture of styles, tempos, keys and players, with plain notes.
import { choose, drawsOf } from "../src/recipe/draw.js";
import { type Family, families, modes, type Part, type Score } from "../src/recipe/score.js";
import { styleNames } from "../src/recipe/words.js";

const own: Partial<Record<Family, readonly string[]>> = {
  piano: ["honky-tonk piano", "grand piano"],
  "electric piano": ["electric piano", "clavinet"],
  mallets: ["vibraphone", "marimba", "steel drums"],
  plucked: ["harp", "kalimba"],
  strings: ["cello", "tremolo strings"],
  brass: ["trumpet", "french horn"],
  saxophone: ["tenor saxophone"],
  flute: ["pan flute", "piccolo"],
  bass: ["upright bass", "slap bass"],
};

/** A score of ten seconds; drums and other parts may enter late or leave early, or play in the last bar only. */
export function fixture(seed: number): Score {
  const draw = drawsOf(seed, 1000);
  const pick = <T>(choices: readonly T[], purpose: string) => choose(choices, draw(purpose));
  const bpm = 56 + 124 * draw("bpm");
  const span = (purpose: string): [number, number] =>
    pick<[number, number]>(
      [
        [0, 10],
        [0, 10],
        [0, 10],
        [4, 10],
        [0, 6],
        [8.6, 10],
        [0.9, 10],
      ],
      purpose,
    );
  const pitched = families.filter((family) => family !== "drums");
  const part = (role: Part["role"], family: Family): Part => {
    const [from, to] = role === "lead" && draw("lead rests") < 0.7 ? [0, 10] : span(`span ${role}`);
    const rate = 0.5 + 5 * draw(`rate ${role}`);
    const velocity = Math.round(40 + 80 * draw("velocity"));
    return {
      role,
      family,
      name: pick(own[family] ?? [family], `name ${role}`),
      sound: { kind: "program", program: 0 },
      notes: Array.from({ length: Math.ceil((to - from) * rate) }, (_, i) => ({
        at: from + i / rate,
        duration: 1 / rate,
        pitch: 40 + Math.round(40 * draw(`pitch ${role}`)),
        velocity,
      })),
      controls: [],
      level: 0,
      pan: 0,
    };
  };
  const style = pick(Object.keys(styleNames), "style");
  const roles = ["lead", "chords", "pad", "counter", "bass"] as const;
  const count = 1 + Math.floor(5 * draw("parts"));
  return {
    seed,
    style,
    seconds: 10,
    offset: 0,
    bpm,
    tempo: draw("change") < 0.1 ? [{ at: 9, bpm: bpm * (draw("up") < 0.5 ? 0.85 : 1.15) }] : [],
    metre: pick<[number, number]>(
      [
        [4, 4],
        [4, 4],
        [3, 4],
        [6, 8],
        [12, 8],
      ],
      "metre",
    ),
    key: draw("keyless") < 0.15 ? undefined : Math.floor(12 * draw("key")),
    mode: pick(modes, "mode"),
    chords: [{ at: 0, root: 0, quality: "maj" }],
    sections: [{ at: 0, name: "verse" }],
    parts: [
      ...roles
        .slice(0, count)
        .map((role) =>
          part(role, role === "bass" ? "bass" : style === "piano" ? "piano" : pick(pitched, `family ${role}`)),
        ),
      ...(draw("drums") < 0.6 ? [part("drums", "drums")] : []),
    ],
    beats: Array.from({ length: Math.floor(bpm / 6) }, (_, i) => (60 * i) / bpm),
    production: {
      reverb: pick(["dry", "room", "hall"] as const, "reverb"),
      delay: draw("delay") < 0.3,
      saturation: 0,
      lofi: draw("lofi") < 0.2,
      loudness: -20,
    },
  };
}
