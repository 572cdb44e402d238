/** @file `hocket encode`: a sound file becomes a codes file, and a picture of it on request. */

import type { Runtime } from "#platform";
import { frameCount } from "../codes.js";
import { writeCodes } from "../codes-file.js";
import { loadCodec } from "../model.js";
import { encodeWaveform } from "../sound.js";
import type { Command, Given } from "./command.js";
import { deviceFrom, deviceOption, findModel, licenceNotice, modelOption, withModel } from "./models.js";
import { checkOutputs, freeName, outputOption, overwriteOption, save, slug } from "./output.js";
import { say, wrote } from "./report.js";
import { software } from "./software.js";
import { readSound } from "./sound-files.js";

export const encodeCommand: Command = {
  name: "encode",
  summary: "turn sound into codes, as the language model reads them",
  operand: { name: "FILE", help: "a sound file: wav, mp3, flac, ogg or opus" },
  options: {
    output: outputOption("the codes file; default: the sound's name with .codes.safetensors"),
    model: modelOption,
    device: deviceOption,
    bandwidth: { kind: "number", value: "KBPS", help: "kbit/s, for codecs that have several; default: the highest" },
    png: { kind: "text", value: "FILE", help: "also draw the codes: a row a codebook, a column a frame" },
    overwrite: overwriteOption,
    json: { kind: "flag", help: "print one line of JSON with what was made" },
  },
  examples: [
    "hocket encode song.wav -o song.codes.safetensors --png song.png",
    "hocket encode talk.wav --model facebook/encodec_24khz --bandwidth 6",
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const bandwidth = given.number("bandwidth");
  const title = slug(given.operand.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "")) || "sound";
  const output = given.text("output") ?? freeName(title, ".codes.safetensors");
  const png = given.text("png");
  await checkOutputs([output, ...(png === undefined ? [] : [png])], given.flag("overwrite"));
  const sound = await readSound(given.operand);
  const { folder, name } = await findModel(given.text("model"), signal);
  const load = (runtime: Runtime) => loadCodec(folder, name, runtime);
  await withModel(deviceFrom(given), load, async (model) => {
    const chunks = await encodeWaveform(model, sound, { signal, ...(bandwidth === undefined ? {} : { bandwidth }) });
    const { sampleRate, frameRate } = model.codec;
    const metadata = { sample_rate: `${sampleRate}`, frame_rate: `${frameRate}`, model: name, software };
    const files = [{ path: output, bytes: writeCodes(chunks, metadata) }];
    const grids = chunks.map((chunk) => chunk.codes[0]!);
    if (png !== undefined) {
      const { codeGridPng } = await import("./code-grid.js");
      files.push({ path: png, bytes: codeGridPng(grids, model.codec.config.codebook_size) });
    }
    await save(files, signal);
    const made = {
      file: output,
      ...(png === undefined ? {} : { png }),
      codebooks: chunks[0]!.codes[0]!.length,
      frames: chunks.reduce((sum, chunk) => sum + frameCount(chunk.codes[0]!), 0),
      chunks: chunks.length,
      sampleRate,
      frameRate,
    };
    say(licenceNotice(name, model.licence));
    if (given.flag("json")) process.stdout.write(`${JSON.stringify({ model: name, ...made })}\n`);
    else wrote(output, `${made.codebooks} codebooks, ${made.frames} frames, ${frameRate} a second`);
  });
}
