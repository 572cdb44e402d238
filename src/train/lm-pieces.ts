/** @file Recordings' tokens and words as the batches that a language model learns from, and those that it is checked on. */

import { type LmBatchOptions, type LmItem, lmItem, type TextOf, type TokenSource } from "../data/lm-batches.js";
import type { Dataset } from "../data/segments.js";
import { HocketError } from "../errors.js";
import { uniform } from "../lm/random.js";
import { fitLength } from "../melody/chroma.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { fitTokens } from "./lm-conditions.js";
import type { LmShape } from "./lm-graph.js";
import type { SamplePrompt } from "./lm-samples.js";
import { captionsOf, type TextMixing, textFor } from "./lm-text.js";
import type { Json } from "./run.js";
import type { Batch, Pieces } from "./train-lm.js";

export interface Split {
  readonly dataset: Dataset;
  readonly tokens: TokenSource;
}

export interface Reading {
  readonly shape: LmShape;
  readonly tokenizer: Tokenizer;
  /** Of each item. */
  readonly seconds: number;
  readonly seed: number;
  readonly mixing: TextMixing;
  /** What the run's settings say of the data. */
  readonly from: Json;
}

/** Asking for a batch throws HocketError "bad-file" where recordings cannot be used. */
export function piecesOf(train: Split, valid: Split, reading: Reading): Pieces {
  const { shape, seed, seconds, mixing } = reading;
  const options = { batch: shape.batch, seconds };
  const learning = { ...options, seed };
  const saying: TextOf = (entry, drawn) => textFor(entry, drawn, mixing);
  let ready: { index: number; batch: Promise<Batch> } | undefined;
  const read = (index: number) => batchOf(train, saying, learning, reading, index);
  const held = valid.dataset.places.reduce((sum, { entry }) => sum + entry.duration, 0) / seconds;
  let heldOut: Promise<Batch[]> | undefined;
  const checks = Math.ceil(Math.min(heldOutItems, Math.max(1, held)) / shape.batch);
  return {
    from: reading.from,
    batch(index) {
      const batch = ready?.index === index ? ready.batch : read(index);
      ready = { index: index + 1, batch: batch.then(() => read(index + 1)) };
      ready.batch.catch(() => {}); // asked for again when its turn comes
      return batch;
    },
    heldOut() {
      // Held out items say their captions as they stand.
      heldOut ??= Promise.all(
        Array.from({ length: checks }, (_, i) => batchOf(valid, asItStands, { ...options, seed: 0 }, reading, i)),
      );
      return heldOut;
    },
  };
}

/**
 * Captions that no model has learnt from; for melody models the last once more, with the tune of its recording.
 * @param asked words to take in their place, if there are any
 */
export async function promptsOf(
  { dataset }: Split,
  seconds: number,
  melody: boolean,
  asked: readonly string[],
): Promise<SamplePrompt[]> {
  if (asked.length > 0) return asked.map((text) => ({ text }));
  const prompts: SamplePrompt[] = [];
  let place = 0;
  for (let i = 0; i < 4 * shownPrompts && prompts.length < shownPrompts; i++) {
    const drawn = dataset.draw(uniform(0, i, 0), uniform(0, i, 1));
    const text = asItStands(dataset.places[drawn]!.entry, () => 0);
    if (text === "" || prompts.some((prompt) => prompt.text === text)) continue;
    prompts.push({ text });
    place = drawn;
  }
  const last = prompts.at(-1);
  if (!melody || last === undefined) return prompts;
  const { sampleRate } = dataset;
  const sound = await dataset.whole(place).catch((error: unknown) => {
    if (error instanceof HocketError && error.code === "bad-file") return undefined; // the tokens are there without it
    throw error;
  });
  const channels = sound?.map((channel) => channel.subarray(0, Math.round(seconds * sampleRate)));
  return channels === undefined ? prompts : [...prompts, { ...last, melody: { sampleRate, channels } }];
}

// --- internal ---

/** Clips that every check reads, where as many are held out. */
const heldOutItems = 64;
const shownPrompts = 4;

const asItStands: TextOf = (entry, drawn) => {
  const captions = captionsOf(entry);
  return captions[Math.floor(drawn(0) * captions.length)] ?? textFor(entry, drawn);
};

async function batchOf(
  { dataset, tokens }: Split,
  textOf: TextOf,
  options: LmBatchOptions,
  { shape, tokenizer }: Reading,
  index: number,
): Promise<Batch> {
  const items: LmItem[] = await Promise.all(
    Array.from({ length: options.batch }, (_, b) =>
      lmItem(dataset, tokens, textOf, options, index * options.batch + b),
    ),
  );
  return {
    codes: items.map(({ codes }) => codes),
    lengths: items.map(({ frames }) => frames),
    conditions: items.map(({ text, chroma }) => ({
      text: text === "" ? [] : fitTokens(tokenizer.encode(text), shape.tokens),
      melody: shape.melody && fitLength(Int32Array.from(chroma), shape.melody.length),
    })),
  };
}
