import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import { writeWav } from "../../src/audio/write-wav.js";
import { each, folder, refuses, succeeds } from "./hocket.js";

suite("what is asked wrongly", { concurrency: 1 }, () => {
  test("numbers that cannot be", async () => {
    const cases: [string, RegExp][] = [
      ["--duration -1", /^--duration: -1 is too little: give more than 0\n/],
      ["--duration NaN", /--duration: "NaN" is not a number/],
      ["--duration 1e9", /--duration: 1000000000 is too much: give at most 3600/],
      ["--duration 0.001", /shorter than one frame of this model \(0.02 s\)/],
      ["--duration", /--duration needs a value/],
      ["--seed -1", /--seed: -1 is too little: give at least 0/],
      ["--seed 99999999999999999999", /--seed: 100000000000000000000 is /],
      ["--variations 65", /--variations: 65 is too much: give at most 64/],
      ["--top-k 513", /a top-k of 513 is more than the 512 codes that mini-reference chooses from; 0 means all/],
      ["--top-p 2", /--top-p: 2 is too much: give at most 1/],
      ["--stride 8", /a stride of 8 s leaves nothing of the model's window of 8 s/],
      ["--threads 0", /--threads: give a whole number from 1 to 256/],
      ["--bits 8", /--bits: "8" is none of 16, 24, 32/],
      ["--precision fp16", /--precision fp16 needs a device .*--device webgpu.* take int8, or fp32/],
      ["--precision int3", /--precision: "int3" is none of auto, fp32, fp16, int8, int4/],
      ["--device gpu", /--device: "gpu" is none of auto, cpu, webgpu, cuda, coreml, dml/],
      ["--greedy=1", /--greedy takes no value/],
      ["--wat", /there is no option --wat; see 'hocket generate --help'/],
      ["-x", /there is no option -x; a PROMPT that begins with "-" goes last, after --/],
      ["drums", /"drums" is one word too many: put prompts of several words in quotes/],
      ["--duration -1 --top-p 2", /^--duration: .*; --top-p: /],
    ];
    await each(cases, ([words, message]) => refuses(["generate", "x", ...words.split(" ")], message));
    await refuses(["generate"], /generate needs a prompt in quotes/);
  });

  test("places that cannot be written", async () => {
    const place = () => {
      const cwd = folder({ "there.wav": "old" });
      mkdirSync(join(cwd, "a-folder.wav"));
      return { cwd };
    };
    const cases: [string, RegExp][] = [
      ["-o nowhere/a.wav", /there is no folder nowhere: create it/],
      ["-o there.wav/a.wav", /cannot write to there.wav: it is not a folder/],
      ["-o there.wav", /there.wav exists: give another name, or --overwrite/],
      ["-o a-folder.wav --overwrite", /a-folder.wav is a folder: name the file to write in it/],
      ["-o new.wav/", /is a folder/],
      ["-o /dev/null --format wav --overwrite", /\/dev\/null is not a file that can be replaced/],
      ["-o - --format wav", /writing to stdout is not there/],
      [`-o ${"a".repeat(250)}.wav`, /the name is too long/],
      ["-o a.aiff", /a.aiff: no audio format ends in "aiff": name it .wav, .mp3, .flac, .ogg, or give --format/],
      ["-o a.mp3 --format wav", /a.mp3 ends in .mp3 and --format says wav/],
      ["-o a.mp3 --bits 16", /--bits: mp3 has no bit depth/],
      ["-o a.wav --codes ./a.wav", /named for two outputs/],
      ["--codes there.wav", /there.wav exists/],
    ];
    await each(cases, ([words, message]) => refuses(["generate", "x", ...words.split(" ")], message, place()));
    await refuses(["encode", "there.wav", "--png", "nowhere/a.png"], /there is no folder nowhere/, place());
  });

  test("sounds that are none", async () => {
    const good = wav({});
    const files: Record<string, [Uint8Array | string, RegExp]> = {
      "empty.wav": ["", /empty.wav: the file is empty/],
      "text.wav": ["some words\nand more\n", /text.wav: it is a text file, not audio/],
      "short.wav": [good.subarray(0, 20), /short.wav: the WAV file's 'fmt ' chunk has 0 bytes/],
      "cut.wav": [
        good.subarray(0, 5000),
        /cut.wav: the WAV file promises 8000 samples and holds 2478: it is cut short/,
      ],
      "liar.wav": [wav({ size: 1e9 }), /liar.wav: the WAV file promises 500000000 samples and holds 8000/],
      "modest.wav": [wav({ size: 40 }), /modest.wav: the WAV file says 20 samples, and 15960 bytes follow/],
      "no-channels.wav": [wav({ channels: 0 }), /no-channels.wav: the WAV file says 0 channels at 16000 Hz/],
      "no-samples.wav": [wav({ samples: [] }), /no-samples.wav: it holds no samples/],
      "fast.wav": [wav({ rate: 1e9 }), /fast.wav: it says 1000000000 samples a second/],
      "adpcm.wav": [wav({ kind: 2 }), /adpcm.wav: the WAV file holds Microsoft ADPCM, not plain samples/],
      "nan.wav": [float([0, Number.NaN]), /nan.wav: sample 1 of channel 0 is NaN/],
      "picture.png": [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), /picture.png: it is /],
      "cut.mp3": [Uint8Array.of(0xff, 0xfb, 0x90, 0, 0, 0), /cut.mp3: /],
      "cut.ogg": ["OggS", /cut.ogg: /],
    };
    const cwd = folder();
    for (const [name, [content]] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    symlinkSync("loop", join(cwd, "loop"));
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    const cases = Object.entries(files).map(([name, [, message]]): [string, RegExp] => [name, message]);
    cases.push(
      ["nowhere.wav", /nowhere.wav does not exist: check the path/],
      [".", / is a folder, and a file is needed/],
      ["loop", /loop is a link that leads back to itself/],
      ["pipe", /pipe is a pipe or a device/],
      ["/dev/zero", /\/dev\/zero is a pipe or a device/],
    );
    await each(cases, ([name, message]) => refuses(["encode", resolve(cwd, name), "-o", "out.st"], message));
    await refuses(["generate", "x", "--continue", "nan.wav"], /nan.wav: sample 1/, { cwd });
    await refuses(["inspect", "text.wav"], /text.wav: it is a text file/, { cwd });
  });

  test("sounds that are odd, and fine", async () => {
    const cwd = folder({
      "fast.wav": wav({ rate: 192_000 }),
      "8-bit.wav": wav({ bits: 8 }),
      "one.wav": wav({ samples: [1] }),
      "silent.wav": wav({ samples: new Array(3000).fill(0) }),
      "loud.wav": float(Array.from({ length: 3000 }, (_, n) => 1e30 * Math.sin(n))),
      "surround.wav": wav({ channels: 5 }),
    });
    await each(["fast", "8-bit", "one", "silent", "loud", "surround"], async (name) => {
      await succeeds(["encode", `${name}.wav`, "-o", `${name}.st`], { cwd });
    });
    assert.match((await succeeds(["inspect", "one.st"], { cwd })).stdout, /codes {2}int32 {2}\[1, 4, 1\]/);
  });
});

// --- internal ---

interface Wav {
  rate?: number;
  channels?: number;
  bits?: number;
  kind?: number;
  samples?: readonly number[];
  /** What the header says. */
  size?: number;
}

/** A WAV file that says what it is told to, true or not. Odd bit depths are filled up to bytes. */
function wav({ rate = 16_000, channels = 1, bits = 16, kind = 1, samples, size }: Wav): Uint8Array {
  const values = samples ?? Array.from({ length: 8000 }, (_, n) => 3000 * Math.sin(n / 9));
  const width = Math.ceil(bits / 8);
  const data = new DataView(new ArrayBuffer(values.length * width));
  for (const [n, x] of values.entries()) {
    if (width === 1) data.setUint8(n, 128 + x / 256);
    else data.setInt16(n * width, x, true);
  }
  const head = new DataView(new ArrayBuffer(44));
  for (const [at, text] of [
    [0, "RIFF"],
    [8, "WAVEfmt "],
    [36, "data"],
  ] as const)
    for (const [i, letter] of [...text].entries()) head.setUint8(at + i, letter.charCodeAt(0));
  head.setUint32(4, 36 + data.byteLength, true);
  head.setUint32(16, 16, true);
  for (const [at, value] of [
    [20, kind],
    [22, channels],
    [32, channels * width],
    [34, bits],
  ] as const)
    head.setUint16(at, value, true);
  head.setUint32(24, rate, true);
  head.setUint32(28, rate * channels * width, true);
  head.setUint32(40, size ?? data.byteLength, true);
  return Uint8Array.from([...new Uint8Array(head.buffer), ...new Uint8Array(data.buffer)]);
}

const float = (samples: readonly number[]): Uint8Array =>
  writeWav({ sampleRate: 16_000, channels: [Float32Array.from(samples)] }, { bits: 32 });
