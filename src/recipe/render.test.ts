import assert from "node:assert/strict";
import { before, test } from "node:test";
import { integratedLoudness } from "../audio/loudness.js";
import { compose } from "./compose.js";
import { type Font, findFonts, fontOf, loadFonts } from "./fonts.js";
import { playedBy, render, renderRate, stemsOf } from "./render.js";
import type { Note, Part, Production, Score, Sound } from "./score.js";
import { spanOf } from "./span.js";

let fonts: Font[];
before(async () => {
  fonts = await loadFonts(await findFonts());
});

const rate = renderRate;
const dry: Production = { reverb: "dry", delay: false, saturation: 0, lofi: false, loudness: -20 };
const note = (at: number, duration: number, pitch: number, velocity = 96): Note => ({ at, duration, pitch, velocity });
const program = (number: number): Sound => ({ kind: "program", program: number });
const partOf = (sound: Sound, notes: readonly Note[], more: Partial<Part> = {}): Part => ({
  role: sound.kind === "kit" ? "drums" : "lead",
  family: "piano",
  name: "it",
  sound,
  notes,
  controls: [],
  level: 0,
  pan: 0,
  ...more,
});
const scoreOf = (parts: readonly Part[], more: Partial<Score> = {}): Score => ({
  seed: 5,
  style: "pop",
  seconds: 3,
  offset: 0,
  bpm: 120,
  tempo: [],
  metre: [4, 4],
  key: 0,
  mode: "major",
  chords: [],
  sections: [],
  parts,
  beats: [],
  production: dry,
  ...more,
});

const mono = async (score: Score) => (await render(score, fonts)).channels[0]!;
const power = (sound: Float32Array, from = 0, to = sound.length / rate) => {
  const piece = sound.subarray(Math.round(from * rate), Math.round(to * rate));
  return piece.reduce((sum, x) => sum + x * x, 0) / piece.length;
};
const decibel = (ratio: number) => 10 * Math.log10(ratio);
const frequency = (pitch: number) => 440 * 2 ** ((pitch - 69) / 12);

function magnitude(sound: Float32Array, hertz: number): number {
  let [re, im] = [0, 0];
  for (let n = 0; n < sound.length; n++) {
    const x = sound[n]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / sound.length));
    re += x * Math.cos((2 * Math.PI * hertz * n) / rate);
    im += x * Math.sin((2 * Math.PI * hertz * n) / rate);
  }
  return Math.hypot(re, im) / sound.length;
}

test("composed scores render at their loudness, without clipping, and the same again", async () => {
  for (const seed of [2, 7, 11]) {
    const score = compose(seed, { seconds: 3 });
    const sound = await render(score, fonts);
    assert.equal(sound.channels[0]!.length, 3 * rate);
    const peak = sound.channels[0]!.reduce((highest, x) => Math.max(highest, Math.abs(x)), 0);
    assert.ok(peak < 0.9 && peak > 0.05, `peak ${peak}`);
    const off = integratedLoudness(sound) - score.production.loudness;
    assert.ok(Math.abs(off) < 1, `${off} LU from its loudness`);
    const mean = sound.channels[0]!.reduce((sum, x) => sum + x, 0) / sound.channels[0]!.length;
    assert.ok(Math.abs(mean) < 2e-3, `a mean of ${mean}`);
    assert.deepEqual(await render(score, fonts), sound);
  }
});

test("what differs in the score is heard: notes, production, levels, the seed", async () => {
  const parts = [
    partOf(program(0), [note(0, 1, 60), note(1, 1, 64)]),
    partOf({ kind: "synth", name: "pad" }, [note(0, 3, 48)]),
  ];
  const sound = await mono(scoreOf(parts));
  const production = (more: Partial<Production>) => scoreOf(parts, { production: { ...dry, ...more } });
  for (const other of [
    scoreOf([partOf(program(0), [note(0, 1, 60), note(1, 1, 65)]), parts[1]!]),
    scoreOf([{ ...parts[0]!, level: 4 }, parts[1]!]),
    scoreOf(parts, { seed: 6 }),
    production({ reverb: "hall" }),
    production({ reverb: "room" }),
    production({ delay: true }),
    production({ saturation: 0.5 }),
    production({ lofi: true }),
    production({ loudness: -17 }),
  ])
    assert.notDeepEqual(await mono(other), sound);
});

test("every font plays at pitch, where the score says, and falls silent after", async () => {
  for (const font of fonts)
    for (const [number, pitch] of [
      [0, 60], // piano
      [73, 79], // flute
      [33, 40], // bass
      [56, 67], // trumpet
    ] as const) {
      const starts = [0.35, 1.1, 1.85];
      const part = partOf(
        program(number),
        starts.map((at) => note(at, 0.3, pitch)),
      );
      const score = scoreOf([part], { seconds: 5 });
      const [[stem]] = (await stemsOf(score, [font], spanOf(score, rate), 1)) as [[Float32Array]];
      const what = `${font.name}, program ${number}`;
      for (const at of starts) {
        const sounding = power(stem, at + 0.01, at + 0.06);
        assert.ok(sounding > 30 * power(stem, at - 0.05, at - 0.005), `${what}: no note begins at ${at}`);
        const tone = stem.subarray((at + 0.05) * rate, (at + 0.3) * rate);
        const [below, there, above] = [-1, 0, 1].map((semitone) => magnitude(tone, frequency(pitch + semitone)));
        assert.ok(there! > 1.5 * below! && there! > 1.5 * above!, `${what}: not the pitch ${pitch}`);
      }
      assert.equal(power(stem, 0, 0.34), 0);
      assert.ok(decibel(power(stem, 4.5, 5) / power(stem, 1.85, 2.1)) < -50, `${what}: a note hangs`);
    }
});

test("a key that is struck again sounds again, and is let go once", async () => {
  const overlapping = partOf(program(19), [note(0, 1.2, 60), note(0.6, 1, 60)]);
  const score = scoreOf([overlapping]);
  const [[stem]] = (await stemsOf(score, fonts, spanOf(score, rate), 1)) as [[Float32Array]];
  assert.ok(power(stem, 1.3, 1.5) > 0.2 * power(stem, 0.8, 1));
  assert.ok(power(stem, 2.6, 3) < 1e-3 * power(stem, 0.8, 1));
});

test("a clip that starts in the middle has what began before it", async () => {
  const pad = (at: number) => scoreOf([partOf(program(48), [note(at, 3, 60)])], { seconds: 2 });
  const [middle, start] = [await mono(pad(-1)), await mono(pad(0))];
  assert.equal(middle.length, 2 * rate);
  assert.ok(power(middle, 0, 0.02) > 0.2 * power(middle, 0.5, 1), "it is there from the first sample on");
  assert.ok(power(start, 0, 0.02) < 0.2 * power(start, 0.5, 1));
  const over = scoreOf([partOf(program(0), [note(-1.5, 0.1, 60), note(1, 0.5, 60)])], { seconds: 2 });
  assert.ok(power(await mono(over), 0, 0.5) < 1e-3 * power(await mono(over), 1, 1.5));
});

test("a level is dB between parts, whatever plays them", async () => {
  const [low, high] = [45, 82]; // not one of its harmonics
  for (const [one, other] of [
    [program(48), program(73)],
    [{ kind: "synth", name: "chip" }, program(16)],
  ] as const) {
    const balance = async (level: number) => {
      const parts = [partOf(one, [note(0, 3, low)], { role: "chords" }), partOf(other, [note(0, 3, high)], { level })];
      const sound = (await mono(scoreOf(parts))).subarray(0.5 * rate, 2.5 * rate);
      return 2 * decibel(magnitude(sound, frequency(high)) / magnitude(sound, frequency(low)));
    };
    const louder = (await balance(9)) - (await balance(0));
    assert.ok(Math.abs(louder - 9) < 1.5, `${louder} dB instead of 9`);
  }
});

test("bends and vibrato reach the font", async () => {
  const tone = async (value: number) => {
    const part = partOf(program(73), [note(0, 2.5, 69)], { controls: [{ at: 0, controller: "bend", value }] });
    return (await mono(scoreOf([part]))).subarray(0.5 * rate, 2 * rate);
  };
  const [up, plain] = [await tone(2), await tone(0)];
  assert.ok(magnitude(up, frequency(71)) > 5 * magnitude(up, frequency(69)));
  assert.ok(magnitude(plain, frequency(69)) > 5 * magnitude(plain, frequency(71)));
});

test("drums play the keys they are told, on a kit", async () => {
  const beat = [0.2, 0.7, 1.2, 1.7].map((at, i) => note(at, 0.1, i % 2 === 0 ? 36 : 42));
  const sound = await mono(scoreOf([partOf({ kind: "kit", program: 0 }, beat)], { seconds: 2 }));
  const brightness = (at: number) => {
    const piece = sound.slice(at * rate, (at + 0.1) * rate);
    return power(piece.map((x, n) => x - (piece[n - 1] ?? 0))) / power(piece);
  };
  assert.ok(brightness(0.7) > 5 * brightness(0.2) && brightness(1.7) > 5 * brightness(1.2));
  assert.ok(power(sound, 0, 0.19) < 1e-6);
});

test("in stereo a part is where it was put, and the middle is as in mono", async () => {
  const sided = async (pan: number) => {
    const score = scoreOf([partOf(program(73), [note(0, 2, 72)], { pan })]);
    const [left, right] = (await render(score, fonts, { channels: 2 })).channels as [Float32Array, Float32Array];
    return decibel(power(left) / power(right));
  };
  assert.ok((await sided(-0.8)) > 8 && (await sided(0.8)) < -8 && Math.abs(await sided(0)) < 1);
});

test("silence stays silence, and a part without notes is no trouble", async () => {
  assert.equal(power(await mono(scoreOf([partOf(program(0), [])]))), 0);
  assert.equal(power(await mono(scoreOf([]))), 0);
  const sound = await mono(scoreOf([partOf(program(0), []), partOf(program(73), [note(0, 2, 72)])]));
  assert.ok(power(sound) > 0);
});

test("fonts are drawn by weight, the same for the same part of a seed", () => {
  const part = partOf(program(0), []);
  const drawn = Array.from({ length: 2000 }, (_, seed) => fontOf(part, seed, 0, fonts).name);
  const share = drawn.filter((name) => name === "sonivox").length / drawn.length;
  assert.ok(Math.abs(share - 0.15 / 1.15) < 0.03, `${share}`);
  assert.deepEqual(
    drawn,
    drawn.map((_, seed) => fontOf(part, seed, 0, fonts).name),
  );
  const kits = Array.from(
    { length: 100 },
    (_, seed) => fontOf(partOf({ kind: "kit", program: 25 }, []), seed, 0, fonts).name,
  );
  assert.deepEqual([...new Set(kits)], ["MuseScore_General_Lite"], "the other has no such kit");
  const synth = partOf({ kind: "synth", name: "chip" }, []);
  assert.deepEqual(
    playedBy(scoreOf([synth, part], { seed: 0 }), fonts),
    [undefined, drawn[0]].toSpliced(1, 1, fontOf(part, 0, 1, fonts).name),
  );
});

test("a sound that no font has is named", async () => {
  const kit = scoreOf([partOf({ kind: "kit", program: 99 }, [note(0, 1, 36)])]);
  await assert.rejects(render(kit, fonts), /no font plays kit 99.*have MuseScore_General_Lite, sonivox.*--font/);
  await assert.rejects(render(kit, []), /have none/);
});

test("a lead is as far above two accompaniments of one loudness as above one", async () => {
  const [tune, chord] = [72, 60];
  const lead = partOf(program(73), [note(0, 3, tune)], { level: 4 });
  const chords = partOf(program(19), [note(0, 3, chord)], { role: "chords" });
  const more = partOf(program(19), [note(0, 3, chord)], { role: "pad" });
  const above = async (parts: readonly Part[]) => {
    const sound = await mono(scoreOf(parts));
    return decibel((magnitude(sound, frequency(tune)) / magnitude(sound, frequency(chord))) ** 2);
  };
  const [over, overBoth] = [await above([lead, chords]), await above([lead, chords, more])];
  assert.ok(Math.abs(over - overBoth) < 1.5, `${over} dB, then ${overBoth} dB`);
  assert.ok((await above([{ ...lead, level: 0 }, chords])) < over - 2);
});
