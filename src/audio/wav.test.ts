import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { join, littleEndian, utf8 } from "./bytes.js";
import { toPcm } from "./pcm.js";
import { chunk, readInfo } from "./riff.js";
import { readWav } from "./wav.js";
import { wavHeader, writeWav } from "./write-wav.js";

const bits = fc.constantFrom(16, 24, 32);
const waveforms = (sample: fc.Arbitrary<number>) =>
  fc.record(
    {
      sampleRate: fc.integer({ min: 1, max: 200_000 }),
      channels: fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 20 }))
        .chain(([c, n]) => fc.array(fc.float32Array({ minLength: n, maxLength: n }), { minLength: c, maxLength: c }))
        .chain((channels) =>
          sample.map((x) => channels.map((channel) => channel.map((y) => (Number.isNaN(y) ? x : y)))),
        ),
    },
    { noNullPrototype: true },
  );

/** A WAV file by hand: `fields` are the numbers of its 'fmt ' chunk. */
const wav = (fields: readonly (readonly [value: number, size: number])[], ...chunks: Uint8Array[]) => {
  const body = join([
    utf8("WAVE"),
    chunk("fmt ", join(fields.map(([value, size]) => littleEndian(value, size)))),
    ...chunks,
  ]);
  return join([utf8("RIFF"), littleEndian(body.length, 4), body]);
};
const format = (kind: number, channels: number, rate: number, width: number, frame = (channels * width) / 8) =>
  [
    [kind, 2],
    [channels, 2],
    [rate, 4],
    [rate * frame, 4],
    [frame, 2],
    [width, 2],
  ] as const;
const ofChannel = (bytes: Uint8Array) => [...readWav(bytes).channels[0]!];

test("floats survive bit for bit, not-a-number and infinity included", () => {
  fc.assert(
    fc.property(waveforms(fc.constant(Number.NaN)), (waveform) => {
      assert.deepEqual(readWav(writeWav(waveform, { bits: 32 })), waveform);
    }),
  );
});

test("integers come back within half a step, and clipped", () => {
  fc.assert(
    fc.property(waveforms(fc.constant(0.5)), fc.constantFrom(16, 24), (waveform, width) => {
      const back = readWav(writeWav(waveform, { bits: width }));
      const step = 2 ** (1 - width);
      assert.equal(back.sampleRate, waveform.sampleRate);
      for (const [c, channel] of waveform.channels.entries())
        for (const [n, x] of channel.entries()) {
          const clipped = Math.max(-1, Math.min(1 - step, x));
          assert.ok(Math.abs(back.channels[c]![n]! - clipped) <= step / 2, `${x} became ${back.channels[c]![n]}`);
        }
    }),
  );
});

test("every sample format is read by its definition", () => {
  const data = (...bytes: number[]) => chunk("data", Uint8Array.from(bytes));
  assert.deepEqual(ofChannel(wav(format(1, 1, 8000, 8), data(0, 128, 255))), [-1, 0, 127 / 128]);
  assert.deepEqual(ofChannel(wav(format(1, 1, 8000, 16), data(0, 128, 255, 255, 1, 0))), [-1, -1 / 32768, 1 / 32768]);
  assert.deepEqual(ofChannel(wav(format(1, 1, 8000, 24), data(0, 0, 128, 255, 255, 255, 0, 0, 64))), [
    -1,
    -(2 ** -23),
    0.5,
  ]);
  assert.deepEqual(ofChannel(wav(format(1, 1, 8000, 32), data(0, 0, 0, 128, 0, 0, 0, 32))), [-1, 0.25]);
  assert.deepEqual(ofChannel(wav(format(3, 1, 8000, 32), data(0, 0, 0, 191))), [-0.5]);
  assert.deepEqual(ofChannel(wav(format(3, 1, 8000, 64), data(0, 0, 0, 0, 0, 0, 224, 63))), [0.5]);
});

test("the extended header is read, and chunks of odd size are passed over", () => {
  const extended = [...format(0xfffe, 2, 8000, 16), [22, 2], [16, 2], [3, 4], [1, 2], [0, 14]] as const;
  const odd = chunk("JUNK", Uint8Array.of(1, 2, 3));
  const { channels } = readWav(wav(extended, odd, chunk("data", Uint8Array.of(0, 64, 0, 192))));
  assert.deepEqual(
    channels.map((channel) => [...channel]),
    [[0.5], [-0.5]],
  );
});

test("a size that lies is a stream's, or an error that counts", () => {
  const whole = writeWav({ sampleRate: 8000, channels: [new Float32Array(100).fill(0.5)] }, { bits: 16 });
  assert.throws(() => readWav(whole.subarray(0, whole.length - 50)), /promises 100 samples and holds 75/);
  for (const size of [0, 0xffff_ffff]) {
    const stream = whole.slice();
    stream.set(littleEndian(size, 4), 4);
    stream.set(littleEndian(size, 4), 40);
    assert.equal(readWav(stream).channels[0]!.length, 100);
  }
  const modest = whole.slice();
  modest.set(littleEndian(20, 4), 40);
  assert.throws(() => readWav(modest), /says 10 samples, and 180 bytes follow/);
  const none = writeWav({ sampleRate: 8000, channels: [new Float32Array(0)] }, { bits: 16 });
  assert.equal(readWav(none).channels[0]!.length, 0); // an honest nothing
});

test("a header and pieces make a stream that reads back, tags included", () => {
  fc.assert(
    fc.property(waveforms(fc.constant(0)), bits, fc.string({ unit: "grapheme" }), (waveform, width, text) => {
      const title = text.replaceAll("\0", "");
      const layout = {
        sampleRate: waveform.sampleRate,
        channels: waveform.channels.length,
        bits: width,
        tags: { INAM: title },
      };
      const half = waveform.channels.map((channel) => channel.subarray(0, 7));
      const rest = waveform.channels.map((channel) => channel.subarray(7));
      const stream = join([wavHeader(layout), toPcm(half, width), toPcm(rest, width)]);
      assert.deepEqual(readWav(stream), readWav(writeWav(waveform, { bits: width })));
      assert.equal(readInfo(stream).INAM, title);
    }),
  );
});

test("what cannot be read is named", () => {
  const data = chunk("data", new Uint8Array(8));
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /empty/],
    [utf8("title,artist\nä song,somebody\n"), /text file/],
    [Uint8Array.of(1, 2, 3, 4), /not a WAV file/],
    [utf8("RF64\0\0\0\0WAVE"), /RF64.*4 GiB/],
    [wav(format(1, 0, 8000, 16), data), /0 channels/],
    [wav(format(1, 1, 0, 16), data), /0 Hz/],
    [wav(format(1, 1, 8000, 20, 3), data), /20-bit/],
    [wav(format(1, 2, 8000, 16, 2), data), /2 bytes for 2 samples of 16 bits/],
    [wav(format(85, 2, 8000, 0), data), /MP3/],
    [wav(format(6, 2, 8000, 8), data), /A-law/],
    [wav(format(1, 65, 8000, 16), data), /65 channels/],
    [wav(format(1, 1, 8000, 16)), /no 'data' chunk/],
    [wav([[1, 2]], data), /2 bytes, not the 16/],
    [join([utf8("RIFF\0\0\0\0WAVE"), data]), /no 'fmt ' chunk before 'data'/],
  ];
  for (const [bytes, message] of cases)
    assert.throws(
      () => readWav(bytes),
      (error) => error instanceof HocketError && message.test(error.message),
      String(message),
    );
  const huge = { sampleRate: 8000, channels: 2, bits: 32 } as const;
  assert.throws(() => wavHeader(huge, 2 ** 30), /too many for a WAV file/);
});

test("any bytes, and any damaged file, are a waveform or a HocketError", () => {
  const whole = writeWav(
    { sampleRate: 8000, channels: [new Float32Array(9), new Float32Array(9)] },
    { bits: 24, tags: { INAM: "x" } },
  );
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
  const damaged = fc.tuple(changes, fc.nat(whole.length)).map(([list, length]) => {
    const bytes = whole.slice(0, length || whole.length);
    for (const [at, value] of list) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      try {
        const { channels } = readWav(bytes);
        assert.ok(channels.reduce((sum, channel) => sum + channel.length, 0) <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof HocketError, String(error));
      }
      readInfo(bytes);
    }),
    { numRuns: 2000 },
  );
});
