import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { join } from "./bytes.js";
import { encodeAudio, encodings } from "./encode.js";
import { readId3, writeId3 } from "./id3.js";
import { id3Texts, type Provenance, readProvenance, wavTags } from "./provenance.js";
import { readInfo } from "./riff.js";
import { wavHeader } from "./write-wav.js";

const waveform = { sampleRate: 32_000, channels: [Float32Array.from({ length: 3000 }, (_, n) => Math.sin(n / 9))] };
const text = fc.string({ unit: "binary", maxLength: 60 });
const provenances: fc.Arbitrary<Provenance> = fc.record(
  {
    software: text,
    model: text,
    licence: text,
    prompt: text,
    seed: fc.integer(),
    settings: fc
      .dictionary(
        text.filter((key) => key !== "__proto__"), // JSON readers leave it out, for good reason
        fc.jsonValue({ maxDepth: 2 }),
        { maxKeys: 4, noNullPrototype: true },
      )
      .map((settings) => JSON.parse(JSON.stringify(settings)) as Record<string, unknown>),
  },
  { noNullPrototype: true },
);
const example: Provenance = {
  software: "Hocket 0.1.0",
  model: "facebook/musicgen-small",
  licence: "CC-BY-NC-4.0",
  prompt: 'Rüttelnder Bass, 80 bpm\n🎷 & 『鼓』 \u0000 "quoted"',
  seed: 42,
  settings: { guidance: 3, topK: 250, prompts: ["a", null] },
};

test("every format gives back what was written", async () => {
  for (const format of encodings) {
    assert.deepEqual(readProvenance(await encodeAudio(waveform, { format, provenance: example })), example, format);
    assert.equal(readProvenance(await encodeAudio(waveform, { format })), undefined, format);
    await fc.assert(
      fc.asyncProperty(provenances, async (provenance) => {
        assert.deepEqual(readProvenance(await encodeAudio(waveform, { format, provenance })), provenance);
      }),
      { numRuns: 10 },
    );
  }
});

test("a stream carries it before its sound", () => {
  const header = wavHeader({ sampleRate: 32_000, channels: 1, bits: 16, tags: wavTags(example) });
  assert.deepEqual(readProvenance(header), example);
});

test("players find a title, on one line", () => {
  const prompt = "one\n two  🎷 ".repeat(50);
  const title = readInfo(wavHeader({ sampleRate: 8000, channels: 1, bits: 16, tags: wavTags({ ...example, prompt }) }))
    .INAM!;
  assert.ok(title.startsWith("one two 🎷 one two") && title.endsWith("…") && !title.includes("\n"));
  assert.equal([...title].length, 120);
  const texts = readId3(writeId3(id3Texts(example)));
  assert.equal(texts.TSSE, "Hocket 0.1.0");
  assert.match(texts["COMM:"]!, /model facebook\/musicgen-small, seed 42/);
});

test("ID3 tags of other writers are read: 2.3, UTF-16, Latin-1", () => {
  const json = JSON.stringify(example.settings);
  const utf16 = (value: string) =>
    Uint8Array.from(value, () => 0).length && new Uint8Array(Uint16Array.from(value, (c) => c.charCodeAt(0)).buffer);
  const body = join([
    Uint8Array.of(1, 0xff, 0xfe),
    utf16("HOCKET") as Uint8Array,
    Uint8Array.of(0, 0, 0xff, 0xfe),
    utf16(json) as Uint8Array,
  ]);
  const frame = join([
    Uint8Array.from("TXXX", (c) => c.charCodeAt(0)),
    Uint8Array.of(0, 0, body.length >> 8, body.length & 255, 0, 0),
    body,
  ]);
  const latin = Uint8Array.from("TIT2\0\0\0\x03\0\0\0\xe4b", (c) => c.charCodeAt(0));
  const size = frame.length + latin.length;
  const tag = join([Uint8Array.of(0x49, 0x44, 0x33, 3, 0, 0, 0, 0, size >> 7, size & 127), frame, latin]);
  assert.deepEqual(readId3(tag), { "TXXX:HOCKET": json, TIT2: "äb" });
});

test("what is no provenance is none", () => {
  const wav = (tags: Record<string, string>) => wavHeader({ sampleRate: 8000, channels: 1, bits: 16, tags }, 0);
  for (const comment of ["", "made by me", "[]", "null", "{}", JSON.stringify({ ...example, seed: "42" })])
    assert.equal(readProvenance(wav({ ICMT: comment })), undefined, comment);
  assert.equal(readProvenance(wav({ ICMT: JSON.stringify({ ...example, prompt: "x".repeat(2 ** 21) }) })), undefined);
  assert.deepEqual(readProvenance(wav({ ICMT: JSON.stringify({ ...example, more: 1 }) })), example);
});

test("any bytes, and any damaged file, give a provenance or nothing", async () => {
  const files = await Promise.all(encodings.map((format) => encodeAudio(waveform, { format, provenance: example })));
  const damaged = fc
    .tuple(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { maxLength: 5 }),
      fc.option(fc.nat(3000)),
    )
    .map(([file, changes, length]) => {
      const bytes = file.slice(0, length ?? undefined);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
  const made = fc
    .tuple(fc.constantFrom("", "RIFF....WAVE", "ID3\x04\0\0", "fLaC", "OggS"), fc.uint8Array({ maxLength: 200 }))
    .map(([start, rest]) => join([Uint8Array.from(start, (c) => c.charCodeAt(0)), rest]));
  fc.assert(
    fc.property(fc.oneof(damaged, made), (bytes) => {
      const found = readProvenance(bytes);
      assert.ok(found === undefined || typeof found.prompt === "string");
    }),
    { numRuns: 2000 },
  );
});
