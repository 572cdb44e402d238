/**
 * @file ★ Start here. Prompt in, waveform out: words become a condition, the language model writes codes column by
 * column, the codec turns codes into sound while the rest is still being written.
 */

import { resampleInTurns } from "./audio/resample.js";
import { type Waveform, withChannels } from "./audio/waveform.js";
import { type Codes, frameCount, joinFrames } from "./codes.js";
import { HocketError } from "./errors.js";
import { GrowingSound } from "./growing-sound.js";
import type { Condition } from "./lm/condition.js";
import { composePiece, type PieceItem } from "./lm/windows.js";
import { chroma, fitLength } from "./melody/chroma.js";
import { type MusicModel, nonFiniteWeight } from "./model.js";
import { freshSeed, piecesOf, planFor } from "./plan.js";
import { type GenerateEvent, type GenerateRequest, parseRequest } from "./request.js";
import { encodeWaveform } from "./sound.js";

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
  const plan = planFor({ ...known, melody: model.chroma !== undefined }, asked);
  const { frames, window, stride } = plan;
  const settings = { ...plan.settings, precision: model.precision };
  const pieces = piecesOf(asked, randomSeed);
  lm.prepare();
  const tune = asked.melody && (await tuneOf(model, asked.melody, signal));
  const prompts = [...new Set(pieces.map((piece) => piece.prompt))];
  // All at once: the text encoder may be let go of when nobody waits for it.
  const states = await Promise.all(prompts.map((each) => (isEmpty(each) ? undefined : model.text.encode(each))));
  const texts = new Map(prompts.map((each, i): [string, Condition["text"]] => [each, states[i]]));
  const prompt = asked.continue === undefined ? undefined : await intro(model, asked.continue, frames, signal);
  const notes: string[] = [];
  if (asked.melody !== undefined)
    notes.push("the melody is taken from the whole recording: voices and instruments are not separated first");
  else if (pieces.some((piece) => isEmpty(piece.prompt)))
    notes.push("the prompt is empty: the model composes freely, without guidance");
  yield { type: "start", pieces, settings, notes };
  const items = pieces.map(
    (piece): PieceItem => ({
      seed: piece.seed,
      prompt,
      condition: (start) => ({
        text: texts.get(piece.prompt),
        melody: tune && melodyFrom(model, tune, start, frames > window),
      }),
    }),
  );
  const sampling = {
    temperature: settings.greedy ? 0 : settings.temperature,
    topK: settings.topK,
    topP: settings.topP,
  };
  const composing = composePiece(lm, items, { frames, window, stride, guidance: settings.guidance, sampling, signal });

  const sound = new GrowingSound(model, pieces.length);
  const composed: Codes[][] = pieces.map(() => (prompt === undefined ? [] : [prompt])); // joined once, at the end
  let made = 0; // frames
  const started = now();
  const elapsed = () => (now() - started) / 1000;
  const factor = (seconds: number) => (pieces.length * made) / codec.frameRate / seconds;
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
