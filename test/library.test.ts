import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { loadModel, type MusicModel } from "../src/model.js";
import { generate } from "../src/musicgen.js";
import { createRuntime, openFolder } from "../src/platform/node.js";
import type { FinishedPiece, GenerateEvent, GenerateRequest } from "../src/request.js";
import { decodeCodes, encodeWaveform } from "../src/sound.js";
import { repositoryFile } from "./golden.js";

const runtime = createRuntime();
let model: MusicModel;
before(async () => {
  model = await loadModel(await openFolder(repositoryFile("models/mini-reference")), "mini", runtime);
});
after(() => runtime.dispose());

async function made(request: GenerateRequest): Promise<readonly FinishedPiece[]> {
  for await (const event of generate(model, request)) if (event.type === "done") return event.pieces;
  throw new Error("nothing was made");
}

test("prompts that no command line could hold", async () => {
  for (const prompt of ["a\0b", "\ud800\udfff\udfff", "\u202e\u0007\r\n"])
    assert.equal((await made({ prompt, duration: 0.2, seed: 1 }))[0]!.codes[0]!.length, 10);
});

test("pieces made together, at the same time, or alone are the same", async () => {
  const [one, two] = [
    { prompt: "bells", seed: 3, duration: 0.5 },
    { prompt: "a dark organ", seed: 4, duration: 0.5 },
  ];
  const [[first], [second]] = await Promise.all([made(one), made(two)]);
  assert.deepEqual((await made(one))[0]!.codes, first!.codes);
  const both = await made({ prompt: [one.prompt, two.prompt], seed: [3, 4], duration: 0.5 });
  assert.deepEqual(
    both.map(({ codes }) => codes),
    [first!.codes, second!.codes],
  );
});

test("a piece is stopped at any step, and the model goes on with the next", async () => {
  const request = { prompt: "x", duration: 0.2, seed: 1 };
  const whole: GenerateEvent["type"][] = [];
  for await (const { type } of generate(model, request)) whole.push(type);
  for (let stop = 0; stop < whole.lastIndexOf("progress"); stop += 3) {
    const aborter = new AbortController();
    if (stop === 0) aborter.abort();
    let seen = 0;
    const running = async () => {
      for await (const _ of generate(model, request, { signal: aborter.signal })) if (++seen === stop) aborter.abort();
    };
    await assert.rejects(running, { name: "AbortError" });
    assert.ok(seen <= stop + 2, `${seen} events, stopped after ${stop}`); // a step is its sound and its progress
  }
  assert.equal((await made(request)).length, 1);
});

test("what cannot be is refused before anything is composed", async () => {
  const sound = (sampleRate: number, ...lengths: number[]) => ({
    sampleRate,
    channels: lengths.map((length) => new Float32Array(length)),
  });
  const cases: [Partial<GenerateRequest>, RegExp][] = [
    [{ duration: 0.001 }, /shorter than one frame/],
    [{ duration: Number.NaN }, /duration: NaN is not a number/],
    [{ seed: [1, 2] }, /there are 2 seeds for 1 pieces/],
    [{ topK: 513 }, /a top-k of 513 is more than the 512 codes/],
    [{ stride: 7.99 }, /a stride of 7.99 s leaves nothing of the model's window of 8 s/],
    [{ melody: sound(16_000, 100) }, /mini has no melody input/],
    [{ continue: sound(16_000, 1, 2) }, /continue: channel 1 has 2 samples/],
    [{ continue: sound(500, 100) }, /cannot resample at 500 Hz/],
    [{ continue: sound(48_000, 1) }, /the sound is too short: not one sample at 16000 Hz/],
    [{ continue: sound(16_000, 16_000) }, /the intro lasts 1 s and the piece, intro included, 0.5 s/],
  ];
  for (const [request, message] of cases) {
    const seen: string[] = [];
    await assert.rejects(
      async () => {
        for await (const { type } of generate(model, { prompt: "x", duration: 0.5, ...request })) seen.push(type);
      },
      { name: "HocketError", message },
    );
    assert.deepEqual(seen, []);
  }
  await assert.rejects(encodeWaveform(model, sound(16_000)), /the sound cannot be encoded: it holds no samples/);
  await assert.rejects(decodeCodes(model, []), /the codes come in 0 chunks/);
});
