/** @file What a language model can do, to be listened to and looked at: pieces for fixed prompts, by the real `generate`. */

import { openFolder, writeFileAtomically } from "#platform";
import { encodeAudio } from "../audio/encode.js";
import { normalise } from "../audio/loudness.js";
import type { Waveform } from "../audio/waveform.js";
import { loadModel } from "../model.js";
import { generate } from "../musicgen.js";
import type { Runtime, SessionOptions } from "../platform/platform.js";
import type { FinishedPiece } from "../request.js";
import { spectrogramPng } from "./spectrogram.js";

export interface SamplePrompt {
  readonly text: string;
  /** Melody models: a tune to follow. */
  readonly melody?: Waveform;
}

/** Composes for every prompt with the model in the folder `model`; writes N.flac, N.png and what was asked into `folder`. */
export async function writeSamples(
  runtime: Runtime,
  model: string,
  folder: string,
  prompts: readonly SamplePrompt[],
  { seconds, seed, ...options }: SessionOptions & { readonly seconds: number; readonly seed: number },
): Promise<void> {
  const loaded = await loadModel(await openFolder(model), model, runtime, options);
  const asked: string[] = [];
  try {
    const free = prompts.filter(({ melody }) => melody === undefined);
    const led = prompts.filter(({ melody }) => melody !== undefined);
    for (const group of [free, ...led.map((one) => [one])]) {
      if (group.length === 0) continue;
      const [{ melody } = { melody: undefined }] = group;
      const request = { prompt: group.map(({ text }) => text), duration: seconds, seed, ...(melody && { melody }) };
      for await (const event of generate(loaded, request)) {
        if (event.type !== "done") continue;
        for (const piece of event.pieces) {
          asked.push(`${asked.length + 1} ${piece.prompt}${melody === undefined ? "" : " (with a melody)"}\n`);
          await writePiece(piece, `${folder}/${asked.length}`);
        }
      }
    }
  } finally {
    await loaded.dispose();
  }
  await writeFileAtomically(`${folder}/prompts.txt`, new TextEncoder().encode(asked.join("")));
}

// --- internal ---

async function writePiece({ waveform }: FinishedPiece, path: string): Promise<void> {
  await writeFileAtomically(`${path}.flac`, await encodeAudio(normalise(waveform, "peak"), { format: "flac" }));
  await writeFileAtomically(`${path}.png`, spectrogramPng(waveform.channels));
}
