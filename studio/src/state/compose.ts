/** @file From the draft to music: the order, and the sound that starts by itself. */

import { signal } from "@preact/signals";
import type { Generation, GenerationInput } from "../../../src/server/client.js";
import { player } from "../sound/player.js";
import { anySeed, change, chosenModel, type Draft, draft, type Source, tune } from "./draft.js";
import { type Music, musicOf } from "./music.js";
import { go } from "./place.js";
import { client, messageOf, noteLoss } from "./server.js";
import { putTake, secondsOf } from "./takes.js";

/** An order is on its way. */
export const ordering = signal(false);
/** Why the last one was refused, and which field it is about. */
export const refusal = signal<{ readonly message: string; readonly field: string | undefined } | undefined>(undefined);
/** Milliseconds from the order to the first sound, of the take that was ordered last. */
export const firstSound = signal<{ readonly id: string; readonly milliseconds: number } | undefined>(undefined);

/** Orders what the draft says. Call it from a key or a button: sound needs one. */
export async function compose(other?: Partial<Draft>): Promise<void> {
  if (ordering.peek()) return;
  const asked = performance.now();
  if (other !== undefined) change(other);
  if (!draft.peek().lockSeed && other?.seed === undefined) change({ seed: anySeed() });
  const model = chosenModel.peek();
  if (model !== undefined) player.wake(model.sample_rate);
  player.pause();
  ordering.value = true;
  refusal.value = undefined;
  try {
    const file = model?.melody ? tune.peek()?.blob : undefined;
    const input = inputOf(draft.peek(), file !== undefined);
    key ??= freshKey();
    const take = await client.create(input, { idempotencyKey: key, ...(file === undefined ? {} : { melody: file }) });
    key = undefined;
    putTake(take);
    go("make", take.id);
    void playEarly(take, asked);
  } catch (error) {
    if (!noteLoss(error)) key = undefined; // one that may have arrived is sent again with its key
    const problem = (error as { problem?: { field?: string } }).problem;
    refusal.value = { message: messageOf(error), field: problem?.field };
  } finally {
    ordering.value = false;
  }
}

/** Plays a take from its beginning, as soon as it will not run dry before its end. */
export async function playEarly(take: Generation, asked = performance.now()): Promise<void> {
  const music = musicOf(take.id);
  const track = await firstTrack(music);
  if (track === undefined) return;
  player.load(track);
  player.playWhen(() => track.whole || track.seconds >= headStart(music, secondsOf(take), take.pieces.length));
  const stop = player.state.subscribe((state) => {
    if (state !== "playing" || player.track.peek() !== track) return;
    firstSound.value = { id: take.id, milliseconds: performance.now() - asked };
    queueMicrotask(() => stop());
  });
}

// --- internal ---

let key: string | undefined;

const freshKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function inputOf(asked: Draft, withFile: boolean): GenerationInput {
  const stated = Object.entries({
    model: asked.model,
    guidance: asked.guidance,
    temperature: asked.temperature,
    top_k: asked.topK,
    continue: asked.region === undefined ? reference(asked.intro) : undefined,
    melody: withFile || !chosenModel.peek()?.melody ? undefined : reference(asked.melody),
    parent: asked.parent,
    relation: asked.parent === undefined ? undefined : asked.relation,
  }).filter(([, value]) => value !== undefined);
  return {
    ...wordsAndLength(asked),
    seed: asked.seed,
    variations: asked.variations,
    ...Object.fromEntries(stated),
  };
}

function wordsAndLength({ prompt, duration, sections, region }: Draft): Partial<GenerationInput> {
  if (region !== undefined) {
    const { generation, piece, start, end } = region;
    return { prompt, regenerate: { generation, piece, from: start, to: end } };
  }
  return sections === undefined ? { prompt, duration } : { sections: [...sections] };
}

const reference = (source: Source | undefined) => (source === undefined ? undefined : { ...source });

/**
 * Seconds that must be there before playing: composed at `rate` seconds a second, the last sample of D seconds comes
 * when (D - head) / rate have passed, and must not be later than it is played, after D.
 */
function headStart(music: Music, seconds: number, pieces: number): number {
  const rate = (music.progress.peek()?.real_time_factor ?? 0) / pieces;
  return rate >= 1 ? 0.1 : Math.max(0.25, seconds * (1 - rate));
}

function firstTrack(music: Music) {
  return new Promise<Music["tracks"][number] | undefined>((resolve) => {
    const stop = music.more.subscribe(() => {
      if (music.tracks[0] === undefined && !music.whole) return;
      resolve(music.tracks[0]);
      queueMicrotask(() => stop());
    });
  });
}
