/** @file `hocket merge`: a model, adapters and a better codec become the folder of one model, which needs none of them. */

import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Folder, type Runtime, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";
import { checkSameCodes, mergedWeights } from "../merge.js";
import { loadModel, type MusicModel } from "../model.js";
import { readConfig, section } from "../model-files.js";
import type { Tensor } from "../tensor.js";
import { codecPart } from "../train/lm-base.js";
import type { Command, Given } from "./command.js";
import { adaptersFrom, findModel, licenceNotice, loraOption, modelOption, withModel } from "./models.js";
import { say } from "./report.js";

export const mergeCommand: Command = {
  name: "merge",
  summary: "make one model of a model and its adapters, or with another codec, or of half the size",
  operand: { name: "MODEL", help: modelOption.help.replace(/;.*/, ", or that of an adapter that says its base") },
  options: {
    lora: loraOption,
    codec: {
      kind: "text",
      value: "RUN",
      help: "a codec to take the place of the model's, trained from it with --only-decoder",
    },
    half: { kind: "flag", help: "keep all weights in half precision: half the size, three digits" },
    out: { kind: "text", value: "DIR", help: "the folder to make, in Hugging Face layout" },
    json: { kind: "flag", help: "print one line of JSON with what was made" },
  },
  examples: [
    "hocket merge facebook/musicgen-small --lora runs/mine --out models/mine",
    "hocket merge runs/mine --out models/mine",
    "hocket merge runs/lm --codec runs/better-codec --half --out models/mine",
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const out = given.text("out");
  if (out === undefined) throw new HocketError("bad-request", "merge needs --out, the folder to make");
  await checkFree(out);
  const added = await adaptersFrom(given.texts("lora"));
  const { folder, name, adapters } = await findModel(given.operand, signal);
  const all = [...adapters, ...added];
  const half = given.flag("half");
  const codecName = given.text("codec");
  if (all.length === 0 && codecName === undefined && !half)
    throw new HocketError(
      "bad-request",
      `there is nothing to merge with ${name}: name an adapter with --lora or a codec with --codec, or say --half`,
    );
  const other = codecName === undefined ? undefined : await findModel(codecName, signal);
  let working: Runtime | undefined;
  const load = (runtime: Runtime) => {
    working = runtime;
    return loadModel(folder, name, runtime, {}, all);
  };
  await withModel("cpu", load, async (model) => {
    const codec = other && (await codecFor(model, folder, other));
    await whole(out, async (path) => {
      for (const [file, bytes] of await others(folder))
        await writeFileAtomically(join(path, file), half && file === "config.json" ? saysHalf(bytes) : bytes);
      const weights = mergedWeights(model, working!, { codec, half });
      await writeFileAtomically(join(path, "model.safetensors"), untilStopped(weights, signal));
    });
    say(licenceNotice(name, model.licence));
    const made = { model: name, changed: model.changes.size, folder: out };
    process.stdout.write(given.flag("json") ? `${JSON.stringify(made)}\n` : `${out}\n`);
  });
}

// --- internal ---

/** The tensors of another codec, if it means the same by its codes. */
async function codecFor(
  model: MusicModel,
  folder: Folder,
  other: { folder: Folder; name: string },
): Promise<ReadonlyMap<string, Tensor>> {
  const { json, tensors } = await codecPart(other.folder);
  const given = new Map(Object.entries(tensors));
  const own = section(await readConfig(folder), "audio_encoder", `${folder.location}/config.json`);
  await checkSameCodes(model.checkpoint, own, { config: json, tensors: given, name: other.name });
  return given;
}

/** The config.json of a model whose weights became halves. */
function saysHalf(bytes: Uint8Array): Uint8Array {
  const config = JSON.parse(new TextDecoder().decode(bytes)) as object;
  return new TextEncoder().encode(`${JSON.stringify({ ...config, torch_dtype: "float16" }, null, 1)}\n`);
}

/** What makes a model besides its weights: configurations, tokenizers, its card and licence. */
const isKept = (name: string): boolean =>
  /^(config|generation_config|preprocessor_config|tokenizer|tokenizer_config|special_tokens_map)\.json$|^spiece\.model$|^README\.md$|^licen[cs]e(\.\w+)?$/i.test(
    name,
  );

async function others(folder: Folder): Promise<[string, Uint8Array][]> {
  const names = (await folder.list()).filter(isKept);
  return Promise.all(
    names.map(async (name): Promise<[string, Uint8Array]> => {
      const file = (await folder.open(name))!;
      try {
        return [name, await file.read(0, file.size)];
      } finally {
        await file.close();
      }
    }),
  );
}

async function checkFree(path: string): Promise<void> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new HocketError("bad-request", `${path} cannot be the folder to make (${error.code}): name another`);
  });
  if (names.length > 0)
    throw new HocketError("bad-request", `${path} exists and is not empty: name another folder, or remove it first`);
}

/** Makes the folder `path` of what `write` puts into another, once all of it is there. */
async function whole(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    await mkdir(temporary);
    await write(temporary);
    await rmdir(path).catch(() => {}); // empty, if it is there
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof HocketError || code === undefined || code === "ABORT_ERR") throw error;
    throw new HocketError("disk", `${path} could not be made (${code}): write elsewhere`, { cause: error });
  }
}

async function* untilStopped<T>(pieces: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
  }
}
