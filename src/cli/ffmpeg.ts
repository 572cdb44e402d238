/** @file Opus and MP3 by ffmpeg, where it is installed: rulers for codecs (src/eval/anchors.ts), nothing else. */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeAudio } from "../audio/decode.js";
import { encodeAudio } from "../audio/encode.js";
import { resample } from "../audio/resample.js";
import type { Waveform } from "../audio/waveform.js";
import type { AnchorCodec, AnchorEncoder } from "../eval/anchors.js";

/** What encodes anchors, or undefined where there is no ffmpeg with both encoders. */
export async function findFfmpeg(): Promise<AnchorEncoder | undefined> {
  const encoders = await run("ffmpeg", ["-hide_banner", "-encoders"]).catch(() => undefined);
  return encoders?.stdout.includes("libopus") && encoders.stdout.includes("libmp3lame") ? throughFfmpeg : undefined;
}

// --- internal ---

const run = promisify(execFile);

async function throughFfmpeg(sound: Waveform, { format, rate }: AnchorCodec): Promise<Waveform> {
  const folder = await mkdtemp(join(tmpdir(), "hocket-anchor-"));
  try {
    const [given, coded] = [join(folder, "given.wav"), join(folder, `coded.${format}`)];
    await writeFile(given, await encodeAudio(sound, { format: "wav", bits: 32 }));
    const codec = format === "opus" ? "libopus" : "libmp3lame";
    // MP3 at 32 kHz has no rate below 32 kbit/s.
    const lower = format === "mp3" && rate < 32 ? ["-ar", "16000"] : [];
    const bits = ["-c:a", codec, "-b:a", `${rate}k`, ...lower];
    await run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-i", given, "-ac", "1", ...bits, coded]);
    return resample(await decodeAudio(await readFile(coded), coded), sound.sampleRate);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
