import assert from "node:assert/strict";
import { test } from "node:test";
import { HocketError } from "../../errors.js";
import type { Control, Note, Part } from "../score.js";
import { spanOf } from "../span.js";
import { playSynth, synths } from "./play.js";

const rate = 32_000;
const melodic = Object.keys(synths).filter((name) => !name.startsWith("kit"));
const kits = Object.keys(synths).filter((name) => name.startsWith("kit"));

const partOf = (name: string, notes: readonly Note[], controls: readonly Control[] = []): Part => ({
  role: "lead",
  family: "synth lead",
  name,
  sound: { kind: "synth", name },
  notes,
  controls,
  level: 0,
  pan: 0,
});
const note = (at: number, duration: number, pitch: number, velocity = 100): Note => ({ at, duration, pitch, velocity });

function play(part: Part, seconds = 2, seed = 1): Float32Array {
  return playSynth(part, seed, 0, spanOf({ parts: [part], seconds } as never, rate), 1)[0]!;
}

/** The magnitude of one frequency, by Goertzel's sum over a Hann window. */
function magnitude(sound: Float32Array, hertz: number): number {
  let [re, im] = [0, 0];
  for (let n = 0; n < sound.length; n++) {
    const x = sound[n]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / sound.length));
    re += x * Math.cos((2 * Math.PI * hertz * n) / rate);
    im += x * Math.sin((2 * Math.PI * hertz * n) / rate);
  }
  return Math.hypot(re, im) / sound.length;
}

/** Cents from `hertz` to the strongest frequency within half a semitone. */
function mistuning(sound: Float32Array, hertz: number): number {
  const cents = Array.from({ length: 11 }, (_, i) => 10 * i - 50);
  const found = cents.map((each) => magnitude(sound, hertz * 2 ** (each / 1200)));
  return cents[found.indexOf(Math.max(...found))]!;
}

const power = (sound: Float32Array): number => sound.reduce((sum, x) => sum + x * x, 0) / sound.length;
const frequency = (pitch: number): number => 440 * 2 ** ((pitch - 69) / 12);

for (const name of melodic)
  test(`${name} sounds at the pitch of its note, from its beginning to its end`, () => {
    for (const pitch of name.startsWith("bass") ? [33, 45] : [52, 69, 84])
      for (const seed of [1, 2]) {
        const sound = play(partOf(name, [note(0.5, 0.8, pitch)]), 4, seed);
        assert.ok(sound.every(Number.isFinite));
        assert.equal(power(sound.subarray(0, 0.499 * rate)), 0, "nothing before");
        const held = sound.slice(0.55 * rate, 1.25 * rate);
        const cents = Math.abs(mistuning(held, frequency(pitch)));
        assert.ok(cents <= (name === "pad" ? 30 : 15), `${pitch}: off by ${cents}`); // a pad's oscillators lie around it
        const between = magnitude(held, frequency(pitch) * 2 ** (0.5 / 12) * 1.2);
        assert.ok(magnitude(held, frequency(pitch)) > 5 * between, `${pitch}: not more than what is between`);
        assert.ok(power(sound.subarray(3.2 * rate)) < 1e-6 * power(held), "it ends");
        const jumps = sound.map((x, n) => Math.abs(x - (sound[n - 1] ?? 0)));
        const after = Math.max(...jumps.subarray(1.35 * rate));
        assert.ok(after <= Math.max(...jumps.subarray(0.5 * rate, 1.35 * rate)), "it ends without a click");
      }
  });

test("a tone that folds back is not made: the highest saw has nothing below its pitch", () => {
  const sound = play(partOf("lead-saw", [note(0, 1.9, 100)])).subarray(0.1 * rate, 1.8 * rate);
  const own = magnitude(sound, frequency(100));
  for (const hertz of [300, 700, 1100, 1700, 2100]) assert.ok(magnitude(sound, hertz) < 0.02 * own, `${hertz} Hz`);
});

test("bends, vibrato, expression and the pedal do what they say", () => {
  const plain = [note(0, 1.5, 57)];
  const bent = play(partOf("lead-square", plain, [{ at: 0, controller: "bend", value: 12 }]));
  assert.ok(Math.abs(mistuning(bent.slice(0.2 * rate, 1.2 * rate), frequency(69))) <= 15);

  const high = [note(0, 1.5, 81)];
  const still = magnitude(play(partOf("chip", high)).slice(0.2 * rate, 1.2 * rate), frequency(81));
  const shaken = play(partOf("chip", high, [{ at: 0, controller: 1, value: 127 }]));
  assert.ok(magnitude(shaken.slice(0.2 * rate, 1.2 * rate), frequency(81)) < 0.5 * still, "vibrato spreads it");

  const loud = play(partOf("lead-saw", plain));
  const soft = play(partOf("lead-saw", plain, [{ at: 0.5, controller: 11, value: 64 }]));
  assert.deepEqual(soft.subarray(0, 0.49 * rate), loud.subarray(0, 0.49 * rate));
  const ratio = power(soft.subarray(0.6 * rate, rate)) / power(loud.subarray(0.6 * rate, rate));
  assert.ok(Math.abs(10 * Math.log10(ratio) - 40 * Math.log10(64 / 127)) < 0.1);

  const pedal = [
    { at: 0, controller: 64, value: 127 },
    { at: 1, controller: 64, value: 0 },
  ];
  const short = [note(0, 0.2, 60)];
  const [dry, held] = [play(partOf("chip", short)), play(partOf("chip", short, pedal))];
  assert.equal(power(dry.subarray(0.5 * rate)), 0);
  assert.ok(power(held.subarray(0.5 * rate, 0.99 * rate)) > 0);
  assert.equal(power(held.subarray(1.1 * rate)), 0);
});

test("harder is louder, and another seed is another instrument", () => {
  for (const name of Object.keys(synths)) {
    const hit = (velocity: number, seed: number) =>
      play(partOf(name, [note(0, 0.5, name.startsWith("kit") ? 36 : 45, velocity)]), 1, seed);
    assert.ok(power(hit(110, 1)) > 1.5 * power(hit(50, 1)), name);
    assert.deepEqual(hit(80, 1), hit(80, 1), name);
    assert.notDeepEqual(hit(80, 1), hit(80, 2), name);
  }
});

for (const name of kits)
  test(`${name} has something on its keys, each a sound of its own kind`, () => {
    const brightness = (key: number) => {
      const sound = play(partOf(name, [note(0.1, 0.1, key)]));
      const change = power(sound.map((x, n) => x - (sound[n - 1] ?? 0)));
      assert.ok(power(sound) > 0 && sound.every((x) => Math.abs(x) <= 1), `key ${key}`);
      assert.equal(power(sound.subarray(0, 0.099 * rate)), 0);
      return change / power(sound);
    };
    const [kick, snare, hat] = [36, 38, 42].map(brightness) as [number, number, number];
    assert.ok(kick < 0.1 * snare && snare < hat, `${kick} ${snare} ${hat}`);
    for (const key of [35, 37, 39, 40, 41, 45, 46, 48, 49, 51, 54, 56, 62, 70, 75]) brightness(key);
    assert.throws(() => brightness(10), HocketError);
  });

test("a closed hat ends an open one", () => {
  const open = play(partOf("kit-808", [note(0, 0.1, 46)]));
  const closed = play(partOf("kit-808", [note(0, 0.1, 46), note(0.2, 0.1, 42)]));
  const late = (sound: Float32Array) => power(sound.subarray(0.35 * rate, 0.45 * rate));
  assert.ok(late(closed) < 0.05 * late(open));
});

test("a synthesiser that there is not is named, with those that there are", () => {
  for (const name of ["theremin", "constructor", ""])
    assert.throws(() => play(partOf(name, [])), /no synthesiser ".*lead-saw.*kit-909/);
});
