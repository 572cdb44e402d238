import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Waveform } from "../src/audio/waveform.js";
import { frameCount, sliceFrames } from "../src/codes.js";
import type { Condition } from "../src/lm/condition.js";
import { loadModel, type MusicModel } from "../src/model.js";
import { generate } from "../src/musicgen.js";
import { createRuntime, openFolder } from "../src/platform/node.js";
import type { FinishedPiece, GenerateRequest } from "../src/request.js";
import { decodeCodes, encodeWaveform } from "../src/sound.js";
import { largestDifference } from "./golden.js";
import { type Kind, windowSeconds, writeRandomModel } from "./random-model.js";

const runtime = createRuntime();
const folders: string[] = [];
const models = {} as Record<Kind, MusicModel>;

before(async () => {
  for (const kind of ["stereo", "melody"] as const) {
    const path = mkdtempSync(join(tmpdir(), `hocket-${kind}-`));
    folders.push(path);
    await writeRandomModel(path, kind);
    models[kind] = await loadModel(await openFolder(path), kind, runtime);
  }
});
after(async () => {
  await runtime.dispose();
  for (const path of folders) rmSync(path, { recursive: true });
});

/** A tone of `hertz` for each second. */
const tones = (...hertz: number[]): Waveform => ({
  sampleRate: 16_000,
  channels: [
    Float32Array.from({ length: 16_000 * hertz.length }, (_, n) => {
      return 0.5 * Math.sin((2 * Math.PI * hertz[Math.floor(n / 16_000)]! * n) / 16_000);
    }),
  ],
});
// No melody is as good as a long C.
const [c4, d4, e4] = [261.63, 293.66, 329.63];

async function made(kind: Kind, request: Partial<GenerateRequest>): Promise<FinishedPiece> {
  for await (const event of generate(models[kind], { prompt: "bells", duration: 0.6, seed: 1, ...request }))
    if (event.type === "done") return event.pieces[0]!;
  throw new Error("nothing was made");
}

for (const kind of ["stereo", "melody"] as const)
  test(`a ${kind} model listens to everything it is given`, async () => {
    const intro = { sampleRate: 16_000, channels: [tones(c4).channels[0]!.subarray(0, 4000)] };
    const requests: Record<string, Partial<GenerateRequest>> = {
      "the first": {},
      "another text": { prompt: "a dark organ" },
      "another seed": { seed: 2 },
      "another guidance": { guidance: 1 },
      "an intro": { continue: intro },
      "another intro": { continue: { ...intro, channels: [tones(e4).channels[0]!.subarray(0, 4000)] } },
      ...(kind === "melody" ? { "a melody": { melody: tones(d4) }, "another melody": { melody: tones(e4) } } : {}),
      ...(kind === "melody" ? { "a melody and no text": { melody: tones(d4), prompt: "" } } : {}),
      "no text": { prompt: "" },
    };
    const seen = new Map<string, string>();
    for (const [what, request] of Object.entries(requests)) {
      const { codes } = await made(kind, request);
      const same = seen.get(codes.join());
      assert.equal(same, undefined, `${what} made the codes of ${same}`);
      seen.set(codes.join(), what);
      assert.deepEqual((await made(kind, request)).codes, codes, `${what}, twice`);
    }
  });

test("stereo: two channels that differ, and every way to the sound is the same", async () => {
  const model = models.stereo;
  const { waveform, codes } = await made("stereo", {});
  assert.deepEqual([codes.length, frameCount(codes)], [8, 30]);
  assert.equal(waveform.channels.length, 2);
  assert.notDeepEqual(waveform.channels[0], waveform.channels[1]);
  const [decoded] = await decodeCodes(model, [{ codes: [codes] }]);
  for (const side of [0, 1])
    assert.ok(largestDifference(decoded!.channels[side]!, waveform.channels[side]!) < 1e-5, "streamed and at once");
  // Left and right, exchanged, are right and left.
  const [chunk] = await encodeWaveform(model, waveform);
  const [mirrored] = await encodeWaveform(model, { ...waveform, channels: waveform.channels.toReversed() });
  const swapped = chunk!.codes[0]!.map((_, k, rows) => rows[k % 2 === 0 ? k + 1 : k - 1]!);
  assert.deepEqual([...mirrored!.codes[0]!], swapped);
});

test("an intro is kept, code by code", async () => {
  const intro = tones(c4);
  for (const kind of ["stereo", "melody"] as const) {
    const [chunk] = await encodeWaveform(models[kind], intro);
    const given = chunk!.codes[0]!;
    const { codes } = await made(kind, { continue: intro, duration: 1.5 });
    assert.deepEqual(sliceFrames(codes, 0, frameCount(given)), given);
    assert.equal(frameCount(codes), 75);
  }
});

test("each window of a long piece hears the tune from where it stands, and a short piece from its start", async () => {
  const heard: (Int32Array | undefined)[] = [];
  const { lm } = models.melody;
  const open = lm.open.bind(lm);
  lm.open = (conditions: readonly Condition[], guided: boolean, columns: number) => {
    heard.push(conditions[0]!.melody);
    return open(conditions, guided, columns);
  };
  const halves = (melody: Int32Array) => [0.25, 0.75].map((at) => melody[Math.floor(at * melody.length)]);
  // C for a second, then E, and again: windows of 2 s that start a second apart hear C E, E C, C E.
  await made("melody", { melody: tones(c4, e4), duration: 4, stride: windowSeconds / 2 });
  assert.deepEqual(
    heard.map((melody) => halves(melody!)),
    [
      [0, 4],
      [4, 0],
      [0, 4],
    ],
  );
  heard.length = 0;
  await made("melody", { melody: tones(c4, e4), duration: windowSeconds });
  assert.equal(heard.length, 1);
  assert.equal(heard[0]![0], 0);
  assert.ok(heard[0]!.includes(4));
  lm.open = open;
});
