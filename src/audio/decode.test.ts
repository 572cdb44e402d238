import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { join, utf8 } from "./bytes.js";
import { decodeAudio } from "./decode.js";
import { readPages, writePages } from "./ogg.js";
import { withVorbisComments } from "./vorbis-comment.js";
import { readWav } from "./wav.js";
import { writeFlac } from "./write-flac.js";
import { writeWav } from "./write-wav.js";

const golden = (name: string) => readFileSync(new URL(`../../../test/golden/audio/${name}`, import.meta.url));
const lossy = ["stereo.mp3", "mono.mp3", "stereo.ogg", "stereo.opus"];

test("each format is decoded as its own tools decode it, within rounding to 16 bits", async () => {
  for (const name of lossy) {
    const ours = await decodeAudio(golden(name), name);
    const theirs = readWav(golden(`${name}.wav`));
    const skipped = name === "mono.mp3" ? 529 : 0; // lame drops the decoder's delay; only a LAME header says how much
    assert.equal(ours.sampleRate, theirs.sampleRate);
    assert.equal(ours.channels.length, theirs.channels.length);
    for (const [c, channel] of theirs.channels.entries()) {
      assert.equal(ours.channels[c]!.length, channel.length + skipped, name);
      for (const [n, x] of channel.entries())
        assert.ok(Math.abs(ours.channels[c]![n + skipped]! - x) < 2 / 32_768, `${name}, sample ${n}`);
    }
  }
  const { channels } = await decodeAudio(golden("flac16.flac"), "x");
  assert.deepEqual(channels, readWav(golden("flac16.wav")).channels);
});

test("what cannot be decoded is named, with its file", async () => {
  const nan = writeWav({ sampleRate: 8000, channels: [Float32Array.of(0, Number.NaN)] }, { bits: 32 });
  const none = writeWav({ sampleRate: 8000, channels: [new Float32Array(0)] }, { bits: 16 });
  const ogg = golden("stereo.ogg");
  const cases: [Uint8Array, HocketError["code"], RegExp][] = [
    [new Uint8Array(0), "bad-file", /^song: the file is empty$/],
    [utf8("<!doctype html>\n<p>not found"), "bad-file", /text file/],
    [Uint8Array.of(0, 1, 2, 3), "unsupported", /unknown format/],
    [utf8("\0\0\0\x20ftypM4A "), "unsupported", /M4A.*convert it to WAV/],
    [Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3), "unsupported", /WebM/],
    [Uint8Array.of(0xff, 0xf1, 0x50, 0x80), "unsupported", /AAC/],
    [utf8("FORM\0\0\0\0AIFF"), "unsupported", /AIFF/],
    [utf8("RF64\0\0\0\0WAVE"), "unsupported", /RF64/],
    [nan, "bad-file", /sample 1 of channel 0 is NaN/],
    [none, "bad-file", /holds no samples/],
    [golden("stereo.mp3").subarray(0, 3000), "bad-file", /promises \d+ frames and holds/],
    [golden("mono.mp3").subarray(0, 100), "bad-file", /no sound/],
    [ogg.subarray(0, ogg.length - 5), "bad-file", /cut short/],
    [golden("stereo.opus").subarray(0, 5000), "bad-file", /cut short/],
    [golden("flac16.flac").subarray(0, 9000), "bad-file", /promises 10000 samples and holds/],
  ];
  for (const [bytes, code, message] of cases)
    await assert.rejects(
      () => decodeAudio(bytes, "song"),
      (error) => error instanceof HocketError && error.code === code && message.test(error.message),
      String(message),
    );
});

test("an MP3 file that is damaged in its middle is refused; one that ends within a frame is not", async () => {
  const mp3 = Uint8Array.from(golden("mono.mp3"));
  const holed = mp3.slice();
  holed.fill(0x55, 2000, 2300);
  await assert.rejects(() => decodeAudio(holed, "x"), /damaged at byte/);
  const { channels } = await decodeAudio(mp3.subarray(0, 2000), "x");
  assert.ok(channels[0]!.length > 0 && channels[0]!.length % 1152 === 0, "whole frames");
});

test("an ID3 tag before a FLAC file, and an Ogg cover of a megabyte, are passed over", async () => {
  const flac = writeFlac({ sampleRate: 8000, channels: [new Float32Array(20).fill(0.5)] }, 16);
  const tagged = join([utf8("ID3\x04\0\0\0\0\0\x05tagtag".slice(0, 15)), flac]);
  assert.deepEqual((await decodeAudio(tagged, "x")).channels, [new Float32Array(20).fill(0.5)]);
  const ogg = golden("stereo.ogg");
  const covered = withVorbisComments(ogg, { METADATA_BLOCK_PICTURE: "x".repeat(2 ** 20) }, 1);
  assert.deepEqual(await decodeAudio(covered, "x"), await decodeAudio(ogg, "x"));
});

test("no file, however damaged, does anything but decode or fail with a HocketError", async () => {
  const files = ["flac16.wav", "three.flac", ...lossy].map((name) => Uint8Array.from(golden(name)));
  const damaged = fc
    .tuple(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 8 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.boolean(),
    )
    .map(([file, changes, cut, early]) => {
      const bytes = file.slice(0, cut === null ? undefined : cut * file.length);
      const reach = early ? Math.min(bytes.length, 200) : bytes.length;
      for (const [place, value] of changes) bytes[Math.floor(place * reach)] = value;
      return bytes;
    });
  const made = fc
    .tuple(
      fc.constantFrom("", "RIFF....WAVE", "ID3\x04\0\0", "fLaC\0\0\0\x22", "OggS", "\xff\xfb\x90\x64"),
      fc.uint8Array({ maxLength: 400 }),
    )
    .map(([start, rest]) => join([Uint8Array.from(start, (c) => c.charCodeAt(0)), rest]));
  // Past the checksums, into the decoders themselves.
  const pages = ["stereo.ogg", "stereo.opus"].map((name) => readPages(Uint8Array.from(golden(name))));
  const inside = fc
    .tuple(fc.constantFrom(...pages), fc.array(fc.tuple(fc.nat(8000), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([stream, changes]) => {
      const copies = stream.map((page) => ({ ...page, body: page.body.slice() }));
      for (const [i, page] of copies.entries())
        for (const [at, value] of changes) if ((at + i) % 3 === 0) page.body[at % page.body.length] = value;
      return writePages(copies, 1);
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, made, inside), async (bytes) => {
      try {
        const { channels } = await decodeAudio(bytes, "x");
        assert.ok(channels.every((channel) => channel.every(Number.isFinite)));
      } catch (error) {
        assert.ok(error instanceof HocketError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
