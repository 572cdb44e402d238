import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { utf8 } from "../audio/bytes.js";
import { encodeAudio } from "../audio/encode.js";
import { writeId3 } from "../audio/id3.js";
import type { Waveform } from "../audio/waveform.js";
import { writeFlac } from "../audio/write-flac.js";
import { writeWav } from "../audio/write-wav.js";
import { type Entry, readManifest } from "./manifest.js";
import { maxFileBytes } from "./recordings.js";
import { type ScanEvent, type ScanResult, scanFolder } from "./scan.js";
import { openDataset } from "./segments.js";

const rate = 16_000;
const sound = (seconds: number, channels = 1, sampleRate = rate): Waveform => ({
  sampleRate,
  channels: Array.from({ length: channels }, () =>
    Float32Array.from({ length: seconds * sampleRate }, (_, n) => 0.3 * Math.sin(n / 20)),
  ),
});

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hocket-scan-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function scan(from: string, out: string, valid = 0.3): Promise<{ events: ScanEvent[]; result: ScanResult }> {
  const steps = scanFolder(from, out, { valid, threads: 2 });
  const events: ScanEvent[] = [];
  let step = await steps.next();
  for (; !step.done; step = await steps.next()) events.push(step.value);
  return { events, result: step.value };
}

async function fill(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(folder, name, path, ".."), { recursive: true });
    await writeFile(join(folder, name, path), bytes);
  }
  return join(folder, name);
}

describe("scanning a folder", () => {
  test("what cannot be learnt from is named with the reason, and the rest is listed", async () => {
    const flac = writeFlac(sound(3), 16);
    const nan = sound(2);
    nan.channels[0]![100] = Number.NaN;
    const float = writeWav(sound(2), { bits: 32 });
    new DataView(float.buffer, float.byteOffset).setFloat32(float.length - 400, Number.NaN, true);
    const from = await fill("mixed", {
      "good.wav": writeWav(sound(1.5, 2), { bits: 16 }),
      "below/deep/good.flac": flac,
      "good.mp3": await encodeAudio(sound(2, 1, 32_000), { format: "mp3" }),
      "good.OGG": await encodeAudio(sound(2), { format: "ogg" }),
      "notes.txt": "no sound",
      ".hidden.wav": "x",
      "bad/cut.flac": flac.subarray(0, flac.length / 2),
      "bad/empty.wav": "",
      "bad/text.mp3": "this is a text",
      "bad/tracker.xm": "Extended Module: song",
      "bad/movie.m4a": "\0\0\0\x18ftypM4A ",
      "bad/silent.wav": writeWav({ sampleRate: rate, channels: [new Float32Array(2 * rate)] }, { bits: 16 }),
      "bad/short.wav": writeWav(sound(0.5), { bits: 16 }),
      "bad/nan.wav": float,
      "bad/eight.wav": writeWav(sound(2, 8), { bits: 16 }),
      "bad/slow.wav": writeWav(sound(2, 1, 4000), { bits: 16 }),
      "bad/rate.wav": writeWav(sound(2), { bits: 16 }).map((byte, at) => (at >= 24 && at < 28 ? 0xff : byte)),
      "bad/enormous.wav": "RIFF",
    });
    await truncate(join(from, "bad/enormous.wav"), maxFileBytes + 1);
    const out = join(folder, "out");
    const { events, result } = await scan(from, out);
    const reasons: Record<string, RegExp> = {
      cut: /damaged|ends|cut short/,
      empty: /empty/,
      text: /text file/,
      tracker: /unknown format|text file/,
      movie: /MP4/,
      silent: /silent/,
      short: /too short \(0\.50 s/,
      nan: /is NaN/,
      eight: /8 channels/,
      slow: /4000 samples a second/,
      rate: /damaged/,
      enormous: /enormous/,
    };
    const skipped = events.filter((event) => event.skipped !== undefined);
    assert.deepEqual(skipped.map(({ path }) => path.replace(/^bad\/|\..*$/g, "")).sort(), Object.keys(reasons).sort());
    for (const { path, skipped: why } of skipped) assert.match(why!, reasons[path.replace(/^bad\/|\..*$/g, "")]!, path);
    assert.equal(result.skipped, skipped.length);
    assert.equal(events.at(-1)!.done, events.length);

    const entries = await readManifest(out);
    assert.deepEqual(entries, result.entries);
    assert.deepEqual(
      entries.map(({ path, sample_rate, channels }) => [path.slice(from.length + 1), sample_rate, channels]),
      [
        ["below/deep/good.flac", rate, 1],
        ["good.OGG", rate, 1],
        ["good.mp3", 32_000, 1],
        ["good.wav", rate, 2],
      ],
    );
    assert.ok(Math.abs(entries[0]!.duration - 3) < 1e-9);
    const dataset = await openDataset([out], "train", { sampleRate: 8000, channels: 1 });
    for (let i = 0; i < 20; i++) await dataset.segment(i, 1, 0);
  });

  test("a file's split is decided by its path, and some are for validation", async () => {
    const wav = writeWav(sound(1), { bits: 16 });
    const names = Array.from({ length: 30 }, (_, i) => `${i % 3}/song ${i}.wav`);
    const from = await fill("many", Object.fromEntries(names.map((name) => [name, wav])));
    const splits = ({ entries }: ScanResult) => new Map(entries.map(({ path, split }) => [path, split]));
    const all = splits((await scan(from, join(from, "data"))).result);
    const valid = [...all.values()].filter((split) => split === "valid").length;
    assert.ok(valid >= 3 && valid <= 18, `${valid} of 30`);
    for (const name of names.slice(10)) await rm(join(from, name));
    for (const [path, split] of splits((await scan(from, join(from, "data"))).result))
      assert.equal(split, all.get(path));
    const two = await fill("two", { "a.wav": wav, "b.wav": wav });
    const few = (await scan(two, two, 0.001)).result.entries;
    assert.deepEqual(few.map(({ split }) => split).sort(), ["train", "valid"]);
    assert.deepEqual(
      few.map(({ path }) => path),
      ["a.wav", "b.wav"],
      "relative where the list lies above them",
    );
  });

  test("words come from the .json file, the .txt file, and the tags; malformed ones are named", async () => {
    const wav = writeWav(sound(1), { bits: 16, tags: { INAM: "A Title", ICMT: "slow and sad piano", IGNR: "Jazz" } });
    const mp3 = await encodeAudio(sound(2, 1, 32_000), { format: "mp3" });
    const tags = writeId3({
      TIT2: "Song",
      TBPM: "97",
      TKEY: "F#m",
      TCON: "(17)Rock",
      "COMM:": "visit www.example.org now",
    });
    const made = { software: "Hocket", model: "m", licence: "MIT", prompt: "a waltz", seed: 1, settings: {} };
    const from = await fill("words", {
      "tagged.wav": wav,
      "text.wav": wav,
      "text.txt": "loud guitars\r\n\r\nsome rock\n",
      "both.wav": wav,
      "both.txt": "from the text",
      "both.json": JSON.stringify({ bpm: 120, description: null, moods: ["Calm"] }),
      "song.mp3": new Uint8Array([...tags, ...mp3]),
      "made.flac": await encodeAudio(sound(1), { format: "flac", provenance: made }),
      "wrong.wav": wav,
      "wrong.json": "{",
      "binary.wav": writeWav(sound(1), { bits: 16 }),
      "binary.txt": Uint8Array.of(1, 2, 3, 200),
    });
    const { events, result } = await scan(from, join(folder, "words-out"));
    const about = new Map(result.entries.map((entry) => [entry.path.slice(from.length + 1), entry]));
    const entry = (name: string): Entry => about.get(name)!;
    assert.equal(entry("tagged.wav").info.description, "slow and sad piano");
    assert.equal(entry("tagged.wav").info.title, "A Title");
    assert.equal(entry("tagged.wav").info.genre, "Jazz");
    assert.equal(entry("text.wav").info.description, "loud guitars");
    assert.deepEqual(entry("text.wav").captions, ["some rock"]);
    assert.equal(entry("both.wav").info.description, "from the text");
    assert.equal(entry("both.wav").info.bpm, 120);
    assert.deepEqual(entry("both.wav").info.moods, ["calm"]);
    const { title, bpm, key, genre, description } = entry("song.mp3").info;
    assert.deepEqual([title, bpm, key, genre, description], ["Song", 97, "f# minor", "Rock", null]);
    assert.equal(entry("made.flac").info.description, "a waltz");
    assert.equal(entry("wrong.wav").info.description, "slow and sad piano");
    const notes = events.flatMap(({ path, notes }) => notes.map((note) => `${path}: ${note}`));
    assert.equal(notes.length, 2);
    assert.match(notes[0]!, /^binary\.wav: binary\.txt: it is no text/);
    assert.match(notes[1]!, /^wrong\.wav: .*wrong\.json: it is not JSON/);
  });

  test("a folder that changes meanwhile, and one with nothing in it", async () => {
    const wav = writeWav(sound(1), { bits: 16 });
    const names = Array.from({ length: 12 }, (_, i) => `${String(i).padStart(2, "0")}.wav`);
    const from = await fill("changing", Object.fromEntries(names.map((name) => [name, wav])));
    const steps = scanFolder(from, join(folder, "changed"), { valid: 0, threads: 1 });
    await steps.next();
    await rm(join(from, "11.wav"));
    await appendFile(join(from, "10.wav"), utf8("more"));
    const events: ScanEvent[] = [];
    for (let step = await steps.next(); !step.done; step = await steps.next()) events.push(step.value);
    assert.match(events.at(-1)!.skipped!, /gone/);
    assert.equal((await readManifest(join(folder, "changed"))).length, 11);

    const broken = await fill("broken", { "a.wav": "no", "b.mp3": "no" });
    await assert.rejects(scan(broken, join(folder, "none")), /none of the 2 sound files/);
    await assert.rejects(scan(await fill("nothing", { "a.txt": "" }), join(folder, "none")), /holds no sound files/);
    await assert.rejects(readManifest(join(folder, "none")), /does not exist/);
    await assert.rejects(scan(join(folder, "not there"), join(folder, "none")), /does not exist/);
  });
});
