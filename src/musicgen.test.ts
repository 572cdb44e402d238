import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  floats,
  integers,
  largestDifference,
  readGolden,
  readGoldenJson,
  repositoryFile,
  rowsOf,
} from "../test/golden.js";
import { flat } from "../test/models.js";
import type { Waveform } from "./audio/waveform.js";
import { type Codes, codes, frameCount, sliceFrames } from "./codes.js";
import { HocketError } from "./errors.js";
import { patternFor, specialToken } from "./lm/config.js";
import { guide } from "./lm/guidance.js";
import { logitsAt } from "./lm/lm.js";
import { build } from "./lm/patterns.js";
import { loadModel, type MusicModel } from "./model.js";
import { type GenerateOptions, generate } from "./musicgen.js";
import { createRuntime, openFolder } from "./platform/node.js";
import type { FinishedPiece, GenerateEvent, GenerateRequest } from "./request.js";

const runtime = createRuntime();
let model: MusicModel;
before(async () => {
  model = await loadModel(await openFolder(repositoryFile("models/mini-reference")), "mini-reference", runtime);
});
after(async () => {
  await model.dispose();
  await runtime.dispose();
});

const golden = readGolden("mini_reference", "golden.safetensors");
const { prompts } = readGoldenJson<{ prompts: { text: string }[] }>("mini_reference", "golden.json");
const bells = prompts[0]!.text;

async function play(request: GenerateRequest, options: GenerateOptions = {}) {
  const events: GenerateEvent[] = [];
  for await (const event of generate(model, request, options)) events.push(event);
  const last = events.at(-1)!;
  assert.ok(last.type === "done");
  return { events, pieces: last.pieces, piece: last.pieces[0]! };
}
/** Codes as text, to compare pieces by. */
const written = ({ codes }: FinishedPiece): string => flat([codes]).join();
/** The sound of codes, decoded in one go. */
const decoded = async (grid: Codes): Promise<Float32Array> => (await model.codec.decode([{ codes: [grid] }]))[0]![0]!;
const audioOf = (events: readonly GenerateEvent[], piece = 0) =>
  events.filter((event) => event.type === "audio").filter((event) => event.piece === piece);

test("prompts become the reference's codes and sound", async () => {
  const texts = prompts.map(({ text }) => text);
  const { pieces } = await play({ prompt: texts, duration: 4, guidance: 3, greedy: true, seed: 0 });
  for (const [i, piece] of pieces.entries()) {
    assert.equal(piece.prompt, texts[i]);
    assert.deepEqual(flat([piece.codes]), Array.from(integers(golden, `p${i}.codes`)), texts[i]);
    if (i < 2) assert.ok(largestDifference(piece.waveform.channels[0]!, floats(golden, `p${i}.audio`)) < 2e-5);
  }
});

test("what the text encoder reads and makes of a prompt is the reference's", async () => {
  for (const [i, { text }] of prompts.entries()) {
    assert.deepEqual(model.text.tokenizer.encode(text), Array.from(integers(golden, `p${i}.text_ids`)));
    const states = await model.text.encode(text);
    assert.ok(largestDifference(states.data, floats(golden, `p${i}.text_hidden`)) < 2e-5);
  }
});

test("guided logits of the first steps and of a late one are the reference's", async () => {
  const { lm, text } = model;
  const grid = codes(rowsOf(integers(golden, "p0.codes"), 200));
  const columns = build(patternFor(lm.config, 200), grid, specialToken(lm.config));
  const decoding = await lm.open([{ text: await text.encode(bells) }], true, 101);
  const first = rowsOf(floats(golden, "p0.scores_first8") as Float32Array, 512);
  const late = rowsOf(floats(golden, "p0.scores_step100") as Float32Array, 512);
  const guided = new Float32Array(512);
  for (let step = 0; step <= 100; step++) {
    const logits = await decoding.step([Int32Array.from(columns, (row) => row[step]!)], 1);
    for (let k = 0; k < 4; k++) {
      const target = step === 100 ? late[k] : first[4 * step + k];
      guide(logitsAt(logits, lm.config, 0, k), logitsAt(logits, lm.config, 1, k), 3, guided);
      if (target !== undefined) assert.ok(largestDifference(guided, target) < 1e-4, `step ${step}, codebook ${k}`);
    }
  }
  await decoding.dispose();
});

test("the codec's codes and sound are the reference's", async () => {
  const input = floats(golden, "codec.input") as Float32Array;
  const [chunk] = await model.codec.encode([[input]]);
  assert.deepEqual(flat(chunk!.codes), Array.from(integers(golden, "codec.codes")));
  assert.ok(largestDifference(await decoded(chunk!.codes[0]!), floats(golden, "codec.output")) < 2e-5);
});

test("sound comes in pieces without gaps, which are the finished sound, which is the codes decoded", async () => {
  const { events, pieces } = await play({ prompt: [bells, ""], duration: 3, seed: 4 });
  const [start, ...rest] = events;
  assert.ok(start?.type === "start");
  assert.match(start.notes.join(), /the prompt is empty/);
  for (const [i, { waveform, codes, seed }] of pieces.entries()) {
    assert.deepEqual([seed, frameCount(codes), waveform.channels[0]!.length], [4, 150, 48_000]);
    const heard = audioOf(rest, i);
    assert.ok(heard.length >= 3); // about one a second, and not all at the end
    let at = 0;
    for (const event of heard) {
      assert.equal(event.at * 16_000, at);
      at += event.waveform.channels[0]!.length;
    }
    assert.deepEqual(flat([heard.map((event) => event.waveform.channels[0]!)]), Array.from(waveform.channels[0]!));
    assert.ok(largestDifference(waveform.channels[0]!, await decoded(codes)) < 5e-6);
  }
  const steps = rest.filter((event) => event.type === "progress");
  assert.deepEqual(
    steps.map(({ step, steps }) => [step, steps]),
    steps.map((_, i) => [i + 1, 153]),
  );
  assert.ok(rest.findIndex((event) => event.type === "audio") < rest.indexOf(steps[40]!));
});

test("the same request makes the same samples, to the bit, in the same pieces", async () => {
  const [one, other] = [0, 0].map(() => play({ prompt: bells, duration: 1.5, seed: 2 }));
  const sounds = [await one!, await other!].map(({ events }) => audioOf(events).map(({ waveform }) => waveform));
  assert.ok(sounds[0]!.length >= 3);
  assert.deepEqual(sounds[0], sounds[1]);
});

test("where decoding fails, composing ends, with that error", async () => {
  const push = () => Promise.reject(new HocketError("disk", "the codec broke"));
  const codec = Object.assign(Object.create(model.codec), { decoder: async () => ({ push }) });
  const playing = async () => {
    for await (const { type } of generate({ ...model, codec }, { prompt: bells, duration: 4 }))
      assert.notEqual(type, "done");
  };
  await assert.rejects(playing, /the codec broke/);
});

test("a piece longer than the model's window is streamed at its full length", async () => {
  const { events, piece } = await play({ prompt: bells, duration: 20, seed: 1, guidance: 1 });
  assert.deepEqual([frameCount(piece.codes), piece.waveform.channels[0]!.length], [1000, 320_000]);
  let at = 0;
  for (const { waveform, at: seconds } of audioOf(events)) {
    assert.equal(seconds * 16_000, at);
    at += waveform.channels[0]!.length;
  }
  assert.equal(at, 320_000);
});

const intro: Waveform = {
  sampleRate: 16_000,
  channels: [(floats(golden, "codec.input") as Float32Array).slice(0, 8000)],
};

test("an intro that was given does not count as composed", async () => {
  let clock = 0;
  const now = () => (clock += 1000); // a second a look
  const { events } = await play({ prompt: bells, duration: 1.5, seed: 1, continue: intro }, { now });
  const done = events.at(-1)!;
  assert.ok(done.type === "done");
  assert.ok(Math.abs(done.realTimeFactor * done.seconds - 1) < 1e-9, `${done.realTimeFactor * done.seconds} s`);
});

test("a continued intro is kept as its codes, and heard first", async () => {
  const [chunk] = await model.codec.encode([intro.channels]);
  const { events, piece } = await play({ prompt: bells, duration: 1.5, seed: 1, continue: intro });
  assert.deepEqual(sliceFrames(piece.codes, 0, 25), chunk!.codes[0]);
  assert.equal(frameCount(piece.codes), 75);
  assert.ok(largestDifference(piece.waveform.channels[0]!, await decoded(piece.codes)) < 5e-6);
  assert.equal(audioOf(events)[0]!.at, 0);
  // At another rate and in stereo it is the same intro.
  const twice = { sampleRate: 16_000, channels: [intro.channels[0]!, intro.channels[0]!] };
  const { piece: other } = await play({ prompt: bells, duration: 1.5, seed: 1, continue: twice });
  assert.equal(written(other), written(piece));
});

test("text, seed, guidance, sampling and intro each change the codes, and nothing else does", async () => {
  const request = { prompt: bells, duration: 0.6, seed: 7, guidance: 3, temperature: 1 };
  const reversed = { ...intro, channels: [intro.channels[0]!.toReversed()] };
  const variants: GenerateRequest[] = [
    request,
    { ...request, prompt: prompts[5]!.text },
    { ...request, prompt: "" },
    { ...request, seed: 0 },
    { ...request, guidance: 1.5 },
    { ...request, temperature: 0.7 },
    { ...request, topK: 20 },
    { ...request, topP: 0.5 },
    { ...request, greedy: true },
    { ...request, continue: intro },
    { ...request, continue: reversed },
  ];
  const played: string[] = [];
  for (const variant of variants) played.push(written((await play(variant)).piece));
  assert.equal(new Set(played).size, variants.length);
  assert.equal(written((await play(request, { now: () => 0, randomSeed: () => 99 })).piece), played[0]);
});

test("a variation, and each of several prompts, is what its seed makes alone", async () => {
  const request = { prompt: [bells, prompts[1]!.text], duration: 0.5 };
  const { pieces } = await play({ ...request, seed: 10, variations: 2 });
  assert.deepEqual(
    pieces.map(({ prompt, seed }) => [prompt, seed]),
    request.prompt.flatMap((prompt) => [10, 11].map((seed) => [prompt, seed])),
  );
  for (const { prompt, seed, ...piece } of pieces) {
    const { piece: alone } = await play({ prompt, seed, duration: 0.5 });
    assert.equal(written(alone), written({ prompt, seed, ...piece }));
  }
  const { pieces: listed } = await play({ ...request, seed: [11, 10] });
  assert.deepEqual(listed.map(written), [written(pieces[1]!), written(pieces[2]!)]);
  const { pieces: drawn } = await play({ prompt: bells, duration: 0.5 }, { randomSeed: () => 10 });
  assert.equal(written(drawn[0]!), written(pieces[0]!));
});

test("an abort ends a piece within a step, and the model plays on", async () => {
  const controller = new AbortController();
  let steps = 0;
  await assert.rejects(
    async () => {
      for await (const { type } of generate(model, { prompt: bells, duration: 8 }, { signal: controller.signal }))
        if (type === "progress" && ++steps === 5) controller.abort();
    },
    { name: "AbortError" },
  );
  assert.equal(steps, 5);
  await play({ prompt: bells, duration: 0.1 });
});

const silence = (seconds: number): Waveform => ({ sampleRate: 16_000, channels: [new Float32Array(16_000 * seconds)] });

for (const [name, request, message] of [
  ["no duration", { duration: 0 }, /duration/],
  ["less than a frame", { duration: 0.005 }, /shorter than one frame/],
  ["a duration that is no number", { duration: Number.NaN }, /duration/],
  ["an endless duration", { duration: Number.POSITIVE_INFINITY }, /duration/],
  ["a temperature that is no number", { temperature: Number.NaN }, /temperature/],
  ["a guidance that is no number", { guidance: Number.NaN }, /guidance/],
  ["more codes than there are", { topK: 513 }, /513 is more than the 512 codes/],
  ["half a seed", { seed: 0.5 }, /seed/],
  ["three seeds for one piece", { seed: [1, 2, 3] }, /3 seeds for 1 pieces/],
  ["no prompt", { prompt: [] }, /prompt/],
  ["a field that does not exist", { loudness: 1 }, /loudness/],
  ["a melody for a model without", { melody: silence(1) }, /mini-reference has no melody input/],
  [
    "an intro as long as the piece",
    { duration: 1, continue: silence(1) },
    /intro lasts 1 s and the piece, intro included, 1 s/,
  ],
  ["an empty intro", { continue: silence(0) }, /no samples/],
  ["a stride that leaves nothing", { stride: 8 }, /stride.* 8 s leaves nothing/],
  ["a prompt of thousands of tokens", { prompt: "drums ".repeat(5000) }, /the prompt has \d+ tokens, and at most 4096/],
] as const)
  test(`refused before any work: ${name}`, async () => {
    const events: string[] = [];
    const run = async () => {
      for await (const { type } of generate(model, { prompt: bells, ...request } as GenerateRequest)) events.push(type);
    };
    await assert.rejects(run, (error) => {
      assert.ok(error instanceof HocketError && error.code === "bad-request", `${error}`);
      assert.match(error.message, message);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
    assert.deepEqual(events, []);
  });
