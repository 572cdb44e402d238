import assert from "node:assert/strict";
import { test } from "node:test";
import { floats, largestDifference, named, readGolden, rowsOf } from "../../test/golden.js";
import { chroma, chromaFilterBank, fitLength, melodyChroma, normalisedChroma } from "./chroma.js";

const inputs = readGolden("musicgen_melody_tiny", "inputs.safetensors");
const expected = readGolden("musicgen_melody_tiny");
const waves = ["wav_a", "wav_b", "wav_short"];
const wave = (name: string) => floats(inputs, name) as Float32Array;
const oneHots = (frames: Int32Array) =>
  [...frames].flatMap((bin) => Array.from({ length: 12 }, (_, i) => Number(i === bin)));

for (const name of waves)
  test(`${name}: chroma as audiocraft's and transformers'`, () => {
    const normalised = normalisedChroma(wave(name));
    assert.deepEqual([normalised.length, 12], named(expected, `chroma.audiocraft_norm.${name}`).shape);
    assert.ok(
      largestDifference(
        normalised.flatMap((frame) => [...frame]),
        floats(expected, `chroma.audiocraft_norm.${name}`),
      ) < 1e-5,
    );
    for (const library of ["audiocraft_argmax", "hf"])
      assert.deepEqual(oneHots(chroma(wave(name))), [...floats(expected, `chroma.${library}.${name}`)]);
  });

test("a batch is padded with silence at its end, and silence is C", () => {
  const [a, b] = rowsOf(floats(expected, "chroma.hf.batch_ab_padded") as Float32Array, 12 * 12);
  const padded = new Float32Array(wave("wav_a").length);
  padded.set(wave("wav_b"));
  assert.deepEqual(oneHots(chroma(wave("wav_a"))), [...a!]);
  assert.deepEqual(oneHots(chroma(padded)), [...b!]);
  assert.deepEqual(chroma(new Float32Array(1)), new Int32Array(5));
  assert.deepEqual(chroma(new Float32Array(0)), new Int32Array(5));
});

test("the filter bank is librosa's", () => {
  const columns = (bank: Float64Array[], step: number) =>
    bank.flatMap((row) => [...row].filter((_, i) => i % step === 0));
  assert.ok(
    largestDifference(columns(chromaFilterBank(32000, 2048, 12), 1), floats(expected, "chroma.hf_filters_2048")) < 1e-6,
  );
  for (const library of ["hf", "librosa"])
    assert.ok(
      largestDifference(
        columns(chromaFilterBank(32000, 16384, 12), 16),
        floats(expected, `chroma.${library}_filters_16384.every16th`),
      ) < 1e-6,
    );
});

test("a pure tone of each pitch class is heard as it, at other rates and sizes too", () => {
  for (const config of [melodyChroma, { ...melodyChroma, sampleRate: 16000, fftSize: 8192, hop: 1024 }])
    for (let bin = 0; bin < 12; bin++) {
      const frequency = 261.6256 * 2 ** (bin / 12); // from middle C
      const tone = Float32Array.from({ length: config.fftSize + 1 }, (_, i) =>
        Math.sin((2 * Math.PI * frequency * i) / config.sampleRate),
      );
      const frames = chroma(tone, config);
      assert.equal(frames.length, 1 + Math.floor(tone.length / config.hop));
      assert.deepEqual(frames, new Int32Array(frames.length).fill(bin));
    }
});

test("frames are repeated from the start, or cut off", () => {
  const frames = Int32Array.of(3, 1, 4);
  assert.deepEqual(fitLength(frames, 7), Int32Array.of(3, 1, 4, 3, 1, 4, 3));
  assert.deepEqual(fitLength(frames, 2), Int32Array.of(3, 1));
  assert.deepEqual(fitLength(frames, 3), frames);
});
