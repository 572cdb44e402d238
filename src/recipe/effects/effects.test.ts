import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { noise } from "../synths/noise.js";
import { age, echo, saturate } from "./colour.js";
import { compress, limit } from "./dynamics.js";
import { filter, highPass, lowPass } from "./filters.js";
import { reverberate } from "./reverb.js";

const rate = 32_000;
const sine = (hertz: number, seconds: number, amplitude = 1) =>
  Float32Array.from({ length: seconds * rate }, (_, n) => amplitude * Math.sin((2 * Math.PI * hertz * n) / rate));
const hiss = (seconds: number, seed = 7) => {
  const random = noise(seed);
  return Float32Array.from({ length: seconds * rate }, random);
};
const rms = (sound: Float32Array) => Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / sound.length);
const peak = (sound: Float32Array) => sound.reduce((highest, x) => Math.max(highest, Math.abs(x)), 0);
const decibel = (x: number) => 20 * Math.log10(x);

test("noise is spread over -1 to 1, white, and another for another seed", () => {
  for (const seed of [0, 1, -5, 2 ** 31]) {
    const sound = hiss(1, seed);
    assert.ok(Math.abs(rms(sound) - Math.sqrt(1 / 3)) < 0.01 && peak(sound) <= 1);
    for (const lag of [1, 2, 7]) {
      const together = sound.reduce((sum, x, n) => sum + x * (sound[n - lag] ?? 0), 0) / sound.length;
      assert.ok(Math.abs(together) < 0.01, `lag ${lag}`);
    }
  }
  assert.notDeepEqual(hiss(0.01, 1), hiss(0.01, 2));
});

test("a high-pass keeps what is above, halves the power at its frequency, and falls by 12 dB an octave", () => {
  for (const [make, through, at, against] of [
    [highPass, 8000, 500, 125],
    [lowPass, 60, 500, 2000],
  ] as const) {
    const gain = (hertz: number) => {
      const sound = sine(hertz, 1);
      filter(sound, make(500, rate));
      return decibel(rms(sound.subarray(0.2 * rate)) * Math.SQRT2);
    };
    assert.ok(Math.abs(gain(through)) < 0.1);
    assert.ok(Math.abs(gain(at) + 3.01) < 0.1);
    assert.ok(Math.abs(gain(against) + 24.1) < 0.8, `${gain(against)}`);
  }
});

test("a room falls silent in the time that it says, its highs sooner", () => {
  for (const low of [0.5, 1, 2]) {
    const impulse = new Float32Array(3 * rate);
    impulse[0] = 1;
    const room = { low, high: low / 3, size: 1, before: 0.01 };
    const [answer] = reverberate(impulse, room, rate, 1);
    assert.equal(rms(answer!.subarray(0, 0.029 * rate)), 0, "nothing before the first reflection");
    // The slope of what is left (Schroeder's backward integral), from 5 dB to 25 dB down, of what is below 300 Hz.
    const dull = answer!.slice();
    for (let i = 0; i < 3; i++) filter(dull, lowPass(300, rate));
    const times = [dull, answer!].map((sound) => {
      const left = new Float64Array(sound.length + 1);
      for (let n = sound.length - 1; n >= 0; n--) left[n] = left[n + 1]! + sound[n]! ** 2;
      const reaches = (level: number) => left.findIndex((energy) => energy < left[0]! * 10 ** (level / 10));
      return (3 * (reaches(-25) - reaches(-5))) / rate;
    });
    assert.ok(Math.abs(times[0]! / low - 1) < 0.2, `${times[0]} s instead of ${low}`);
    assert.ok(times[1]! < 0.95 * times[0]!, `${times[1]} s with its highs`);
  }
});

test("a room is linear, late as it should be, and different on the right", () => {
  const room = { low: 1, high: 0.4, size: 1.2, before: 0 };
  const input = hiss(0.5);
  const [once] = reverberate(input, room, rate, 1);
  const [twice] = reverberate(
    input.map((x) => 2 * x),
    room,
    rate,
    1,
  );
  assert.ok(twice!.every((x, n) => Math.abs(x - 2 * once![n]!) < 1e-4));
  const [shifted] = reverberate(input, { ...room, before: 0.1 }, rate, 1);
  assert.deepEqual(shifted!.subarray(0.1 * rate), once!.subarray(0, 0.4 * rate));
  const [left, right] = reverberate(input, room, rate, 2);
  const together = left!.reduce((sum, x, n) => sum + x * right![n]!, 0) / left!.length;
  assert.ok(Math.abs(together) < 0.3 * rms(left!) * rms(right!));
  assert.ok(Math.abs(decibel(rms(left!) / rms(once!))) < 2);
});

test("a limiter lets nothing through above its ceiling, and leaves alone what is below", () => {
  const sounds = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(sounds, sounds, fc.float({ min: Math.fround(0.1), max: 2, noNaN: true }), (a, b, ceiling) => {
      const length = Math.min(a.length, b.length);
      const channels = [a, b].map((values) => Float32Array.from(values.slice(0, length)));
      const before = channels.map((channel) => channel.slice());
      limit(channels, rate, ceiling);
      for (const [c, channel] of channels.entries())
        for (const [n, x] of channel.entries()) {
          assert.ok(Math.abs(x) <= ceiling * (1 + 1e-6));
          assert.ok(Math.abs(x) <= Math.abs(before[c]![n]!) && x * before[c]![n]! >= 0);
        }
      if (before.every((channel) => peak(channel) <= ceiling)) assert.deepEqual(channels, before);
    }),
  );
  const sound = sine(200, 1, 0.5);
  sound[16_000] = 3;
  const limited = sound.slice();
  limit([limited], rate, 0.9);
  assert.deepEqual(limited.subarray(0, 15_000), sound.subarray(0, 15_000), "long before a peak nothing happens");
  assert.ok(rms(limited.subarray(30_000)) > 0.98 * rms(sound.subarray(30_000)), "it lets go again");
});

test("a compressor turns down what is above its threshold by its ratio, and nothing else", () => {
  const how = { threshold: 0.1, ratio: 3, attack: 0.01, release: 0.1 };
  const quiet = sine(440, 1, 0.1);
  const same = quiet.slice();
  compress([same], rate, how);
  assert.deepEqual(same, quiet);
  const [soft, loud] = [0.4, 0.8].map((amplitude) => {
    const sound = sine(440, 1, amplitude);
    compress([sound], rate, how);
    return decibel(rms(sound.subarray(0.5 * rate)));
  }) as [number, number];
  assert.ok(Math.abs(loud - soft - 6.02 / 3) < 0.05, `${loud - soft} dB`);
});

test("saturation squashes by its amount, and leaves everything at 0", () => {
  const sound = sine(440, 0.5, 0.5);
  const levels = [0, 0.3, 1].map((amount) => {
    const out = sound.slice();
    saturate(out, amount, rms(sound));
    return peak(out) / rms(out);
  });
  assert.ok(Math.abs(levels[0]! - Math.SQRT2) < 1e-3);
  assert.ok(levels[2]! < levels[1]! && levels[1]! < levels[0]!);
});

test("echoes come at their time, each softer than the last", () => {
  const click = new Float32Array(rate);
  click[0] = 1;
  const out = echo(click, 0.25, 0.5, rate);
  const at = (seconds: number) => rms(out.subarray((seconds - 0.001) * rate, (seconds + 0.02) * rate));
  assert.equal(rms(out.subarray(0, 0.249 * rate)), 0);
  assert.ok(at(0.25) > 0 && at(0.5) < 0.6 * at(0.25) && at(0.75) < 0.6 * at(0.5));
  assert.ok(rms(out.subarray(0.3 * rate, 0.49 * rate)) < 1e-3 * at(0.25));
});

test("an old record loses its highs, gains dust, and crackles alike for the same seed", () => {
  const high = hiss(2);
  filter(high, highPass(10_000, rate));
  const before = rms(high);
  const aged = high.slice();
  age([aged], rate, 3, 0.001);
  assert.ok(rms(aged) < 0.2 * before);
  const dust = (seed: number) => {
    const sound = new Float32Array(2 * rate);
    age([sound], rate, seed, 0.1);
    return sound;
  };
  assert.ok(decibel(rms(dust(3)) / 0.1) < -20 && decibel(rms(dust(3)) / 0.1) > -50, `${decibel(rms(dust(3)) / 0.1)}`);
  assert.deepEqual(dust(3), dust(3));
  assert.notDeepEqual(dust(3), dust(4));
});
