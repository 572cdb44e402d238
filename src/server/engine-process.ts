/**
 * @file The process that computes for a server. It is one of its own so that requests are answered while it is busy, and
 * so that a model too large for the memory takes no server with it.
 */

import { constants, getPriority, setPriority } from "node:os";
import { serialize } from "node:v8";
import { frameCount } from "../codes.js";
import { readCodes, writeCodes } from "../codes-file.js";
import { tokenFormat } from "../data/token-cache.js";
import { encoderOf } from "../data/tokenize.js";
import { HocketError } from "../errors.js";
import { generate } from "../musicgen.js";
import { decodeCodes, encodeWaveform } from "../sound.js";
import type { FromEngine, ToEngine } from "./engine-messages.js";
import { composeJobs, failure, type Job, type Place } from "./jobs.js";
import { Loaded } from "./loaded.js";
import { readSound, writeSound } from "./shelf.js";

const [threads] = process.argv.slice(2);
const loaded = new Loaded(threads === "" || threads === undefined ? undefined : Number(threads));
/** Jobs at work, each with what stops its batch once nobody wants it. */
const wanted = new Map<string, AbortController>();
let ending = false;

// Whoever waits for an answer, and the player that sounds, come first.
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + 5));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {}); // the server says when to end
process.on("disconnect", () => process.exit()); // it died
process.on("message", (message: ToEngine) => {
  if (message.do === "cancel") cancel(message.id);
  else if (message.do === "end") end();
  else if (message.do === "prepare")
    prepare(message.model).catch(() => {}); // whoever orders is told
  else if (message.do === "compose") void compose(message.batch, message.jobs);
  else if (message.do === "encode") answer(message.call, () => encode(message));
  else if (message.do === "token key") answer(message.call, () => tokenKey(message));
  else if (message.do === "tokens") answer(message.call, () => tokens(message));
  else answer(message.call, () => decode(message));
});

// --- internal ---

const send = (message: FromEngine): void => {
  if (process.connected) process.send!(message, undefined, undefined, () => {}); // a server that died is heard of below
};

async function compose(batch: number, jobs: readonly Job[]): Promise<void> {
  const stop = new AbortController();
  for (const { id } of jobs) wanted.set(id, stop);
  try {
    await loaded.music(jobs[0]!.model, async (model) => {
      for await (const { id, event } of composeJobs(model, jobs, stop.signal)) if (wanted.has(id)) send({ id, event });
    });
  } catch (error) {
    for (const { id } of jobs) if (wanted.has(id)) send({ id, event: failure(error) });
  }
  for (const { id } of jobs) wanted.delete(id);
  if (!ending) send({ over: batch });
}

/** A fifth of a second of music, heard by nobody: it takes all that any other takes. */
async function prepare(place: Place): Promise<void> {
  await loaded.music(place, async (model) => {
    for await (const _ of generate(model, { prompt: "music", duration: 0.2, seed: 0 }));
  });
}

function cancel(id: string): void {
  const stop = wanted.get(id);
  wanted.delete(id);
  if (stop !== undefined && ![...wanted.values()].includes(stop)) stop.abort();
}

async function encode({ model, path, bandwidth, software }: ToEngine & { do: "encode" }): Promise<Uint8Array> {
  return loaded.codec(model, async (codec) => {
    const chunks = await encodeWaveform(codec, await readSound(path), bandwidth === undefined ? {} : { bandwidth });
    const { sampleRate, frameRate } = codec.codec;
    return writeCodes(chunks, {
      sample_rate: `${sampleRate}`,
      frame_rate: `${frameRate}`,
      model: model.name,
      software,
    });
  });
}

async function decode({ model, codes, path, frames }: ToEngine & { do: "decode" }): Promise<undefined> {
  const file = {
    location: "codes",
    size: codes.length,
    read: async (at: number, n: number) => codes.slice(at, at + n),
  };
  const { chunks } = await readCodes({ ...file, close: async () => {} }, "the codes");
  const count = chunks.reduce((sum, chunk) => sum + chunk.codes.reduce((all, grid) => all + frameCount(grid), 0), 0);
  if (chunks[0]!.codes.length !== 1)
    throw new HocketError(
      "bad-request",
      `the codes are those of ${chunks[0]!.codes.length} sounds: send one at a time`,
    );
  if (count > frames)
    throw new HocketError("bad-request", `the codes have ${count} frames, and at most ${frames} are decoded`);
  await loaded.codec(model, async (codec) => {
    const [sound] = await decodeCodes(codec, chunks);
    await writeSound(path, sound!);
  });
}

async function tokenKey({ model }: ToEngine & { do: "token key" }): Promise<Uint8Array | undefined> {
  return loaded.codec(model, async (codec) => {
    try {
      return new TextEncoder().encode((await tokenFormat(codec)).key);
    } catch (error) {
      if (error instanceof HocketError && error.code === "unsupported") return undefined;
      throw error;
    }
  });
}

async function tokens({ model, clips }: ToEngine & { do: "tokens" }): Promise<Uint8Array> {
  return loaded.codec(model, async (codec) => serialize(await encoderOf(codec).encode(clips, undefined)));
}

function answer(call: number, work: () => Promise<Uint8Array | undefined>): void {
  work().then(
    (result) => send({ call, result }),
    (error) => {
      const { code, message } = failure(error);
      send({ call, failed: { code, message } });
    },
  );
}

async function end(): Promise<void> {
  ending = true;
  const stops = new Set(wanted.values());
  wanted.clear(); // nothing more is told of them: they are not over
  for (const stop of stops) stop.abort();
  await loaded.dispose();
  process.exit();
}
