import assert from "node:assert/strict";
import { test } from "node:test";
import { readGolden } from "../../test/golden.js";
import { flat } from "../../test/models.js";
import { mini, serving } from "../../test/serving.js";
import { decodeAudio } from "../audio/decode.js";
import { toPcm } from "../audio/pcm.js";
import { readWav } from "../audio/wav.js";
import { writeWav } from "../audio/write-wav.js";
import { readCodes } from "../codes-file.js";
import { loadModel } from "../model.js";
import { generate } from "../musicgen.js";
import { createRuntime, openFolder } from "../platform/node.js";
import type { FinishedPiece, GenerateRequest } from "../request.js";
import type { GenerationEvent } from "./client.js";
import type { Generation } from "./wire.js";

const s = await serving();

/** What the library makes by itself. */
async function direct(request: GenerateRequest): Promise<readonly FinishedPiece[]> {
  const runtime = createRuntime();
  const model = await loadModel(await openFolder(mini.path), mini.name, runtime, { threads: 1 });
  try {
    for await (const event of generate(model, request)) if (event.type === "done") return event.pieces;
  } finally {
    await runtime.dispose();
    await model.dispose();
  }
  throw new Error("it was never done");
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
const codesIn = async (bytes: Uint8Array) =>
  (
    await readCodes({
      location: "codes",
      size: bytes.length,
      read: async (at, n) => bytes.slice(at, at + n),
      close: async () => {},
    })
  ).chunks[0]!.codes;
const collect = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
};
const dataOf = (wav: Uint8Array): Uint8Array =>
  wav.subarray(Buffer.from(wav.buffer, wav.byteOffset, wav.length).indexOf("data") + 8);

test("a generation's whole life over HTTP makes what the library makes", async () => {
  const request = { prompt: "calm piano", duration: 1, seed: 7, temperature: 0.9, topK: 100, variations: 2 };
  const created = await s.ask("POST", "/v1/generations", {
    prompt: "calm piano",
    duration: 1,
    seed: 7,
    temperature: 0.9,
    top_k: 100,
    variations: 2,
    title: "A <b>name</b>",
    tags: ["one"],
  });
  assert.equal(created.status, 201);
  const generation = (await created.json()) as Generation;
  assert.equal(created.headers.get("location"), generation.urls.self);
  assert.match(generation.id, /^[0-9a-f]{32}$/);
  const streamed = [0, 1].map((piece) => fetch(s.client.soundUrl(generation.id, "wav", { piece })).then(bytesOf));
  const mp3 = fetch(s.client.soundUrl(generation.id, "mp3")).then(bytesOf);
  const events = await collect(s.client.events(generation.id));
  const expected = await direct(request);

  const done = events.at(-1)! as GenerationEvent & { type: "done" };
  assert.equal(done.type, "done");
  assert.deepEqual(await s.client.get(generation.id), done.generation);
  const { pieces, settings, request: kept, title, tags } = done.generation;
  assert.deepEqual(
    pieces.map(({ prompt, seed }) => ({ prompt, seed })),
    expected.map(({ prompt, seed }) => ({ prompt, seed })),
  );
  assert.equal(settings!.top_k, 100);
  assert.deepEqual([title, tags, kept.seed, kept.top_k], ["A <b>name</b>", ["one"], 7, 100]);

  // Codes: as a file, and as events.
  const grids = await codesIn(new Uint8Array(await s.client.codes(generation.id)));
  assert.deepEqual(
    grids.map((grid) => flat([grid])),
    expected.map(({ codes }) => flat([codes])),
  );
  const told: number[][][] = expected.map(({ codes }) => codes.map(() => []));
  for (const event of events)
    if (event.type === "codes")
      for (const [i, grid] of event.pieces.entries())
        for (const [k, row] of grid.entries()) {
          assert.equal(told[i]![k]!.length, event.frame, "columns come in order, without gaps");
          told[i]![k]!.push(...row);
        }
  assert.deepEqual(
    told,
    expected.map(({ codes }) => codes.map((row) => [...row])),
  );

  // Sound: exact as float, and the same PCM as a file, as a stream and as events.
  for (const [i, { waveform }] of expected.entries()) {
    const exact = await bytesOf(
      await fetch(s.client.soundUrl(generation.id, "wav", { piece: i, bits: 32, loudness: "none" })),
    );
    assert.deepEqual(readWav(exact), waveform);
    const pcm = toPcm(waveform.channels, 16);
    const file = await bytesOf(await fetch(s.client.soundUrl(generation.id, "wav", { piece: i })));
    assert.deepEqual(dataOf(file), pcm);
    assert.deepEqual(dataOf((await streamed[i])!), pcm);
    const heard = events.filter((event) => event.type === "audio").filter((event) => event.piece === i);
    assert.ok(heard.length > 1, "sound comes before it is whole");
    let samples = 0;
    for (const { at, channels } of heard) {
      assert.equal(at, samples);
      assert.deepEqual(toPcm(channels, 16), pcm.subarray(2 * at, 2 * (at + channels[0]!.length)));
      samples += channels[0]!.length;
    }
    assert.equal(samples, waveform.channels[0]!.length);
  }
  assert.deepEqual(
    await mp3,
    await bytesOf(await fetch(s.client.soundUrl(generation.id, "mp3"))),
    "a stream is the file",
  );
  const flac = await decodeAudio(await bytesOf(await fetch(s.client.soundUrl(generation.id, "flac"))), "flac");
  assert.deepEqual(toPcm(flac.channels, 16), toPcm(expected[0]!.waveform.channels, 16));

  const late = await collect(s.client.events(generation.id));
  const sizes = late.map((event) => (event.type === "audio" ? event.channels[0]!.length : 0));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    2 * expected[0]!.waveform.channels[0]!.length,
  );
});

test("Prefer: wait answers when it is done, and the same seed makes the same again", async () => {
  const order = { prompt: "drums", duration: 0.5, seed: 3 };
  const [first, second] = await Promise.all(
    [1, 2].map(async () => {
      const response = await s.ask("POST", "/v1/generations", order, { prefer: "wait=30" });
      assert.equal(response.headers.get("preference-applied"), "wait=30");
      const generation = (await response.json()) as Generation;
      assert.equal(generation.state, "done");
      return new Uint8Array(await s.client.codes(generation.id));
    }),
  );
  assert.deepEqual(first, second);
  const other = await s.client.create({ ...order, seed: 4 });
  await s.client.finished(other.id);
  assert.notDeepEqual(await codesIn(new Uint8Array(await s.client.codes(other.id))), await codesIn(first!));
});

test("what was asked for, sent again, makes the same music, also where a file came with it and no seed", async () => {
  const [recording] = [...readGolden("mini_reference", "golden.safetensors").entries()]
    .filter(([name]) => name === "p0.audio")
    .map(([, tensor]) => tensor.data as Float32Array<ArrayBuffer>);
  const intro = new Blob([
    writeWav({ sampleRate: 16000, channels: [recording!.slice(0, 4800)] }, { bits: 16 }) as never,
  ]);
  const first = await s.client.create({ prompt: "piano", duration: 0.8, tags: ["a", "b"] }, { continue: intro });
  assert.equal((await s.client.finished(first.id)).state, "done");
  assert.deepEqual(first.tags, ["a", "b"]);
  const second = await s.client.create(first.request as never);
  assert.equal((await s.client.finished(second.id)).state, "done");
  assert.deepEqual(await s.client.codes(second.id), await s.client.codes(first.id));
  const alone = await s.client.create({ ...(first.request as { prompt: string }), continue: undefined });
  await s.client.finished(alone.id);
  assert.notDeepEqual(await s.client.codes(alone.id), await s.client.codes(first.id), "the intro is heard");

  const half = { generation: first.id, start: 0, end: 0.4 };
  const child = await s.client.create({
    prompt: "drop",
    duration: 0.8,
    continue: half,
    parent: first.id,
    relation: "continue",
  });
  const { settings, parent, relation } = await s.client.finished(child.id);
  assert.deepEqual([settings!.continued, parent, relation], [true, first.id, "continue"]);
});

test("takes are named, found, listed page by page and deleted", async () => {
  const made: string[] = [];
  for (const [i, prompt] of ["100% harp", "harp_solo", "tuba"].entries()) {
    const { id } = await s.client.create({ prompt, duration: 0.2, seed: i, tags: i === 0 ? ["keep"] : [] });
    await s.client.finished(id);
    made.push(id);
  }
  const ids = async (query: Parameters<typeof s.client.list>[0]) =>
    (await s.client.list(query)).data.map(({ id }) => id);
  assert.deepEqual(await ids({ q: "harp" }), [made[1], made[0]]);
  assert.deepEqual(await ids({ q: "HARP 100%" }), [made[0]]);
  assert.deepEqual(await ids({ q: "harp_s" }), [made[1]], "no sign has a meaning of its own");
  assert.deepEqual(await ids({ tag: "keep" }), [made[0]]);
  await s.client.update(made[2]!, { title: "Low", favourite: true, tags: ["brass"] });
  assert.deepEqual(await ids({ favourite: true }), [made[2]]);
  assert.deepEqual(await ids({ q: "low", tag: "brass" }), [made[2]]);
  assert.equal((await s.client.update(made[2]!, { title: null })).title, null);
  const paged = await collect(s.client.all({ limit: 2 }));
  const whole = (await s.client.list({ limit: 100 })).data;
  assert.deepEqual(paged, whole);
  assert.deepEqual(
    paged.slice(0, 3).map(({ id }) => id),
    made.toReversed(),
  );
  await s.client.remove(made[0]!);
  assert.equal((await s.ask("GET", `/v1/generations/${made[0]}`)).status, 404);
  assert.deepEqual(await ids({ q: "harp" }), [made[1]]);
});

test("a cancelled generation stops, those beside it go on, and its sound is gone", async () => {
  const [first, second] = await Promise.all(
    [1, 2].map((seed) => s.client.create({ prompt: "organ", duration: 3, seed })),
  );
  for await (const event of s.client.events(first!.id)) if (event.type === "audio") break;
  const cancelled = await s.client.cancel(first!.id);
  assert.equal(cancelled.state, "cancelled");
  assert.equal((await s.client.finished(first!.id)).state, "cancelled");
  assert.equal((await s.ask("GET", `/v1/generations/${first!.id}/audio.wav`)).status, 410);
  assert.equal((await s.client.finished(second!.id)).state, "done");
  assert.equal((await s.client.cancel(second!.id)).state, "done", "what is over stays as it is");
});

test("whoever comes back with the id of the last event gets what lies after, once", async () => {
  const { id } = await s.client.create({ prompt: "bells", duration: 2, seed: 5 });
  const events = async (last: string | undefined, most: number) => {
    const response = await s.ask(
      "GET",
      `/v1/generations/${id}/events`,
      undefined,
      last === undefined ? {} : { "last-event-id": last },
    );
    let text = "";
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.split("\nid: ").length > most) break;
    }
    return text.split("\n\n").flatMap((block) => {
      const data = /^data: (.*)$/m.exec(block);
      return data === null
        ? []
        : [{ id: /^id: (.*)$/m.exec(block)?.[1], event: /^event: (.*)$/m.exec(block)![1], data: JSON.parse(data[1]!) }];
    });
  };
  let pcm = "";
  let frames = 0;
  let last: string | undefined;
  for (let cut = 0; last !== "end"; cut++) {
    for (const event of await events(last, 3)) {
      if (event.event === "audio") {
        assert.equal(event.data.at, Buffer.from(pcm, "hex").length / 2);
        pcm += Buffer.from(event.data.pcm, "base64").toString("hex");
      }
      if (event.event === "codes") {
        assert.equal(event.data.frame, frames);
        frames += event.data.pieces[0][0].length;
      }
      last = event.id ?? last;
    }
    assert.ok(cut < 500);
  }
  const file = await bytesOf(await fetch(s.client.soundUrl(id)));
  assert.equal(pcm, Buffer.from(dataOf(file)).toString("hex"));
  assert.equal(frames, 100);
  assert.equal((await s.ask("GET", `/v1/generations/${id}/events`, undefined, { "last-event-id": "end" })).status, 204);
});

test("a sound that is done is sent in parts, and not to those who have it", async () => {
  const { id } = await s.client.create({ prompt: "flute", duration: 0.4, seed: 1, title: 'Flöte "1"' });
  await s.client.finished(id);
  const url = s.client.soundUrl(id);
  const whole = await fetch(url);
  const bytes = await bytesOf(whole);
  assert.equal(whole.headers.get("content-length"), `${bytes.length}`);
  assert.match(
    whole.headers.get("content-disposition")!,
    /^inline; filename="Flo_te-1-1.wav"; filename\*=UTF-8''Fl%C3%B6te-1-1.wav$/,
  );
  for (const [range, start, end] of [
    ["bytes=0-9", 0, 10],
    ["bytes=100-", 100, bytes.length],
    ["bytes=-7", bytes.length - 7, bytes.length],
    ["bytes=5-999999999", 5, bytes.length],
  ] as const) {
    const part = await fetch(url, { headers: { range } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-range"), `bytes ${start}-${end - 1}/${bytes.length}`);
    assert.deepEqual(await bytesOf(part), bytes.slice(start, end));
  }
  assert.equal((await fetch(url, { headers: { range: `bytes=${bytes.length}-` } })).status, 416);
  assert.equal((await fetch(url, { headers: { range: "bytes=0-1,3-4" } })).status, 200);
  assert.equal((await fetch(url, { headers: { "if-none-match": whole.headers.get("etag")! } })).status, 304);
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), `${bytes.length}`);
  const loud = await decodeAudio(await bytesOf(await fetch(s.client.soundUrl(id, "wav", { loudness: "peak" }))), "wav");
  const peak = Math.max(...loud.channels[0]!.map(Math.abs));
  assert.ok(Math.abs(peak - 10 ** (-1 / 20)) < 1e-3);
});

test("the codec by itself: sound to codes and back, as the library does it", async () => {
  const { id } = await s.client.create({ prompt: "guitar", duration: 0.5, seed: 2 });
  await s.client.finished(id);
  const codes = new Uint8Array(await s.client.codes(id));
  const send = (path: string, body: Uint8Array | FormData, headers = {}) =>
    fetch(`${s.url}${path}`, { method: "POST", body: body as never, headers });
  const octets = { "content-type": "application/octet-stream" };
  const decoded = await send("/v1/codec/decode?bits=32&loudness=none", codes, octets);
  assert.equal(decoded.status, 200);
  const sound = readWav(await bytesOf(decoded));
  const exact = readWav(await bytesOf(await fetch(s.client.soundUrl(id, "wav", { bits: 32, loudness: "none" }))));
  let largest = 0;
  for (const [n, x] of sound.channels[0]!.entries()) largest = Math.max(largest, Math.abs(x - exact.channels[0]![n]!));
  assert.ok(largest < 1e-4, `${largest}`);
  const wav = writeWav(sound, { bits: 32 });
  const again = await send("/v1/codec/encode", wav, octets);
  assert.equal(again.status, 200);
  const grids = await codesIn(await bytesOf(again));
  assert.deepEqual([grids.length, grids[0]!.length, grids[0]![0]!.length], [1, 4, 25]);
  const form = new FormData();
  form.append("audio", new Blob([wav as never]), "sound.wav");
  assert.deepEqual(await codesIn(await bytesOf(await send("/v1/codec/encode", form))), grids);
});
