/** @file What a thread does for tokenising: a recording is decoded, and its tune heard, while another is encoded. */

import { monoMix } from "../audio/waveform.js";
import { type ChromaConfig, chroma } from "../melody/chroma.js";
import { decoded, fingerprint, type SoundFormat } from "./recordings.js";
import { orReason } from "./refused.js";

export interface Task {
  readonly path: string;
  /** Of the recording that there are tokens for. */
  readonly known: string | undefined;
  readonly format: SoundFormat;
  readonly chroma: ChromaConfig;
}

/** `sound` is left out where the recording has not changed. */
export interface Heard {
  readonly fingerprint: string;
  readonly sound?: { readonly channels: readonly Float32Array[]; readonly chroma: Uint8Array };
  readonly reason?: string;
}

/** A recording that cannot be used has a reason instead of sound. */
export async function hear({ path, known, format, chroma: config }: Task): Promise<Heard> {
  const print = await orReason(() => fingerprint(path));
  if (typeof print !== "string") return { ...print, fingerprint: "" };
  if (print === known) return { fingerprint: print };
  const heard = await orReason(async () => {
    const { channels } = await decoded(path, format);
    return { channels, chroma: Uint8Array.from(chroma(monoMix(channels), config)) };
  });
  return "reason" in heard ? { ...heard, fingerprint: print } : { fingerprint: print, sound: heard };
}
