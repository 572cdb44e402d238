/** @file What a thread does for tokenising: a recording is decoded, and its tune heard, while another is encoded. */

import { monoMix } from "../audio/waveform.js";
import { type ChromaConfig, chroma } from "../melody/chroma.js";
import { decoded, fingerprint, type SoundFormat } from "./recordings.js";
import { orReason, type Refused } from "./refused.js";

export interface TaskSetup {
  readonly format: SoundFormat;
  readonly chroma: ChromaConfig;
}

export interface Task {
  readonly path: string;
  /** Of the recording that there are tokens for. */
  readonly known: string | undefined;
}

/** `sound` is left out where the recording has not changed. */
export interface Heard {
  readonly fingerprint: string;
  readonly sound?: { readonly channels: readonly Float32Array[]; readonly chroma: Uint8Array };
}

/** The function that a thread calls for each task. */
export const open = async (setup: TaskSetup) => (task: Task) => hear(setup, task);

async function hear(setup: TaskSetup, { path, known }: Task): Promise<Heard | (Refused & { fingerprint: string })> {
  const print = await orReason(() => fingerprint(path));
  if (typeof print !== "string") return { ...print, fingerprint: "" };
  if (print === known) return { fingerprint: print };
  const heard = await orReason(async () => {
    const { channels } = await decoded(path, setup.format);
    return { channels, chroma: Uint8Array.from(chroma(monoMix(channels), setup.chroma)) };
  });
  return "reason" in heard ? { ...heard, fingerprint: print } : { fingerprint: print, sound: heard };
}
