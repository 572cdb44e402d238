/**
 * @file ★ Start here. Prompt in, waveform out: words become a condition, the language model writes codes column by
 * column, the codec turns codes into sound while the rest is still being written.
 */

import { resampleInTurns } from "./audio/resample.js";
import { type Waveform, withChannels } from "./audio/waveform.js";
import { type Codes, frameCount, joinFrames, sliceFrames } from "./codes.js";
import { HocketError } from "./errors.js";
import { GrowingSound } from "./growing-sound.js";
import type { Condition } from "./lm/condition.js";
import { composeRegion } from "./lm/region.js";
import { composePiece, type PieceItem } from "./lm/windows.js";
import { chroma, fitLength } from "./melody/chroma.js";
import { type MusicModel, nonFiniteWeight } from "./model.js";
import { freshSeed, type Plan, piecesOf, planFor } from "./plan.js";
import { type GenerateEvent, type GenerateRequest, type Piece, parseRequest } from "./request.js";
import { checkCodes, encodeWaveform } from "./sound.js";

export interface GenerateOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds from any start. */
  readonly now?: () => number;
  /** A seed for requests that state none. */
  readonly randomSeed?: () => number;
}

/**
 * @throws HocketError "bad-request" before any work starts, for what the model cannot do; AbortError within a step of
 * the signal
 */
export async function* generate(
  model: MusicModel,
  request: GenerateRequest,
  { signal, now = () => performance.now(), randomSeed = freshSeed }: GenerateOptions = {},
): AsyncGenerator<GenerateEvent> {
  const asked = parseRequest(request);
  const { codec, lm, defaults } = model;
  const known = { name: model.name, defaults, frameRate: codec.frameRate, bins: lm.config.vocab_size };
  const old = asked.regenerate && (await codesOf(model, asked.regenerate.take, signal));
  const duration = old === undefined ? asked.duration : frameCount(old) / codec.frameRate;
  const plan = planFor({ ...known, melody: model.chroma !== undefined }, { ...asked, duration });
  const { frames, window, stride, region } = plan;
  const settings = { ...plan.settings, precision: model.precision };
  const pieces = piecesOf(asked, randomSeed);
  lm.prepare();
  const tune = asked.melody && (await tuneOf(model, asked.melody, signal));
  const prompts = [...new Set((plan.sections ?? pieces).map((each) => each.prompt))];
  // All at once: the text encoder may be let go of when nobody waits for it.
  const states = await Promise.all(prompts.map((each) => (isEmpty(each) ? undefined : model.text.encode(each))));
  const texts = new Map(prompts.map((each, i): [string, Condition["text"]] => [each, states[i]]));
  let prompt = asked.continue === undefined ? undefined : await intro(model, asked.continue, frames, signal);
  if (region !== undefined && region.from > 0) prompt = sliceFrames(old!, 0, region.from);
  const notes: string[] = [];
  if (asked.regenerate !== undefined && "channels" in asked.regenerate.take)
    notes.push(
      "the take was given as sound: all of it is now as the codec renders it, also outside the part; give its codes to keep the rest as it was",
    );
  if (asked.melody !== undefined)
    notes.push("the melody is taken from the whole recording: voices and instruments are not separated first");
  else if (prompts.some(isEmpty)) notes.push("the prompt is empty: the model composes freely, without guidance");
  yield { type: "start", pieces, settings, notes };
  const items = pieces.map(
    (piece): PieceItem => ({
      seed: piece.seed,
      prompt,
      condition: (start, from) => ({
        text: texts.get(wordsAt(plan, piece, from)),
        melody: tune && melodyFrom(model, tune, start, frames > window),
      }),
    }),
  );
  const sampling = {
    temperature: settings.greedy ? 0 : settings.temperature,
    topK: settings.topK,
    topP: settings.topP,
  };
  const options = { window, stride, guidance: settings.guidance, sampling, signal };
  const changes = plan.sections?.slice(1).map(({ from }) => from);
  const listen = Math.round(listenFor * codec.frameRate);
  const composing =
    region === undefined
      ? composePiece(lm, items, { ...options, frames, changes })
      : composeRegion(lm, items, {
          ...options,
          after: sliceFrames(old!, region.to),
          to: region.to,
          candidates: asked.regenerate!.candidates,
          listen,
        });

  const sound = new GrowingSound(model, pieces.length);
  const composed: Codes[][] = pieces.map(() => (prompt === undefined ? [] : [prompt])); // joined once, at the end
  let made = 0; // frames
  const started = now();
  const elapsed = () => (now() - started) / 1000;
  const own = region === undefined ? Number.POSITIVE_INFINITY : region.to - region.from;
  const factor = (seconds: number) => (pieces.length * Math.min(made, own)) / codec.frameRate / seconds;
  try {
    if (prompt !== undefined) {
      const given = pieces.map(() => prompt);
      yield { type: "codes", frame: 0, codes: given };
      await sound.push(given);
    }
    const before = prompt === undefined ? 0 : frameCount(prompt);
    for await (const event of composing) {
      const more = frameCount(event.codes[0]!);
      if (more > 0) yield { type: "codes", frame: before + made, codes: event.codes };
      for (const [i, grid] of event.codes.entries()) composed[i]!.push(grid);
      made += more;
      await sound.push(event.codes);
      yield* sound.ready();
      const seconds = elapsed();
      const stepsPerSecond = event.step / seconds;
      yield {
        type: "progress",
        step: event.step,
        steps: event.steps,
        stepsPerSecond,
        realTimeFactor: factor(seconds),
        secondsLeft: (event.steps - event.step) / stepsPerSecond,
      };
    }
    await sound.finish();
    yield* sound.ready();
  } catch (error) {
    throw (await becauseOfWeights(model, error)) ?? error;
  }
  const seconds = elapsed();
  yield {
    type: "done",
    pieces: pieces.map((piece, i) => ({ ...piece, waveform: sound.waveform(i), codes: joinFrames(composed[i]!) })),
    seconds,
    realTimeFactor: factor(seconds),
  };
}

// --- internal ---

/** Seconds of what follows a part that is composed anew, by which the best candidate is chosen. */
const listenFor = 1;

/** The words under which a piece is composed from a frame on. */
const wordsAt = ({ sections }: Plan, piece: Piece, frame: number): string =>
  sections?.findLast(({ from }) => from <= frame)?.prompt ?? piece.prompt;

const isEmpty = (prompt: string): boolean => prompt.trim() === "";

async function intro(
  model: MusicModel,
  audio: Waveform,
  frames: number,
  signal: AbortSignal | undefined,
): Promise<Codes> {
  const [chunk] = await encodeWaveform(model, audio, signal === undefined ? {} : { signal });
  const grid = chunk!.codes[0]!;
  const given = frameCount(grid);
  if (given < frames) return grid;
  const seconds = (count: number) => `${count / model.codec.frameRate} s`;
  throw new HocketError(
    "bad-request",
    `the intro lasts ${seconds(given)} and the piece, intro included, ${seconds(frames)}: ask for a longer duration or give a shorter intro`,
  );
}

/** @throws HocketError "bad-request" for codes of another model */
async function codesOf(model: MusicModel, take: Codes | Waveform, signal: AbortSignal | undefined): Promise<Codes> {
  if ("channels" in take)
    return (await encodeWaveform(model, take, signal === undefined ? {} : { signal }))[0]!.codes[0]!;
  checkCodes(model, take, model.lm.config.num_codebooks);
  return take;
}

/** The melody as the model hears it: one channel, at the rate of its chroma. */
async function tuneOf(
  { chroma }: MusicModel,
  melody: Waveform,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const resampled = await resampleInTurns(melody, chroma!.sampleRate, signal);
  const [tune] = withChannels(resampled, 1).channels as [Float32Array];
  if (tune.length === 0) throw new HocketError("bad-request", "the melody is too short to be heard: give a longer one");
  return tune;
}

/**
 * The pitch classes that a window hears. In a piece of several windows the tune is repeated as sound, and each hears it
 * from where it stands; in one window its chroma is repeated (spec §4.6, §7.2).
 */
function melodyFrom(model: MusicModel, tune: Float32Array, startFrame: number, several: boolean): Int32Array {
  const config = model.chroma!;
  let samples = tune;
  if (several) {
    const start = Math.round((startFrame / model.codec.frameRate) * config.sampleRate);
    samples = Float32Array.from(
      { length: model.defaults.window * config.sampleRate },
      (_, i) => tune[(start + i) % tune.length]!,
    );
  }
  return fitLength(chroma(samples, config), model.lm.around.melody!.length);
}

/** A result that is not a number usually comes from a weight that is none; then that is the error to show. */
async function becauseOfWeights(model: MusicModel, error: unknown): Promise<HocketError | undefined> {
  const suspicious = error instanceof HocketError && error.code === "internal";
  return suspicious ? nonFiniteWeight(model.checkpoint) : undefined;
}
