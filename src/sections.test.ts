import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { largestDifference, repositoryFile } from "../test/golden.js";
import { flat } from "../test/models.js";
import { writeRandomModel } from "../test/random-model.js";
import { dataFolder } from "../test/serving.js";
import { type Codes, frameCount, joinFrames, sliceFrames } from "./codes.js";
import { loadModel, type MusicModel } from "./model.js";
import { generate } from "./musicgen.js";
import { createRuntime, openFolder } from "./platform/node.js";
import type { GenerateEvent, GenerateRequest } from "./request.js";
import { decodeCodes } from "./sound.js";

const folder = dataFolder();
const runtime = createRuntime();
let model: MusicModel;
let singer: MusicModel;
before(async () => {
  model = await loadModel(await openFolder(repositoryFile("models/mini-reference")), "mini-reference", runtime);
  await writeRandomModel(folder, "melody");
  singer = await loadModel(await openFolder(folder), "melody", runtime);
});
after(async () => {
  await model.dispose();
  await singer.dispose();
  await runtime.dispose();
});

const organ = "dark organ, slow";
const drums = "fast happy chiptune with four on the floor drums";
const sections = (...words: string[]) => words.map((prompt) => ({ prompt, duration: 0.6 }));

async function play(request: GenerateRequest, on = model) {
  const events: GenerateEvent[] = [];
  for await (const event of generate(on, request)) events.push(event);
  const [start, last] = [events[0]!, events.at(-1)!];
  assert.ok(start.type === "start" && last.type === "done");
  return { events, start, pieces: last.pieces, piece: last.pieces[0]! };
}
const codesOf = async (request: GenerateRequest, on = model) => (await play(request, on)).piece.codes;
const soundOf = async (codes: Codes) => (await decodeCodes(model, [{ codes: [codes] }]))[0]!.channels[0]!;

test("one section, or the same words again, is the plain piece to the bit", async () => {
  const plain = await play({ prompt: organ, duration: 1.2, seed: 3 });
  for (const timeline of [[{ prompt: organ, duration: 1.2 }], sections(organ, organ)]) {
    const { piece, start } = await play({ sections: timeline, seed: 3 });
    assert.deepEqual(piece.codes, plain.piece.codes);
    assert.deepEqual(piece.waveform, plain.piece.waveform);
    assert.deepEqual(start.settings, { ...plain.start.settings, sections: timeline });
  }
});

test("other words change what follows, and nothing before them; and it streams", async () => {
  const [first, second] = [
    await play({ sections: sections(organ, drums), seed: 3 }),
    await codesOf({ sections: sections(organ, organ), seed: 3 }),
  ];
  const { piece, events } = first;
  assert.deepEqual(sliceFrames(piece.codes, 0, 30), sliceFrames(second, 0, 30));
  assert.notDeepEqual(sliceFrames(piece.codes, 30), sliceFrames(second, 30));
  assert.equal(piece.prompt, `${organ} → ${drums}`);

  const codes = events.filter((event) => event.type === "codes").map((event) => event.codes[0]!);
  assert.deepEqual(joinFrames(codes), piece.codes);
  const heard = events.filter((event) => event.type === "audio").map(({ waveform }) => waveform.channels[0]!);
  assert.deepEqual(flat([heard]), Array.from(piece.waveform.channels[0]!));
  assert.ok(
    events.findIndex(({ type }) => type === "audio") < events.findLastIndex(({ type }) => type === "progress") / 2,
  );
});

test("variations of sections are each what its seed makes alone, and an intro counts towards them", async () => {
  const { pieces } = await play({ sections: sections(organ, ""), seed: 5, variations: 2 });
  for (const { seed, codes } of pieces) assert.deepEqual(await codesOf({ sections: sections(organ, ""), seed }), codes);

  const { waveform } = pieces[0]!;
  const intro = { ...waveform, channels: [waveform.channels[0]!.slice(0, 8000)] }; // half a second of the first section
  const plain = await play({ prompt: organ, duration: 1.2, seed: 3, continue: intro });
  assert.deepEqual(await codesOf({ sections: sections(organ, organ), seed: 3, continue: intro }), plain.piece.codes);
  const changed = await codesOf({ sections: sections(organ, drums), seed: 3, continue: intro });
  assert.deepEqual(sliceFrames(changed, 0, 30), sliceFrames(plain.piece.codes, 0, 30));
  assert.notDeepEqual(changed, plain.piece.codes);
});

test("a part is composed anew, all else stays, and the seed makes it again", async () => {
  const take = await codesOf({ prompt: organ, duration: 1.6, seed: 1 });
  const request = { prompt: organ, seed: 9, regenerate: { take, from: 0.8, to: 1.2, candidates: 2 } };
  const { piece, start, events } = await play(request);
  const { codes } = piece;
  assert.deepEqual(sliceFrames(codes, 0, 40), sliceFrames(take, 0, 40));
  assert.deepEqual(sliceFrames(codes, 60), sliceFrames(take, 60));
  assert.notDeepEqual(sliceFrames(codes, 40, 60), sliceFrames(take, 40, 60));
  assert.deepEqual(await codesOf(request), codes);
  assert.notDeepEqual(await codesOf({ ...request, seed: 8 }), codes);
  assert.notDeepEqual(await codesOf({ ...request, prompt: drums }), codes);
  assert.deepEqual([start.settings.duration, start.settings.regenerated], [1.6, { from: 0.8, to: 1.2, candidates: 2 }]);
  const parts = events.filter((event) => event.type === "codes").map((event) => event.codes[0]!);
  assert.deepEqual(joinFrames(parts), codes);
  assert.deepEqual(piece.waveform.channels[0]!.length, 16_000 * 1.6);
  const { pieces } = await play({ ...request, seed: 8, variations: 2 });
  assert.deepEqual(pieces[1]!.codes, codes);
});

test("a part that is the whole is a plain piece, and one at the end a continuation", async () => {
  const take = await codesOf({ prompt: organ, duration: 1, seed: 1 });
  const plain = await codesOf({ prompt: drums, duration: 1, seed: 9 });
  assert.deepEqual(await codesOf({ prompt: drums, seed: 9, regenerate: { take, from: 0, to: 1 } }), plain);
  const again = await codesOf({ prompt: organ, seed: 1, regenerate: { take, from: 0.5, to: 1 } });
  assert.deepEqual(again, take); // as it went the first time
});

test("the sound outside a part is the old one but near the seams, which do not click", async () => {
  for (const prompt of [organ, drums]) {
    const take = await codesOf({ prompt, duration: 3, seed: 1 });
    const again = await codesOf({ prompt, seed: 9, regenerate: { take, from: 0.8, to: 1.2, candidates: 2 } });
    const [old, now] = [await soundOf(take), await soundOf(again)];
    const part = (seconds: number, end: number) =>
      [old, now].map((sound) => sound.subarray(16_000 * seconds, 16_000 * end)) as [Float32Array, Float32Array];
    const peak = Math.max(...old.map(Math.abs));
    assert.deepEqual(...part(0, 0.7));
    assert.ok(largestDifference(...part(0.8, 1.2)) > 0.05 * peak);
    assert.ok(largestDifference(...part(1.5, 3)) < 0.03 * peak);
    assert.ok(largestDifference(...part(2.6, 3)) < 1e-3 * peak);
    for (const seam of [0.8, 1.2]) assert.ok(largestJump(part(seam - 0.02, seam + 0.02)[1]) <= largestJump(old));
  }
});

const largestJump = (sound: Float32Array): number =>
  sound.reduce((most, x, n) => Math.max(most, Math.abs(x - sound[Math.max(0, n - 1)]!)), 0);

test("a take may be a sound; then its codes are what stays", async () => {
  const { piece } = await play({ prompt: organ, duration: 1, seed: 1 });
  const { codes: encoded } = (await model.codec.encode([piece.waveform.channels]))[0]!;
  const { piece: now, start } = await play({
    prompt: drums,
    seed: 2,
    regenerate: { take: piece.waveform, from: 0.4, to: 0.6 },
  });
  assert.deepEqual(sliceFrames(now.codes, 0, 20), sliceFrames(encoded[0]!, 0, 20));
  assert.deepEqual(sliceFrames(now.codes, 30), sliceFrames(encoded[0]!, 30));
  assert.match(start.notes.join(), /also outside the part/);
});

test("sections and parts of pieces that follow a melody", async () => {
  const tone = Float32Array.from({ length: 32_000 }, (_, n) => 0.3 * Math.sin((2 * Math.PI * 440 * n) / 32_000));
  const melody = { sampleRate: 32_000, channels: [tone] };
  const timeline = [0.2, 0.2].map((duration) => ({ prompt: "bells", duration }));
  const plain = await codesOf({ prompt: "bells", duration: 0.4, seed: 1, melody }, singer);
  assert.deepEqual(await codesOf({ sections: timeline, seed: 1, melody }, singer), plain);
  const changed = await codesOf(
    { sections: [timeline[0]!, { ...timeline[1]!, prompt: "a dark organ" }], seed: 1, melody },
    singer,
  );
  const frames = frameCount(plain);
  assert.deepEqual(sliceFrames(changed, 0, frames / 2), sliceFrames(plain, 0, frames / 2));
  assert.notDeepEqual(changed, plain);
  const regenerate = { take: plain, from: 0.1, to: 0.2 };
  const anew = await codesOf({ prompt: "bells", seed: 2, melody, regenerate }, singer);
  assert.deepEqual(sliceFrames(anew, frames / 2), sliceFrames(plain, frames / 2));
  assert.notDeepEqual(anew, await codesOf({ prompt: "bells", seed: 2, regenerate }, singer));
});

test("refused before any work", async () => {
  const take = [0, 1, 2, 3].map(() => new Int32Array(50)) as unknown as Codes;
  const region = { take, from: 0.2, to: 0.4 };
  const cases: [GenerateRequest, RegExp][] = [
    [{ sections: [] }, /^sections: the list is empty/],
    [{ sections: sections("a"), prompt: "b" }, /^sections: each has words of its own/],
    [{ sections: sections("a"), duration: 2 }, /^sections: they last as long as they say/],
    [
      {
        sections: [
          { prompt: "a", duration: 2000 },
          { prompt: "b", duration: 2000 },
        ],
      },
      /^sections: they last 4000 s/,
    ],
    [
      { sections: [...sections("a"), { prompt: "b", duration: 0.001 }] },
      /^section 2 of 0.001 s is shorter than one frame/,
    ],
    [{ prompt: "a", regenerate: { ...region, to: 0.1 } }, /^regenerate: nothing lies between 0.2 and 0.1 s/],
    [{ prompt: "a", regenerate: { ...region, to: 0.201 } }, /less than one frame/],
    [{ prompt: "a", regenerate: { ...region, to: 2 } }, /the part ends at 2 s and the take lasts 1 s/],
    [
      { prompt: "a", duration: 1, regenerate: region },
      /^regenerate: the rest of the take stays as it is: leave out duration/,
    ],
    [{ sections: sections("a"), regenerate: region }, /leave out sections/],
    [
      { prompt: "a", regenerate: { ...region, take: take.slice(1) as unknown as Codes } },
      /3 codebooks, and mini-reference has 4/,
    ],
    [
      { prompt: "a", regenerate: { ...region, take: take.map((row) => row.map(() => 512)) as unknown as Codes } },
      /codebook 0 has code 512 at frame 0/,
    ],
    [{ prompt: "a", regenerate: { ...region, take: [] as unknown as Codes } }, /^regenerate.take: they are not codes/],
  ];
  for (const [request, message] of cases) {
    const seen: string[] = [];
    const run = async () => {
      for await (const { type } of generate(model, request)) seen.push(type);
    };
    await assert.rejects(run, (error: Error) => {
      assert.match(error.message, message);
      return error.name === "HocketError";
    });
    assert.deepEqual(seen, []);
  }
});
