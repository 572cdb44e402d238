import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { readFlac } from "./flac.js";
import { toIntegers } from "./pcm.js";
import { readWav } from "./wav.js";
import { writeFlac } from "./write-flac.js";

const golden = (name: string) => readFileSync(new URL(`../../../test/golden/audio/${name}`, import.meta.url));

test("files of the reference encoder are read to the last bit", () => {
  for (const name of ["flac16", "flac24", "wasted", "three"])
    assert.deepEqual(readFlac(golden(`${name}.flac`)), readWav(golden(`${name}.wav`)), name);
});

/** Signals that a predictor likes and dislikes: ramps, steps, constants, noise, extremes. */
const channel = (length: number) =>
  fc.oneof(
    fc.float32Array({ minLength: length, maxLength: length, min: -1, max: 1, noNaN: true }),
    fc.constantFrom(-1, 0, 1).map((x) => new Float32Array(length).fill(x)),
    fc
      .tuple(fc.double({ min: 0, max: 3, noNaN: true }), fc.constantFrom(0.01, 0.9))
      .map(([w, a]) => Float32Array.from({ length }, (_, n) => a * Math.sin(w * n))),
    fc.constant(Float32Array.from({ length }, (_, n) => (n % 2 === 0 ? -1 : 1))),
  );
const waveforms = fc
  .tuple(fc.constantFrom(1, 2, 3), fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4095, 4096, 4097, 9000)))
  .chain(([count, length]) =>
    fc.record(
      {
        sampleRate: fc.constantFrom(8000, 32_000, 44_100, 65_535, 96_000, 192_000),
        channels: fc.array(channel(length), { minLength: count, maxLength: count }),
      },
      { noNullPrototype: true },
    ),
  );

test("what is written comes back as the integers that it was rounded to", () => {
  fc.assert(
    fc.property(waveforms, fc.constantFrom(16, 24), (waveform, bits) => {
      const back = readFlac(writeFlac(waveform, bits));
      assert.equal(back.sampleRate, waveform.sampleRate);
      const scale = 2 ** (1 - bits);
      const expected = waveform.channels.map((each) => Float32Array.from(toIntegers(each, bits), (x) => x * scale));
      assert.deepEqual(back.channels, expected);
    }),
    { numRuns: 150 },
  );
});

test("frames beyond the 2048th are numbered in three bytes", () => {
  const long = { sampleRate: 8000, channels: [Float32Array.from({ length: 4096 * 2049 }, (_, n) => (n >> 12) / 4096)] };
  assert.deepEqual(readFlac(writeFlac(long, 16)), long);
});

test("a tone takes less than half of what it takes as WAV, two equal channels little more than one", () => {
  const tone = Float32Array.from({ length: 32_000 }, (_, n) => 0.3 * Math.sin(0.05 * n));
  const one = writeFlac({ sampleRate: 32_000, channels: [tone] }, 16).length;
  const two = writeFlac({ sampleRate: 32_000, channels: [tone, tone] }, 16).length;
  assert.ok(one < 32_000 && two < 1.01 * one, `${one} and ${two} bytes`);
});

test("every changed byte of a frame is noticed, and a missing end is counted", () => {
  const file = writeFlac({ sampleRate: 8000, channels: [new Float32Array(5000).map((_, n) => Math.sin(n * n))] }, 16);
  const firstFrame = file.length - 1000;
  for (let at = firstFrame; at < file.length; at += 37) {
    const changed = file.slice();
    changed[at]! ^= 0x10;
    assert.throws(() => readFlac(changed), HocketError, `byte ${at}`);
  }
  assert.throws(() => readFlac(file.subarray(0, file.length - 9)), /promises 5000 samples and holds 4096/);
});

test("what FLAC cannot hold is refused", () => {
  const waveform = { sampleRate: 32_000, channels: [new Float32Array(4)] };
  assert.throws(() => writeFlac(waveform, 32), /16 or 24 bits/);
  assert.throws(() => writeFlac({ ...waveform, sampleRate: 96_001 }, 16), /96001 Hz/);
  assert.throws(() => writeFlac({ ...waveform, channels: new Array(9).fill(new Float32Array(1)) }, 16), /9 channels/);
});

test("any bytes behind the signature are a waveform or a HocketError", () => {
  const whole = Uint8Array.from(golden("three.flac"));
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
  const changed = changes.map((list) => {
    const bytes = whole.slice();
    for (const [at, value] of list) bytes[at] = value;
    return bytes;
  });
  const made = fc.uint8Array({ maxLength: 300 }).map((tail) => Uint8Array.from([...whole.subarray(0, 42), ...tail]));
  fc.assert(
    fc.property(fc.oneof(changed, made), (bytes) => {
      try {
        readFlac(bytes);
      } catch (error) {
        assert.ok(error instanceof HocketError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
