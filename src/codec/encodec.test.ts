import assert from "node:assert/strict";
import { after, test } from "node:test";
import { floats, integers, largestDifference, named, readGolden, readGoldenJson } from "../../test/golden.js";
import { flat, goldenBinder, rows } from "../../test/models.js";
import { codes, frameCount, sliceFrames } from "../codes.js";
import { compile } from "../graph/compile.js";
import { input, Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { overlapAdd } from "./chunks.js";
import { codecConfig } from "./config.js";
import { conv } from "./conv.js";
import { Encodec } from "./encodec.js";
import * as seanet from "./seanet.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const tolerance = 2e-5; // the golden READMEs' advice

function golden(folder: string) {
  const config = codecConfig(readGoldenJson(folder), folder);
  const model = readGolden(folder, "model.safetensors");
  const stored = [...model.keys()].filter((name) => name.endsWith("codebook.embed")).length;
  return {
    config,
    codec: new Encodec(config, stored, runtime, goldenBinder(folder)),
    inputs: readGolden(folder, "inputs.safetensors"),
    expected: readGolden(folder),
  };
}

const mono = golden("encodec_tiny_mono");
const causal = golden("encodec_tiny_causal");
const stereo = golden("encodec_tiny_stereo48");

for (const name of ["long", "exact", "short", "one"])
  test(`32 kHz layout, ${name}: codes and sound are the reference's`, async () => {
    const [chunk] = await mono.codec.encode(rows(named(mono.inputs, name)));
    assert.deepEqual(flat(chunk!.codes), Array.from(integers(mono.expected, `${name}.codes`)));
    const decoded = await mono.codec.decode([chunk!]);
    assert.ok(largestDifference(flat(decoded), floats(mono.expected, `${name}.decoded`)) < tolerance);
  });

for (const name of ["long", "short"])
  for (const bandwidth of causal.config.target_bandwidths)
    test(`24 kHz layout, causal, ${name} at ${bandwidth} kbit/s: codes and sound are the reference's`, async () => {
      const [chunk] = await causal.codec.encode(rows(named(causal.inputs, name)), { bandwidth });
      const key = `bw${bandwidth.toFixed(1)}`;
      assert.deepEqual(flat(chunk!.codes), Array.from(integers(causal.expected, `${name}.codes.${key}`)));
      const decoded = await causal.codec.decode([chunk!]);
      assert.ok(largestDifference(flat(decoded), floats(causal.expected, `${name}.decoded.${key}`)) < tolerance);
    });

for (const bandwidth of stereo.config.target_bandwidths)
  test(`48 kHz layout, stereo chunks at ${bandwidth} kbit/s: codes, scales and seams are the reference's`, async () => {
    const chunks = await stereo.codec.encode(rows(named(stereo.inputs, "x")), { bandwidth });
    const key = `orig.bw${bandwidth.toFixed(1)}`;
    assert.equal(chunks.length, 3);
    for (const [i, chunk] of chunks.entries()) {
      assert.deepEqual(flat(chunk.codes), Array.from(integers(stereo.expected, `${key}.chunk${i}.codes`)));
      const scale = floats(stereo.expected, `${key}.chunk${i}.scale`)[0]!;
      assert.ok(Math.abs(chunk.scale![0]! / scale - 1) < 1e-6);
    }
    const [channels] = await stereo.codec.decode(chunks);
    assert.equal(channels![0]!.length, integers(stereo.expected, `${key}.decoded_length`)[0]);
    const pieces: [string, number, number][] = [
      ["first4800", 0, 4800],
      ["46920_48600", 46920, 48600],
    ];
    if (bandwidth === 6) pieces.push(["last3000", 102637, 105637]);
    for (const [name, from, to] of pieces) {
      const ours = channels!.flatMap((row) => Array.from(row.subarray(from, to)));
      assert.ok(largestDifference(ours, floats(stereo.expected, `${key}.decoded_${name}`)) < tolerance, name);
    }
  });

test("48 kHz layout: a very quiet clip keeps its scale and codes", async () => {
  const [chunk] = await stereo.codec.encode(rows(named(stereo.inputs, "silence_then_noise")));
  assert.ok(Math.abs(chunk!.scale![0]! / floats(stereo.expected, "quiet.scale")[0]! - 1) < 1e-6);
  assert.deepEqual(flat(chunk!.codes), Array.from(integers(stereo.expected, "quiet.codes")));
});

test("overlap-add of toy frames", () => {
  const toys = rows(tensor("float32", [4, 2, 10], floats(stereo.inputs, "ola") as Float32Array<ArrayBuffer>));
  for (const [i, [count, length, stride, last]] of [
    [3, 10, 8, 10],
    [3, 10, 8, 7],
    [4, 9, 3, 9],
  ].entries()) {
    const frames = toys
      .slice(0, count)
      .map((item, n) => item.map((row) => row.subarray(0, n === count! - 1 ? last : length)));
    assert.ok(largestDifference(flat([overlapAdd(frames, stride!)]), floats(stereo.expected, `ola.${i}`)) < 1e-6);
  }
});

test("every layer of the short clip is the reference's", async () => {
  const { config, expected, inputs } = mono;
  const p = new Scope();
  const wave = input("waveform", "float32", [1, 1, 300]);
  seanet.encoderConvolutions(p, wave, config);
  const quantized = input("quantized", "float32", [1, config.hidden_size, 1]);
  seanet.decoderConvolutions(
    p,
    conv(p.at("decoder.layers.0"), quantized, seanet.innerWidth(config), { kernel: 7 }, config),
    config,
  );
  const encoder = [...p.taps].filter(([name]) => name.startsWith("encoder"));
  assert.equal(encoder.length, 13); // up to the recurrence
  const session = await compile(runtime, Object.fromEntries(encoder), goldenBinder("encodec_tiny_mono"));
  const outputs = await session.run({ waveform: named(inputs, "short") });
  for (const [name] of encoder) {
    const reference = expected.get(`short.${name}`);
    assert.ok(
      largestDifference(outputs[name]!.data as Float32Array, reference!.data as Float32Array) < tolerance,
      name,
    );
  }
});

test("a clip in windows has the codes and the sound of the whole clip", async () => {
  for (const { codec, inputs } of [mono, causal]) {
    const [item] = rows(named(inputs, "long"));
    const samples = [[Float32Array.from({ length: 24_321 }, (_, i) => item![0]![i % 2801]! * Math.sin(i / 3001))]];
    const [whole] = await codec.encode(samples, { window: 10_000 });
    const [windows] = await codec.encode(samples, { window: 7 });
    assert.deepEqual(flat(windows!.codes), flat(whole!.codes));

    const grid = whole!.codes[0]!;
    const once = await (await codec.decoder(undefined, 10_000)).push([grid]);
    assert.equal(once[0]![0]!.length < codec.hop * frameCount(grid), true); // the end waits for what may come after
    const [expected] = flat2(await codec.decode([{ codes: [grid] }]));
    for (const step of [1, 2, 5, 16]) {
      const stream = await codec.decoder(undefined, 6);
      const heard: number[] = [];
      for (let t = 0; t < frameCount(grid); t += step)
        heard.push(...flat(await stream.push([sliceFrames(grid, t, t + step)])));
      heard.push(...flat(await stream.finish(1)));
      assert.ok(largestDifference(heard, expected!) < 5e-6, `pushed ${step} frames at a time`);
    }
  }
});

test("free codes decode to the reference's sound, and a batch to what each item is alone", async () => {
  const grids = rows(named(mono.inputs, "free_codes")).map((item) =>
    codes(item.map((row) => Int32Array.from(row, Number))),
  );
  const together = await mono.codec.decode([{ codes: grids }]);
  assert.ok(largestDifference(flat(together), floats(mono.expected, "free.decoded")) < tolerance);
  for (const [b, grid] of grids.entries()) {
    const alone = await mono.codec.decode([{ codes: [grid] }]);
    assert.ok(largestDifference(flat(alone), flat([together[b]!])) < 1e-6);
  }
});

test("clips of several lengths may be encoded at once", async () => {
  const clips = [9000, 24_321, 700, 16_000, 24_321, 9000].map((length) => [
    [Float32Array.from({ length }, (_, i) => Math.sin((i * i) / 5e5))],
  ]);
  const encode = async (clip: (typeof clips)[number]) => flat((await mono.codec.encode(clip, { window: 7 }))[0]!.codes);
  const together = await Promise.all(clips.map(encode));
  for (const [i, clip] of clips.entries()) assert.deepEqual(together[i], await encode(clip));
});

test("the pad mode is read from the file, and matters", async () => {
  const zeros = new Encodec({ ...mono.config, pad_mode: "constant" }, 4, runtime, goldenBinder("encodec_tiny_mono"));
  const [chunk] = await zeros.encode(rows(named(mono.inputs, "long")));
  assert.notDeepEqual(flat(chunk!.codes), Array.from(integers(mono.expected, "long.codes")));
});

test("a bandwidth that the codec does not have, a clip without samples and wrong channels are refused", async () => {
  const clip = rows(named(causal.inputs, "short"));
  await assert.rejects(causal.codec.encode(clip, { bandwidth: 2 }), /no bandwidth of 2 kbit\/s: it has 1.5, 3, 6/);
  await assert.rejects(causal.codec.encode([[new Float32Array(0)]]), /no samples/);
  await assert.rejects(stereo.codec.encode(clip), /wants 2 channel/);
});

const flat2 = (samples: readonly (readonly Float32Array[])[]) => samples.map((item) => flat([item]));
