/** @file From a `--model` to a loaded model: the one in the package, a folder, or one of the hub, fetched if need be. */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Device, type Folder, isFolder, openFolder, type PullEvent, type Runtime } from "#platform";
import { type AdapterUse, withoutAdapters } from "../adapters.js";
import { type DeviceChoice, devices, loadOn } from "../devices.js";
import { HocketError } from "../errors.js";
import type { CodecModel } from "../model.js";
import { fetchModel } from "../weights/source.js";
import type { Given, Option } from "./command.js";
import { clear, megabytes, progress, say } from "./report.js";

/** What needs no download, by name: a model, and a codec to train others with. */
const inPackage = (name: "mini-reference" | "hocket-codec") =>
  fileURLToPath(new URL(`../../../models/${name}`, import.meta.url));
const bundled = inPackage("mini-reference");

/** What a server calls it, and where it is. */
export const bundledModel = { name: basename(bundled), path: bundled };

export const modelOption: Option = {
  kind: "text",
  value: "MODEL",
  help: "a folder in Hugging Face layout or a hub id such as facebook/musicgen-small; default: the small model in this package",
};

export const loraOption: Option = {
  kind: "text",
  many: true,
  value: "DIR[:X]",
  help: "an adapter to put on the model, at strength X (default 1); may be given several times",
};

export const deviceOption: Option = {
  kind: "text",
  choices: devices,
  help: "where to compute (docs/devices.md); default: cpu; auto: a GPU where there is one that computes the same numbers",
};

export const deviceFrom = (given: Given): DeviceChoice => (given.text("device") ?? "cpu") as DeviceChoice;

/** In bytes: smaller files are there before one has read that they are fetched. */
const worthSaying = 1e6;

/**
 * The model's files, and what to call it. Fetches a model that is not on this machine, with progress; of an adapter, the
 * model that it is for.
 */
export async function findModel(
  name: string | undefined,
  signal: AbortSignal,
): Promise<{ folder: Folder; name: string; adapters: readonly AdapterUse[] }> {
  const find = async (name: string) =>
    (name === "mini-reference" || name === "hocket-codec") && !(await isFolder(name))
      ? openFolder(inPackage(name))
      : showFetching(fetchModel(name, { signal }));
  if (name === undefined) return { folder: await openFolder(bundled), name: basename(bundled), adapters: [] };
  return { ...(await withoutAdapters(await find(name), find)), name };
}

/** What `--lora` names: a folder, and after a colon how strongly it is used. */
export async function adaptersFrom(given: readonly string[]): Promise<AdapterUse[]> {
  return Promise.all(
    given.map(async (spelled) => {
      const [, path = spelled, number] = /^(.+):([^:/\\]*)$/.exec(spelled) ?? [];
      const strength = number === undefined ? 1 : Number(number);
      if (number?.trim() === "" || !Number.isFinite(strength))
        throw new HocketError(
          "bad-request",
          `--lora: "${number}" is not a strength; 1 is as it was trained, 0 not at all`,
        );
      return { folder: await openFolder(path), strength };
    }),
  );
}

/**
 * Loads a model, lets `use` work with it, and lets go of its thread and files however that ends.
 * @param asked where it is computed
 */
export async function withModel<M extends CodecModel, T>(
  asked: DeviceChoice,
  load: (runtime: Runtime) => Promise<M>,
  use: (model: M, on: { device: Device; whyNot?: string }) => Promise<T>,
): Promise<T> {
  try {
    const { runtime, loaded, ...on } = await loadOn(asked, load);
    try {
      return await use(loaded, { device: runtime.device, ...on });
    } finally {
      clear();
      await runtime.dispose();
      await loaded.dispose();
    }
  } finally {
    clear();
  }
}

/** Draws a download, and returns the folder that it ends in. */
export async function showFetching(events: AsyncIterable<PullEvent>): Promise<Folder> {
  let folder: Folder | undefined;
  for await (const event of events) {
    const size = "size" in event && event.size !== undefined ? event.size : 0;
    const whole = size > 0 ? ` of ${megabytes(size)}` : "";
    if (event.type === "file" && !event.cached && size >= worthSaying)
      say(`fetching ${event.name} (${megabytes(size)})`);
    else if (event.type === "waiting") progress(`another process is fetching ${event.name}: waiting`);
    else if (event.type === "progress") progress(`${event.name}: ${megabytes(event.received)}${whole}`);
    else if (event.type === "done") folder = event.folder;
  }
  clear();
  if (folder === undefined) throw new HocketError("internal", "the model was fetched to nowhere");
  return folder;
}

/** What one should know about a model before using what it makes. */
export function licenceNotice(name: string, licence: string | undefined): string {
  if (licence === undefined) return `model ${name}: its licence is not stated`;
  const limits = /-nc(-|$)/.test(licence) ? " (not for commercial use)" : "";
  return `model ${name}: licence ${licence}${limits}`;
}
