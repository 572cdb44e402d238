import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parseInfo } from "./info.js";
import { type Entry, formatManifest, parseManifest, readManifest, splits, writeManifest } from "./manifest.js";

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const entries: fc.Arbitrary<Entry> = fc
  .record(
    {
      path: fc.string({ unit: "binary", minLength: 1 }).filter((path) => !path.includes(".zip:")),
      duration: positive,
      sample_rate: fc.integer({ min: 1, max: 768_000 }),
      channels: fc.nat(64),
      split: fc.constantFrom(...splits),
      info: fc.record({
        title: maybe(fc.string({ unit: "binary" })),
        artist: maybe(fc.string()),
        key: maybe(fc.string()),
        bpm: maybe(positive),
        genre: maybe(fc.string()),
        moods: maybe(fc.array(fc.string())),
        keywords: maybe(fc.array(fc.string())),
        description: maybe(fc.string({ unit: "grapheme" })),
        instrument: maybe(fc.string()),
      }),
      captions: fc.array(fc.string()),
      weight: positive,
      labels: fc.oneof(fc.nat(), fc.array(fc.string()), fc.record({ bpm: fc.nat() })),
    },
    { requiredKeys: ["path", "duration", "sample_rate", "channels", "split", "info"] },
  )
  .map((entry) => JSON.parse(JSON.stringify(entry)) as Entry); // plain objects, as JSON makes them

describe("manifests", () => {
  test("there and back is the identity", () => {
    fc.assert(
      fc.property(fc.array(entries), (list) => {
        assert.deepEqual(parseManifest(formatManifest(list), "x"), list);
      }),
    );
  });

  test("whatever the text, it is read or refused with file and line", () => {
    const line = fc.oneof(
      fc.json(),
      fc.string(),
      entries.map((entry) => JSON.stringify({ ...entry, duration: -1 })),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          parseManifest(lines.join("\n"), "some.jsonl");
        } catch (error) {
          assert.match((error as Error).message, /^some\.jsonl, line \d+: /s);
        }
      }),
    );
    const good = JSON.stringify({ path: "a.wav", duration: 1, sample_rate: 8000 });
    assert.throws(() => parseManifest(`${good}\n\n{"path":"b.wav","duration":"3"}`, "m"), {
      code: "bad-file",
      message: 'm, line 3: duration: "3" is not a number; sample_rate: undefined is not a number',
    });
  });

  test("audiocraft's own are read: nulls, gzip, and what the files beside say", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hocket-manifest-"));
    const line = (path: string) => ({
      path,
      duration: 2.5,
      sample_rate: 32000,
      amplitude: null,
      weight: null,
      info_path: null,
    });
    const text = [line("a.mp3"), line("b.mp3")].map((each) => JSON.stringify(each)).join("\n");
    await writeFile(join(folder, "data.jsonl.gz"), gzipSync(text));
    await writeFile(
      join(folder, "a.json"),
      JSON.stringify({
        name: " Song ",
        key: "C Major",
        bpm: "120.5",
        moods: ["Happy ", "None"],
        keywords: "Loud, fast",
        description: [" one ", "two"],
        genre: "None",
        file_extension: "mp3",
      }),
    );
    const [a, b] = await readManifest(folder);
    assert.deepEqual(a, {
      path: "a.mp3",
      duration: 2.5,
      sample_rate: 32000,
      channels: 0,
      split: "train",
      info: {
        title: "Song",
        artist: null,
        key: "c major",
        bpm: 120.5,
        genre: null,
        moods: ["happy"],
        keywords: ["loud", "fast"],
        description: "one",
        instrument: null,
      },
      captions: ["two"],
    });
    assert.deepEqual(b!.info, parseInfo({}, "").info);
    await writeFile(join(folder, "b.json"), "[]");
    await assert.rejects(readManifest(folder), /b\.json: it holds no JSON object/);
    await writeManifest(folder, [a!]); // takes precedence over the packed one
    assert.deepEqual(await readManifest(folder), [a]);
    await rm(folder, { recursive: true });
  });

  test("a tidied description stays as it is", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("title", "key", "bpm", "moods", "description"), fc.string()),
        (json) => {
          const { info } = parseInfo(json, "x");
          assert.deepEqual(parseInfo(info, "x").info, info);
        },
      ),
    );
    assert.equal(parseInfo({ key: "C, G" }, "x").info.key, null);
    assert.throws(() => parseInfo({ title: {} }, "x.json"), /x\.json: title is not a text/);
  });
});
