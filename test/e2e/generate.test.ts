import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { decodeAudio } from "../../src/audio/decode.js";
import { readProvenance } from "../../src/audio/provenance.js";
import { readCodes } from "../../src/codes-file.js";
import { floats, integers, largestDifference, readGolden, readGoldenJson, rowsOf } from "../golden.js";
import { memorySource } from "../memory.js";
import { folder, hocket, json, read, refuses, succeeds } from "./hocket.js";

const codesIn = async (cwd: string, name: string) => {
  const { chunks, metadata } = await readCodes(memorySource(name, read(cwd, name)));
  assert.equal(chunks.length, 1);
  return { codes: chunks[0]!.codes[0]!, metadata };
};
const soundIn = (cwd: string, name: string) => decodeAudio(read(cwd, name), name);

suite("generate", { concurrency: 2 }, () => {
  test("greedy codes and sound are the reference's", async () => {
    const { prompts } = readGoldenJson<{ prompts: { text: string }[] }>("mini_reference", "golden.json");
    const golden = readGolden("mini_reference", "golden.safetensors");
    const cwd = folder();
    const { files } = await succeeds(
      `--duration 4 --greedy --guidance 3 --loudness none --bits 32 --seed 9 -o out.wav --codes out.st`
        .split(" ")
        .toSpliced(0, 0, "generate", prompts[0]!.text),
      { cwd },
    );
    assert.deepEqual(files, ["out.st", "out.wav"]);
    const { codes, metadata } = await codesIn(cwd, "out.st");
    assert.deepEqual([...codes], rowsOf(integers(golden, "p0.codes"), 200));
    assert.deepEqual(
      [metadata.sample_rate, metadata.frame_rate, metadata.prompt, metadata.seed],
      ["16000", "50", prompts[0]!.text, "9"],
    );
    const sound = await soundIn(cwd, "out.wav");
    assert.equal(sound.sampleRate, 16_000);
    assert.ok(largestDifference(sound.channels[0]!, floats(golden, "p0.audio")) < 1e-4);
  });

  test("the file names itself after prompt and seed, and nothing is overwritten unasked", async () => {
    const cwd = folder();
    const args = ["generate", "Café: «drum & bass» 音楽!", "--duration", "0.5", "--seed", "7"];
    const first = await succeeds(args, { cwd });
    assert.equal(first.stdout, "café-drum-bass-音楽-7.wav\n");
    assert.match(first.stderr, /^model mini-reference: licence cc0-1.0\ncafé.*: 0.5 s, seed 7, .* x real time\n$/);
    assert.equal((await succeeds(args, { cwd })).stdout, "café-drum-bass-音楽-7-2.wav\n");
    assert.deepEqual(read(cwd, "café-drum-bass-音楽-7.wav"), read(cwd, "café-drum-bass-音楽-7-2.wav"));
    await refuses([...args, "-o", "café-drum-bass-音楽-7.wav"], /7\.wav exists: .*--overwrite/, { cwd });
    await succeeds([...args, "--duration", "0.3", "-o", "café-drum-bass-音楽-7.wav", "--overwrite"], { cwd });
    assert.equal((await soundIn(cwd, "café-drum-bass-音楽-7.wav")).channels[0]!.length, 0.3 * 16_000);
  });

  test("variations count files and seeds, and each seed alone makes its variation again", async () => {
    const cwd = folder();
    const args = ["generate", "bells", "--duration", "0.2"];
    const { stdout } = await succeeds([...args, "--seed", "3", "--variations", "2"], { cwd });
    assert.equal(stdout, "bells-3-1.wav\nbells-3-2.wav\n");
    const again = await succeeds([...args, "--seed", "3", "--variations", "2"], { cwd });
    assert.equal(again.stdout, "bells-3-2-1.wav\nbells-3-2-2.wav\n");
    await succeeds([...args, "--seed", "4", "-o", "alone.wav"], { cwd });
    const [one, two, alone] = await Promise.all(
      ["bells-3-1.wav", "bells-3-2.wav", "alone.wav"].map((name) => soundIn(cwd, name)),
    );
    assert.notDeepEqual(one, two);
    assert.ok(largestDifference(two!.channels[0]!, alone!.channels[0]!) < 2 ** -14);
    await refuses(
      [...args, "-o", "alone.wav", "--variations", "2", "--codes", "bells-3.wav"],
      /bells-3-1\.wav exists/,
      {
        cwd,
      },
    );
  });

  test("--json is one line of JSON with what was made", async () => {
    const run = await succeeds(
      ["generate", "bells", "--duration", "0.5", "--variations", "2", "--seed", "5", "--format", "flac", "--json"],
      {},
    );
    const made = json<{ pieces: { file: string; seed: number }[]; settings: object; realTimeFactor: number }>(run);
    assert.deepEqual(
      made.pieces.map(({ file, seed }) => [file, seed]),
      [
        ["bells-5-1.flac", 5],
        ["bells-5-2.flac", 6],
      ],
    );
    assert.deepEqual(made.settings, {
      duration: 0.5,
      temperature: 1,
      topK: 250,
      topP: 0,
      guidance: 1.5,
      greedy: false,
      melody: false,
      continued: false,
      precision: "fp32",
    });
    assert.ok(made.realTimeFactor > 0);
    assert.ok(!/\r|composing/.test(run.stderr), "progress where stderr is no terminal");
  });

  test("a precision is asked for, kept beside the hub's cache, and written down", async () => {
    const env = { HF_HOME: folder() };
    const compose = async (precision: string) => {
      const cwd = folder();
      const args = [
        "generate",
        "bells",
        "--duration",
        "0.5",
        "--seed",
        "5",
        "-o",
        "o.wav",
        "--codes",
        "o.st",
        "--json",
      ];
      const run = await succeeds([...args, "--precision", precision], { cwd, env });
      const made = readProvenance(read(cwd, "o.wav"))!.settings.precision;
      assert.equal(json<{ settings: { precision: string } }>(run).settings.precision, made);
      return { made, said: run.stderr, codes: (await codesIn(cwd, "o.st")).codes };
    };
    const [auto, eight] = [await compose("auto"), await compose("int8")];
    assert.equal(auto.made, "fp32"); // this model is small
    assert.match(auto.said, /\nprecision fp32: picked as the fastest for this model at full quality\n/);
    assert.equal(eight.made, "int8");
    assert.ok(!/precision/.test(eight.said));
    assert.notDeepEqual(eight.codes, auto.codes);
    const kept = readdirSync(join(env.HF_HOME, "hocket"));
    assert.match(
      kept.toSorted((a, b) => a.length - b.length).join(),
      /^[0-9a-f]{32}\.safetensors,[0-9a-f]{32}\.steps\.safetensors$/,
    );
    assert.deepEqual((await compose("int8")).codes, eight.codes);
    assert.deepEqual(readdirSync(join(env.HF_HOME, "hocket")), kept);
  });

  test("an empty prompt is composed freely, and that is said", async () => {
    const { stdout, stderr } = await succeeds(["generate", "", "--duration", "0.5", "--seed", "1"]);
    assert.equal(stdout, "1.wav\n");
    assert.match(stderr, /the prompt is empty: the model composes freely/);
  });

  test("an intro is kept, code by code", async () => {
    const cwd = folder();
    await succeeds(["generate", "bells", "--duration", "1", "--seed", "1", "-o", "intro.wav"], { cwd });
    await succeeds(["encode", "intro.wav", "-o", "intro.st"], { cwd });
    const more = ["generate", "drums", "--continue", "intro.wav", "--seed", "2", "-o", "more.wav"];
    await succeeds([...more, "--codes", "more.st", "--duration", "1.5"], { cwd });
    const [intro, whole] = [(await codesIn(cwd, "intro.st")).codes, (await codesIn(cwd, "more.st")).codes];
    assert.equal(whole[0]!.length, 75);
    assert.deepEqual(
      whole.map((row) => row.slice(0, 50)),
      [...intro],
    );
    await refuses(
      [...more, "--duration", "1", "--overwrite"],
      /the intro lasts 1 s and the piece, intro included, 1 s/,
      {
        cwd,
      },
    );
  });

  test("every format says what made it, and inspect says it back", async () => {
    const cwd = folder();
    const inFormat = async (format: string) => {
      await succeeds(["generate", 'deep "bass" 🎷', "--duration", "0.2", "--seed", "8", "-o", `a.${format}`], { cwd });
      const run = await succeeds(["inspect", `a.${format}`, "--json"], { cwd });
      const { kind, madeBy, channels } = json<{ kind: string; channels: number; madeBy: Record<string, unknown> }>(run);
      assert.deepEqual([kind, channels], ["sound", 1]);
      assert.deepEqual(
        [madeBy.prompt, madeBy.seed, madeBy.model, madeBy.licence],
        ['deep "bass" 🎷', 8, "mini-reference", "cc0-1.0"],
        format,
      );
    };
    await Promise.all(["wav", "mp3", "flac", "ogg"].map(inFormat));
    assert.match((await succeeds(["inspect", "a.wav"], { cwd })).stdout, /seed: 8\n/);
  });

  test("10,000 characters of any script are a prompt", async () => {
    const prompt = "warm piano 🎹🥁👩‍🎤 温暖的钢琴 موسيقى هادئة \n\u0007".repeat(300).slice(0, 10_000);
    await succeeds(["generate", prompt, "--duration", "0.2", "--seed", "1", "-o", "a.wav"]);
    await refuses(
      ["generate", "a".repeat(10_000)],
      /the prompt has 10001 tokens, and at most 4096 are read: shorten it/,
    );
  });

  test("help and version are there without a model", async () => {
    for (const args of [["--help"], ["generate", "--help"]]) assert.match((await succeeds(args)).stdout, /^hocket /);
    assert.match((await succeeds(["--version"])).stdout, /^hocket \d+\.\d+\.\d+\n$/);
    const none = await hocket([]);
    assert.equal(none.code, 2);
    assert.match(none.stdout, /generate +turn words into music/);
    await refuses(["compose"], /there is no command "compose": generate, serve, worker, encode, decode, inspect, pull/);
  });
});
