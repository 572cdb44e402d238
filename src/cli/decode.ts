/** @file `hocket decode`: a codes file becomes sound. */

import type { Runtime } from "#platform";
import { duration } from "../audio/waveform.js";
import { readCodes } from "../codes-file.js";
import { loadCodec } from "../model.js";
import { decodeCodes } from "../sound.js";
import type { Command, Given } from "./command.js";
import { openInput } from "./input.js";
import { deviceFrom, deviceOption, findModel, licenceNotice, modelOption, withModel } from "./models.js";
import { checkOutputs, freeName, numbered, outputOption, overwriteOption, save, slug } from "./output.js";
import { say, wrote } from "./report.js";
import { software } from "./software.js";
import { soundBytes, soundFormat, soundOptions } from "./sound-files.js";

// The codec's own samples, unless asked otherwise.
const usual = { loudness: "none", bits: 32 } as const;

export const decodeCommand: Command = {
  name: "decode",
  summary: "turn codes into sound",
  operand: { name: "FILE", help: "a codes file, as `hocket encode` and `hocket generate --codes` write it" },
  options: {
    output: outputOption("the sound file; default: the codes' name with .wav; several items are numbered"),
    model: modelOption,
    device: deviceOption,
    ...soundOptions(usual),
    overwrite: overwriteOption,
    json: { kind: "flag", help: "print one line of JSON with what was made" },
  },
  examples: ["hocket decode song.codes.safetensors -o back.wav"],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const format = soundFormat(given, given.text("output"), usual);
  const file = await openInput(given.operand);
  const { chunks, metadata } = await readCodes(file, given.operand).finally(() => file.close());
  const count = chunks[0]!.codes.length;
  const title = slug(given.operand.replace(/^.*[\\/]/, "").replace(/(\.codes)?\.[^.]*$/, "")) || "sound";
  const paths = numbered(given.text("output") ?? freeName(title, `.${format.format}`, count), count);
  await checkOutputs(paths, given.flag("overwrite"));
  const { folder, name } = await findModel(given.text("model"), signal);
  const load = (runtime: Runtime) => loadCodec(folder, name, runtime);
  await withModel(deviceFrom(given), load, async (model) => {
    const sounds = await decodeCodes(model, chunks, signal);
    const { prompt = "", seed = "0" } = metadata;
    const made = {
      software,
      model: name,
      licence: model.licence ?? "not stated",
      prompt,
      seed: Number(seed) || 0,
      settings: { decoded: true },
    };
    const files = [];
    for (const [i, sound] of sounds.entries())
      files.push({ path: paths[i]!, bytes: await soundBytes(sound, format, made) });
    await save(files, signal);
    say(licenceNotice(name, model.licence));
    const list = paths.map((path, i) => ({
      file: path,
      duration: duration(sounds[i]!),
      sampleRate: sounds[i]!.sampleRate,
      channels: sounds[i]!.channels.length,
    }));
    if (given.flag("json")) process.stdout.write(`${JSON.stringify({ model: name, ...format, sounds: list })}\n`);
    else for (const { file, duration } of list) wrote(file, `${duration} s`);
  });
}
