import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { decodeAudio } from "../../src/audio/decode.js";
import { writeWav } from "../../src/audio/write-wav.js";
import { readCodes } from "../../src/codes-file.js";
import { loadCodec } from "../../src/model.js";
import { createRuntime, openFolder } from "../../src/platform/node.js";
import { decodeCodes } from "../../src/sound.js";
import { type Tensor, tensor } from "../../src/tensor.js";
import { writeSafetensors } from "../../src/weights/safetensors.js";
import { floats, integers, largestDifference, readGolden, repositoryFile } from "../golden.js";
import { memorySource } from "../memory.js";
import { each, folder, json, miniModel, read, refuses, succeeds } from "./hocket.js";

const chunksIn = async (cwd: string, name: string) => (await readCodes(memorySource(name, read(cwd, name)))).chunks;
const soundIn = (cwd: string, name: string) => decodeAudio(read(cwd, name), name);

/** Half a second of something that moves. */
const tune = (sampleRate: number, channels = 1, seconds = 0.5) =>
  writeWav(
    {
      sampleRate,
      channels: Array.from({ length: channels }, (_, c) =>
        Float32Array.from({ length: seconds * sampleRate }, (_, n) => {
          const t = n / sampleRate;
          return 0.4 * Math.sin(2 * Math.PI * (220 + 60 * c + 200 * t) * t);
        }),
      ),
    },
    { bits: 16 },
  );
const causal = repositoryFile("test/golden/encodec_tiny_causal");
const stereo48 = repositoryFile("test/golden/encodec_tiny_stereo48");

suite("encode and decode", { concurrency: 2 }, () => {
  test("there, back and there again; the sound is float32, T * hop samples, and the library's", async () => {
    const cwd = folder({ "in.wav": tune(44_100, 2, 0.503) });
    const made = json<{ codebooks: number; frames: number; chunks: number }>(
      await succeeds(["encode", "in.wav", "--png", "in.png", "--json"], { cwd }),
    );
    assert.deepEqual([made.codebooks, made.frames, made.chunks], [4, 26, 1]);
    assert.deepEqual(
      [...read(cwd, "in.png").subarray(1, 4)],
      [..."PNG"].map((letter) => letter.charCodeAt(0)),
    );
    const back = await succeeds(["decode", "in.codes.safetensors", "-o", "back.wav"], { cwd });
    assert.equal(back.stdout, "back.wav\n");
    assert.equal((await succeeds(["decode", "in.codes.safetensors"], { cwd })).stdout, "in-2.wav\n");

    const header = new DataView(read(cwd, "back.wav").buffer);
    assert.deepEqual([header.getUint16(20, true), header.getUint16(34, true)], [3, 32], "not 32-bit float");
    const sound = await soundIn(cwd, "back.wav");
    assert.deepEqual([sound.sampleRate, sound.channels.length, sound.channels[0]!.length], [16_000, 1, 26 * 320]);
    const runtime = createRuntime();
    const model = await loadCodec(await openFolder(miniModel), "mini", runtime);
    assert.deepEqual([sound], await decodeCodes(model, await chunksIn(cwd, "in.codes.safetensors")));
    await runtime.dispose();

    await succeeds(["encode", "back.wav", "-o", "again.st"], { cwd });
    const [again] = await chunksIn(cwd, "again.st");
    assert.equal(again!.codes[0]![0]!.length, 26);
  });

  test("codes and sound of the codec are the reference's", async () => {
    const golden = readGolden("mini_reference", "golden.safetensors");
    const input = Float32Array.from(floats(golden, "codec.input"));
    const codes = golden.get("codec.codes")!;
    const cwd = folder({
      "in.wav": writeWav({ sampleRate: 16_000, channels: [input] }, { bits: 32 }),
      "codes.st": writeSafetensors({ codes: tensor("int64", codes.shape, codes.data as BigInt64Array<ArrayBuffer>) }), // nothing else
    });
    await succeeds(["encode", "in.wav", "-o", "ours.st"], { cwd });
    const [ours] = await chunksIn(cwd, "ours.st");
    assert.deepEqual(Int32Array.from(ours!.codes[0]!.flatMap((row) => [...row])), integers(golden, "codec.codes"));
    await succeeds(["decode", "codes.st", "-o", "out.wav"], { cwd });
    const { channels } = await soundIn(cwd, "out.wav");
    assert.ok(largestDifference(channels[0]!, floats(golden, "codec.output")) < 1e-4);
  });

  test("a codec of several bandwidths gives as many codebooks as fit", async () => {
    const cwd = folder({ "in.wav": tune(24_000) });
    const codebooks = async (...args: string[]) =>
      json<{ codebooks: number }>(
        await succeeds(["encode", "in.wav", "--model", causal, "--json", "--overwrite", "-o", "o.st", ...args], {
          cwd,
        }),
      ).codebooks;
    assert.deepEqual(
      [await codebooks("--bandwidth", "1.5"), await codebooks("--bandwidth", "6"), await codebooks()],
      [2, 8, 8],
    );
    await succeeds(["decode", "o.st", "--model", causal, "-o", "o.wav"], { cwd });
    assert.equal((await soundIn(cwd, "o.wav")).sampleRate, 24_000);
    const bandwidth = (value: string) => ["encode", "in.wav", "--model", causal, "-o", "p.st", "--bandwidth", value];
    await refuses(bandwidth("4"), /no bandwidth of 4 kbit\/s: it has 1.5, 3, 6/, { cwd });
    await refuses(bandwidth("NaN"), /"NaN" is not a number/, { cwd });
  });

  test("a codec of chunks: each with its scale, joined again", async () => {
    const cwd = folder({ "in.wav": tune(48_000, 2, 1.2) });
    const made = json<{ chunks: number }>(
      await succeeds(["encode", "in.wav", "--model", stereo48, "--json", "-o", "o.st"], { cwd }),
    );
    assert.equal(made.chunks, 2);
    const chunks = await chunksIn(cwd, "o.st");
    assert.ok(chunks.every(({ scale }) => scale?.length === 1));
    await succeeds(["decode", "o.st", "--model", stereo48, "-o", "o.wav"], { cwd });
    const { sampleRate, channels } = await soundIn(cwd, "o.wav");
    // The second chunk starts after 0.99 s, and its 10,080 samples are 31.5 frames.
    assert.deepEqual([sampleRate, channels.length, channels[0]!.length], [48_000, 2, 47_520 + 32 * 320]);
    await refuses(["decode", "o.st", "-o", "p.wav"], /the codes come in 2 chunks, and mini-reference works without/, {
      cwd,
    });
    await refuses(["encode", "in.wav", "--model", "o.st", "-o", "p.st"], /neither a folder nor/, { cwd });
  });

  test("several items are numbered", async () => {
    const data = Int32Array.from({ length: 2 * 4 * 10 }, (_, i) => i);
    const cwd = folder({ "two.codes.safetensors": writeSafetensors({ codes: tensor("int32", [2, 4, 10], data) }) });
    const { stdout } = await succeeds(["decode", "two.codes.safetensors", "--format", "flac"], { cwd });
    assert.equal(stdout, "two-1.flac\ntwo-2.flac\n");
  });

  test("what is no codes file, or not of this codec, is refused", async () => {
    const file = (tensors: Record<string, Tensor>) => writeSafetensors(tensors);
    const codes = (shape: number[], value = 3) =>
      tensor("int32", shape, new Int32Array(shape.reduce((a, b) => a * b, 1)).fill(value));
    const wide = tensor("int64", [4, 1], BigInt64Array.of(1n, 2n, 2n ** 40n + 5n, 4n));
    const whole = file({ codes: codes([1, 4, 20]) });
    const cases: Record<string, [Uint8Array | string, RegExp]> = {
      empty: ["", /empty: 0 bytes are too few for a safetensors file/],
      text: ["these are words and no codes", /text: a header of \d+ bytes is more than any model has/],
      cut: [whole.subarray(0, whole.length - 9), /it was cut short/],
      "no-codes": [file({ x: codes([1]) }), /there are no codes among its tensors \(x\)/],
      "of-floats": [file({ codes: tensor("float32", [1, 4, 2]) }), /codes holds float32; a codes file holds/],
      flat: [file({ codes: codes([80]) }), /codes has shape \[80\]/],
      "no-frames": [file({ codes: codes([1, 4, 0]) }), /codes has shape \[1, 4, 0\]/],
      "no-items": [file({ codes: codes([0, 4, 20]) }), /codes has shape \[0, 4, 20\]/],
      wide: [file({ codes: wide }), /codes holds 1099511627781/],
      large: [file({ codes: codes([4, 20], 512) }), /codebook 0 has code 512 at frame 0, and .* has codes 0 to 511/],
      negative: [file({ codes: codes([4, 20], -1) }), /has code -1/],
      many: [file({ codes: codes([5, 20]) }), /the codes have 5 codebooks, and mini-reference decodes up to 4/],
      chunks: [
        file({ "codes.0": codes([4, 20]), "codes.1": codes([4, 20]) }),
        /2 chunks, and mini-reference works without/,
      ],
      gap: [file({ "codes.0": codes([4, 20]), "codes.2": codes([4, 20]) }), /codes.2 belongs to no chunk/],
      both: [file({ codes: codes([4, 20]), "codes.0": codes([4, 20]) }), /codes.0 belongs to no chunk/],
      scaled: [file({ "codes.0": codes([4, 20]), "scale.0": tensor("float32", [1]) }), /chunk 0 has a scale/],
    };
    // Each in a folder of its own: a process tries for a moment whether it can write, and another would see that.
    await each(Object.entries(cases), ([name, [content, message]]) =>
      refuses(["decode", name, "-o", "o.wav"], message, { cwd: folder({ [name]: content }) }),
    );
    const cwd = folder({ cut: cases.cut![0] });
    await refuses(["decode", miniModel, "-o", "o.wav"], /is a folder, and a file is needed/, { cwd });
    await refuses(["decode", "cut", "--bits", "16", "--format", "mp3"], /--bits: mp3 has no bit depth/, { cwd });
  });
});
