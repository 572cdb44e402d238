// Cuts a piece out of a recording, mono at 32 kHz. Usage: node recipes/cut.mjs FILE START SECONDS OUT.flac
import { readFileSync, writeFileSync } from "node:fs";
import { decodeAudio } from "../dist/src/audio/decode.js";
import { resample } from "../dist/src/audio/resample.js";
import { sliceSamples, withChannels } from "../dist/src/audio/waveform.js";
import { writeFlac } from "../dist/src/audio/write-flac.js";

const [file, start, seconds, out] = process.argv.slice(2);
const mono = resample(withChannels(await decodeAudio(readFileSync(file), file), 1), 32_000);
const clip = sliceSamples(mono, 32_000 * Number(start), 32_000 * (Number(start) + Number(seconds)));
if (clip.channels[0].length !== 32_000 * Number(seconds))
  throw new Error(`${file} ends before second ${start} + ${seconds}`);
writeFileSync(out, writeFlac(clip, 16));
