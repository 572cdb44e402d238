import assert from "node:assert/strict";
import { test } from "node:test";
import { HocketError } from "../errors.js";
import { assertStorable, duration, sampleCount, sliceSamples, type Waveform, withChannels } from "./waveform.js";

const waveform = (...channels: number[][]): Waveform => ({
  sampleRate: 4,
  channels: channels.map((c) => Float32Array.from(c)),
});
const rows = ({ channels }: Waveform) => channels.map((channel) => [...channel]);

test("channels are mixed, repeated, dropped, or refused", () => {
  const stereo = waveform([1, 2], [3, -2]);
  assert.deepEqual(rows(withChannels(stereo, 1)), [[2, 0]]);
  assert.equal(withChannels(stereo, 2), stereo);
  assert.deepEqual(rows(withChannels(waveform([1, 2]), 3)), [
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  assert.deepEqual(rows(withChannels(waveform([1], [2], [3]), 2)), [[1], [2]]);
  assert.throws(() => withChannels(stereo, 3), /2 channels cannot become one of 3/);
});

test("a slice is a copy, and knows its length", () => {
  const whole = waveform([1, 2, 3, 4, 5, 6]);
  const part = sliceSamples(whole, 1, 3);
  part.channels[0]![0] = 9;
  assert.deepEqual(rows(whole), [[1, 2, 3, 4, 5, 6]]);
  assert.deepEqual([sampleCount(part), duration(part), duration(whole)], [2, 0.5, 1.5]);
});

test("what cannot be stored is named", () => {
  assertStorable(waveform([1], [2]));
  assert.throws(() => assertStorable(waveform([1, Number.NaN])), /sample 1 of channel 0 is NaN/);
  assert.throws(() => assertStorable(waveform([1, 2], [1])), /channel 1 has 1 samples, channel 0 has 2/);
  assert.throws(() => assertStorable(waveform([])), HocketError);
  assert.throws(() => assertStorable({ sampleRate: 0.5, channels: [new Float32Array(1)] }), /0.5 Hz/);
});
