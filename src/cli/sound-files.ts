/** @file Sound files as the commands take and make them: formats by their endings, loudness, and what made them. */

import { extname } from "node:path";
import { decodeAudio } from "../audio/decode.js";
import { type Encoding, encodeAudio, encodings } from "../audio/encode.js";
import { normalise, type Strategy, strategies } from "../audio/loudness.js";
import type { Provenance } from "../audio/provenance.js";
import type { Waveform } from "../audio/waveform.js";
import { HocketError } from "../errors.js";
import type { Given, Option } from "./command.js";
import { openInput } from "./input.js";

/** How a sound is written; `defaults` are shown in the help. */
export const soundOptions = (defaults: { loudness: Strategy; bits: number }): Record<string, Option> => ({
  format: { kind: "text", choices: encodings, help: "file format; default: by the file's ending, else wav" },
  bits: {
    kind: "text",
    choices: ["16", "24", "32"],
    help: `bits a sample, 32 is float; for wav and flac; default ${defaults.bits}`,
  },
  loudness: {
    kind: "text",
    choices: strategies,
    help: `none, clip at full scale, peak at -1 dB, rms at -18 dB, or loudness -14 LUFS; default ${defaults.loudness}`,
  },
});

export interface SoundFormat {
  readonly format: Encoding;
  readonly bits: 16 | 24 | 32 | undefined;
  readonly loudness: Strategy;
}

/** What `soundOptions` and the output's name say. @throws HocketError "bad-request" where they contradict each other */
export function soundFormat(
  given: Given,
  output: string | undefined,
  defaults: { loudness: Strategy; bits: 16 | 32 },
): SoundFormat {
  const ending = output === undefined ? "" : extname(output).slice(1).toLowerCase();
  const named = encodings.find((each) => each === ending);
  const format = (given.text("format") as Encoding | undefined) ?? named ?? "wav";
  if (named !== undefined && named !== format)
    throw new HocketError(
      "bad-request",
      `${output} ends in .${ending} and --format says ${format}: leave one of them out`,
    );
  if (output !== undefined && named === undefined && given.text("format") === undefined)
    throw new HocketError(
      "bad-request",
      `${output}: no audio format ends in "${ending}": name it ${encodings.map((each) => `.${each}`).join(", ")}, or give --format`,
    );
  const bits = given.text("bits") === undefined ? undefined : (Number(given.text("bits")) as 16 | 24 | 32);
  const depthless = format === "mp3" || format === "ogg";
  if (bits !== undefined && depthless)
    throw new HocketError("bad-request", `--bits: ${format} has no bit depth; leave it out, or write wav or flac`);
  if (bits === 32 && format === "flac")
    throw new HocketError("bad-request", "--bits: flac holds 16 or 24 bits; write wav for 32");
  const usual = format === "flac" && defaults.bits === 32 ? 24 : defaults.bits;
  return {
    format,
    bits: bits ?? (depthless ? undefined : usual),
    loudness: (given.text("loudness") as Strategy | undefined) ?? defaults.loudness,
  };
}

/** The sound in a file of any format that Hocket reads. */
export async function readSound(path: string): Promise<Waveform> {
  const file = await openInput(path);
  try {
    return await decodeAudio(await file.read(0, file.size), path);
  } finally {
    await file.close();
  }
}

/** A sound file's bytes. */
export async function soundBytes(
  waveform: Waveform,
  { format, bits, loudness }: SoundFormat,
  provenance: Provenance,
): Promise<Uint8Array> {
  const options = { format, provenance, ...(bits === undefined ? {} : { bits }) };
  return encodeAudio(normalise(waveform, loudness), options);
}
