import assert from "node:assert/strict";
import { test } from "node:test";
import { integratedLoudness, normalise } from "./loudness.js";
import type { Waveform } from "./waveform.js";

const decibel = (level: number) => 10 ** (level / 20);
const near = (actual: number, expected: number, within: number) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

/** A tone on `channels` channels whose level changes: [dBFS, seconds] each. */
function tone(sampleRate: number, channels: number, ...parts: [level: number, seconds: number][]): Waveform {
  const channel = new Float32Array(parts.reduce((sum, [, seconds]) => sum + Math.round(seconds * sampleRate), 0));
  let n = 0;
  for (const [level, seconds] of parts)
    for (const end = n + Math.round(seconds * sampleRate); n < end; n++)
      channel[n] = decibel(level) * Math.sin((2 * Math.PI * 997 * n) / sampleRate);
  return { sampleRate, channels: Array.from({ length: channels }, () => channel) };
}
const peak = ({ channels }: Waveform) =>
  Math.max(...channels.map((c) => c.reduce((m, x) => Math.max(m, Math.abs(x)), 0)));
const noise = (amplitude: number, length = 64_000): Waveform => {
  let state = 1;
  const next = () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
  const channel = () => Float32Array.from({ length }, () => amplitude * (2 * next() - 1));
  return { sampleRate: 32_000, channels: [channel(), channel()] };
};

test("a full-scale tone of 997 Hz on one channel has -3.01 LUFS, on two 0, at every rate", () => {
  for (const rate of [32_000, 44_100, 48_000]) {
    near(integratedLoudness(tone(rate, 1, [0, 3])), -3.01, 0.1); // the tolerance of EBU Tech 3341
    near(integratedLoudness(tone(rate, 2, [0, 3])), 0, 0.1);
  }
});

test("EBU Tech 3341: levels, and gates that pass over quiet parts", () => {
  near(integratedLoudness(tone(48_000, 2, [-23, 20])), -23, 0.1); // case 1
  near(integratedLoudness(tone(48_000, 2, [-33, 20])), -33, 0.1); // case 2
  near(integratedLoudness(tone(48_000, 2, [-36, 10], [-23, 60], [-36, 10])), -23, 0.1); // case 3
  near(integratedLoudness(tone(48_000, 2, [-72, 10], [-36, 10], [-23, 60], [-36, 10], [-72, 10])), -23, 0.1); // case 4
});

test("silence has no loudness, a short clip has one, six channels are refused", () => {
  assert.equal(integratedLoudness({ sampleRate: 32_000, channels: [new Float32Array(64_000)] }), -Infinity);
  assert.equal(integratedLoudness({ sampleRate: 32_000, channels: [new Float32Array(0)] }), -Infinity);
  near(integratedLoudness(tone(48_000, 1, [-20, 0.2])), -23.01, 0.3);
  assert.throws(() => integratedLoudness(tone(8000, 6, [0, 1])), /6 channels/);
});

test("a normalised sound measures what was asked", () => {
  for (const amplitude of [0.01, 0.1, 0.3]) {
    const sound = noise(amplitude);
    near(integratedLoudness(normalise(sound, "loudness")), -14, 0.01);
    near(peak(normalise(sound, "peak")), decibel(-1), 1e-6);
    const { channels } = normalise(sound, "rms");
    const mean = channels[0]!.reduce((sum, x, n) => sum + ((x + channels[1]![n]!) / 2) ** 2, 0) / channels[0]!.length;
    near(Math.sqrt(mean), decibel(-18), 1e-5);
  }
});

test("clipping cuts at 1, none changes nothing, silence and near silence stay", () => {
  assert.equal(peak(normalise(noise(3), "clip")), 1);
  assert.ok(peak(normalise(tone(32_000, 1, [0, 0.1], [-60, 3]), "rms")) <= 1);
  const loud = noise(3);
  assert.equal(normalise(loud, "none"), loud);
  const silence = { sampleRate: 32_000, channels: [new Float32Array(100)] };
  for (const strategy of ["clip", "peak", "rms", "loudness"] as const)
    assert.deepEqual(normalise(silence, strategy), silence);
  const faint = noise(1e-3);
  assert.deepEqual(normalise(faint, "loudness"), faint);
});
