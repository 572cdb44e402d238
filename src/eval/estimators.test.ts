import assert from "node:assert/strict";
import test from "node:test";
import { addNote, cadences, clicks, dice, harmony, mono, silence } from "../../test/synthetic.js";
import { percussiveness } from "./drums.js";
import { hear } from "./hearing.js";
import { bestKey, keyOf, pitchClasses, rotated } from "./key.js";
import { autocorrelation, sameTempo, tempo } from "./tempo.js";

test("the tempo of clicks is found, strictly at usual tempi and up to octaves at any", () => {
  const random = dice(1);
  for (const bpm of [52, 63, 77, 84, 95, 101, 116, 128, 137, 152, 166, 190]) {
    const found = tempo(hear(mono(clicks(10, bpm, random))));
    assert.ok(sameTempo(found, bpm, 0.02, true), `${bpm} heard as ${found}`);
    if (bpm >= 80 && bpm <= 160) assert.ok(sameTempo(found, bpm, 0.02), `${bpm} heard as ${found}`);
  }
});

test("tempo follows chords that change, and is no number where nothing begins", () => {
  const chords = harmony(0, [...cadences.major, ...cadences.minor].slice(0, 10));
  assert.ok(sameTempo(tempo(hear(mono(chords))), 120, 0.02, true));
  assert.ok(Number.isNaN(tempo(hear(mono(silence(5))))));
});

test("sameTempo takes halves and doubles only when asked", () => {
  assert.ok(sameTempo(103, 100, 0.04));
  assert.ok(!sameTempo(105, 100, 0.04));
  assert.ok(!sameTempo(200, 100, 0.04));
  assert.ok(sameTempo(49, 100, 0.04, true) && sameTempo(200, 100, 0.04, true));
});

test("a signal repeats itself after its period", () => {
  const waves = Float32Array.from({ length: 1000 }, (_, t) => Math.sin((2 * Math.PI * t) / 50));
  const again = autocorrelation(waves, 120);
  assert.ok(Math.abs(again[50]! - 1) < 0.01 && Math.abs(again[25]! + 1) < 0.01 && again[0] === 1);
  assert.ok(autocorrelation(new Float32Array(100).fill(3), 20).every((value) => value === 0));
});

test("cadences are heard in their key, whatever the key", () => {
  for (const mode of ["major", "minor"] as const)
    for (let tonic = mode === "major" ? 0 : 1; tonic < 12; tonic += 3)
      assert.deepEqual(keyOf(hear(mono(harmony(tonic, cadences[mode])))), { tonic, mode });
});

test("a scale has its seven pitch classes and hardly others", () => {
  const scale = silence(4);
  for (const [i, step] of [0, 2, 4, 5, 7, 9, 11, 12].entries()) addNote(scale, i / 2, 0.5, 62 + step);
  const classes = rotated(pitchClasses(hear(mono(scale))), 2);
  const inScale = [0, 2, 4, 5, 7, 9, 11].reduce((sum, step) => sum + classes[step]!, 0);
  assert.ok(inScale > 0.8, `${inScale}`);
  assert.ok(pitchClasses(hear(mono(silence(1)))).every((value) => value === 0));
});

test("a key moves with its pitch classes", () => {
  const classes = pitchClasses(hear(mono(harmony(0, cadences.minor))));
  for (let by = 0; by < 12; by++)
    assert.deepEqual(bestKey(rotated(classes, by)), { tonic: (12 - by) % 12, mode: "minor" });
});

test("what is struck is told from what is held", () => {
  const chords = () => harmony(5, [...cadences.major]);
  const held = percussiveness(hear(mono(chords())));
  const both = percussiveness(hear(mono(clicks(8, 100, dice(2), chords()))));
  const struck = percussiveness(hear(mono(clicks(8, 100, dice(3)))));
  assert.ok(held < both && both < struck, `${held} ${both} ${struck}`);
});

test("what is heard does not depend on how loud it is, nor on the sample rate", () => {
  const sound = harmony(3, cadences.major);
  const [a, b] = [sound, sound.map((x) => 0.01 * x)].map((samples) => hear(mono(samples)));
  for (const [t, frame] of a!.mel.entries())
    for (const [band, power] of frame.entries()) assert.ok(Math.abs(power - b!.mel[t]![band]!) <= 1e-3 * power + 1e-5);
  const fast = Float32Array.from({ length: 32000 }, (_, n) => Math.sin((2 * Math.PI * 440 * n) / 32000));
  const heard = hear({ sampleRate: 32000, channels: [fast, fast] });
  assert.equal(heard.samples.length, 16000);
  assert.ok(pitchClasses(heard)[9]! > 0.9);
});
