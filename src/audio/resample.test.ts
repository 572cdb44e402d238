import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { resample, resampleInTurns } from "./resample.js";

const one = (input: ArrayLike<number>, from: number, to: number): Float32Array =>
  resample({ sampleRate: from, channels: [Float32Array.from(input)] }, to).channels[0]!;

const sine = (hertz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));

/** The formula, one output at a time: the input's ends go on forever, weights count where |t| is below 24 zeros. */
function slow(input: Float32Array, from: number, to: number, m: number): number {
  const rate = 0.945 * Math.min(from, to); // zero crossings a second
  const time = m / to;
  let [sum, weights] = [0, 0];
  for (let n = Math.ceil((time - 24 / rate) * from); n <= (time + 24 / rate) * from; n++) {
    const t = Math.PI * rate * (n / from - time);
    const weight = (t === 0 ? 1 : Math.sin(t) / t) * Math.cos(t / 48) ** 2;
    sum += weight * input[Math.max(0, Math.min(input.length - 1, n))]!;
    weights += weight;
  }
  return sum / weights;
}

const rates = fc.constantFrom(8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000);

test("the phases equal the formula evaluated sample by sample", () => {
  fc.assert(
    fc.property(
      fc.float32Array({ minLength: 1, maxLength: 300, min: -1, max: 1, noNaN: true }),
      rates,
      rates,
      (input, from, to) => {
        const output = one(input, from, to);
        for (const [m, x] of output.entries()) {
          const expected = from === to ? input[m]! : slow(input, from, to, m);
          assert.ok(Math.abs(x - expected) < 2e-6, `sample ${m} at ${from} -> ${to} Hz: ${x}, not ${expected}`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("an independent implementation gives the same numbers", () => {
  const file = new URL("../../../test/golden/resample/golden.json", import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as {
    cases: { old: number; new: number; input: number[]; output: number[] }[];
  };
  for (const { old, new: to, input, output } of cases) {
    const ours = one(input, old, to);
    assert.equal(ours.length, output.length);
    for (const [m, x] of ours.entries()) assert.ok(Math.abs(x - output[m]!) < 1e-6, `${old} -> ${to}, sample ${m}`);
  }
});

test("the length is floor(new N / old), channels are kept apart, equal rates are the identity", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2000 }), rates, rates, (length, from, to) => {
      assert.equal(one(new Float32Array(length), from, to).length, Math.floor((to * length) / from));
    }),
  );
  const waveform = { sampleRate: 44_100, channels: [sine(440, 44_100, 500), sine(880, 44_100, 500)] };
  assert.equal(resample(waveform, 44_100), waveform);
  assert.deepEqual(
    resample(waveform, 32_000).channels,
    waveform.channels.map((channel) => one(channel, 44_100, 32_000)),
  );
});

test("a tone below the cutoff survives, one above it does not, a constant stays", () => {
  const middle = (channel: Float32Array) => channel.subarray(200, channel.length - 200);
  const low = one(sine(6000, 44_100, 8000), 44_100, 32_000);
  const same = sine(6000, 32_000, low.length);
  assert.ok(middle(low.map((x, n) => Math.abs(x - same[n]!))).every((error) => error < 1e-4));
  assert.ok(middle(one(sine(18_000, 44_100, 8000), 44_100, 32_000)).every((x) => Math.abs(x) < 1e-3));
  assert.ok(one(new Float32Array(500).fill(0.25), 44_100, 32_000).every((x) => Math.abs(x - 0.25) < 1e-7));
});

test("an impulse becomes the kernel: symmetric, peaking where it was", () => {
  const impulse = new Float32Array(401);
  impulse[200] = 1;
  const output = one(impulse, 16_000, 32_000);
  assert.equal(output.indexOf(Math.max(...output)), 400);
  for (let n = 1; n < 60; n++) assert.ok(Math.abs(output[400 + n]! - output[400 - n]!) < 1e-6);
});

test("rates that would take gigabytes are refused", () => {
  assert.throws(() => one([1], 7, 32_000), /cannot resample at 7 Hz/);
  assert.throws(() => one([1], 44_100, 4e9), /1 to 768 kHz/);
});

test("in turns: the same samples, and a stop on the way", async () => {
  const waveform = { sampleRate: 44_100, channels: [sine(440, 44_100, 300_000), sine(880, 44_100, 300_000)] };
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  assert.deepEqual(await resampleInTurns(waveform, 32_000), resample(waveform, 32_000));
  clearInterval(others);
  assert.ok(turns > 0, "nobody else got a turn");
  const stop = new AbortController();
  setTimeout(() => stop.abort());
  await assert.rejects(resampleInTurns(waveform, 32_000, stop.signal), { name: "AbortError" });
});
