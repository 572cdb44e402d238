import assert from "node:assert/strict";
import { test } from "node:test";
import { HocketError } from "../errors.js";
import { decodeAudio } from "./decode.js";
import { encodeAudio, encodings } from "./encode.js";
import { sampleCount, type Waveform } from "./waveform.js";

const chord = (sampleRate: number, channels: number, length = 20_000): Waveform => ({
  sampleRate,
  channels: Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length }, (_, n) => {
      const t = n / sampleRate;
      return 0.3 * Math.sin(2 * Math.PI * (300 + 70 * c) * t) + 0.2 * Math.sin(2 * Math.PI * (500 + 300 * t) * t);
    }),
  ),
});

function correlation(a: Float32Array, b: Float32Array, delay: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let n = 0; n < a.length; n++) {
    const y = b[n + delay] ?? 0;
    ab += a[n]! * y;
    aa += a[n]! ** 2;
    bb += y ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

test("every format keeps rate, channels and length, and sounds the same", async () => {
  for (const format of encodings)
    for (const rate of [16_000, 32_000, 44_100, 48_000])
      for (const channels of [1, 2]) {
        const sound = chord(rate, channels);
        const back = await decodeAudio(await encodeAudio(sound, { format }), format);
        const what = `${format} at ${rate} Hz on ${channels}`;
        assert.deepEqual([back.sampleRate, back.channels.length], [rate, channels], what);
        // MP3 begins with its delay (576 of LAME, 529 of the decoder) and ends with a whole frame.
        const added = sampleCount(back) - sampleCount(sound);
        assert.ok(
          format === "mp3" ? added >= 1105 && added < 4 * 1152 : added === 0,
          `${what}: ${added} samples added`,
        );
        const delay = format === "mp3" ? 1105 : 0;
        for (const [c, channel] of sound.channels.entries()) {
          const likeness = correlation(channel, back.channels[c]!, delay);
          assert.ok(likeness > 0.995, `${what}, channel ${c}: correlation ${likeness}`);
        }
      }
});

test("bits are kept: floats exactly, integers within half a step", async () => {
  const sound = chord(32_000, 2, 500);
  assert.deepEqual(await decodeAudio(await encodeAudio(sound, { format: "wav", bits: 32 }), "x"), sound);
  for (const format of ["wav", "flac"] as const)
    for (const bits of [16, 24] as const) {
      const back = await decodeAudio(await encodeAudio(sound, { format, bits }), "x");
      for (const [c, channel] of sound.channels.entries())
        for (const [n, x] of channel.entries()) assert.ok(Math.abs(back.channels[c]![n]! - x) <= 2 ** -bits);
    }
});

test("the same waveform gives the same bytes", async () => {
  for (const format of encodings)
    assert.deepEqual(await encodeAudio(chord(32_000, 2), { format }), await encodeAudio(chord(32_000, 2), { format }));
});

test("what exceeds 1 is clipped, not wrapped", async () => {
  const loud: Waveform = { sampleRate: 32_000, channels: [chord(32_000, 1).channels[0]!.map((x) => 9 * x)] };
  for (const format of encodings) {
    const { channels } = await decodeAudio(await encodeAudio(loud, { format }), format);
    const clipped = loud.channels[0]!.map((x) => Math.max(-1, Math.min(1, x)));
    const delay = format === "mp3" ? 1105 : 0;
    assert.ok(correlation(clipped, channels[0]!, delay) > 0.99, format);
  }
});

test("what a format cannot hold is refused", async () => {
  const refused = (sound: Waveform, options: Parameters<typeof encodeAudio>[1], message: RegExp) =>
    assert.rejects(
      () => encodeAudio(sound, options),
      (error) => error instanceof HocketError && message.test(error.message),
    );
  await refused(chord(96_000, 1), { format: "mp3" }, /96000 Hz.*44100/);
  await refused(chord(4000, 1), { format: "ogg" }, /4000 Hz/);
  await refused(chord(32_000, 3), { format: "mp3" }, /3: choose wav or flac/);
  await refused(chord(32_000, 3), { format: "ogg" }, /1 or 2 channels/);
  await refused(chord(32_000, 1), { format: "flac", bits: 32 }, /16 or 24 bits/);
  await refused(chord(32_000, 1), { format: "mp3", bits: 16 }, /no bit depth/);
  for (const format of encodings) {
    await refused({ sampleRate: 32_000, channels: [Float32Array.of(Number.NaN)] }, { format }, /is NaN/);
    await refused({ sampleRate: 32_000, channels: [new Float32Array(0)] }, { format }, /holds no samples/);
  }
});
