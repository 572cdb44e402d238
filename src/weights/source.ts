/** @file Where a model comes from: a folder, or a model hub by way of the cache that Python shares. */

import {
  cachedModel,
  type HubOptions,
  isFolder,
  isHubId,
  openFolder,
  type PullEvent,
  type PullOptions,
  pull,
} from "#platform";
import { HocketError } from "../errors.js";
import type { Folder } from "../platform/platform.js";

/**
 * The model's folder, if it is on this machine.
 * @param name a folder, or a hub id ("owner/name", "owner/name@revision"). A folder of that name comes first.
 * @throws HocketError bad-request if it has yet to be fetched, or cannot be a model's name; bad-file.
 */
export async function resolveModel(name: string, options?: HubOptions): Promise<Folder> {
  const folder = await localModel(name, options);
  if (folder === undefined)
    throw new HocketError("bad-request", `${name} is not on this machine: fetch it with 'hocket pull ${name}'`);
  return folder;
}

/** The same, fetching the model if need be. The last event, "done", has the folder. */
export async function* fetchModel(name: string, options?: PullOptions): AsyncGenerator<PullEvent> {
  const folder = await localModel(name, options);
  if (folder === undefined) yield* pull(name, options);
  else yield { type: "done", folder };
}

/**
 * The licence that the model's card (README.md) states, as the hub's identifier such as "cc-by-nc-4.0"; else where to
 * find its text; undefined if the model says nothing.
 */
export async function licenceOf(folder: Folder): Promise<string | undefined> {
  const card = await folder.open("README.md");
  if (card !== undefined) {
    const text = new TextDecoder().decode(await card.read(0, Math.min(card.size, CARD_HEAD)));
    await card.close();
    const [, matter = ""] = /^---\r?\n([\s\S]*?\n)---/.exec(text) ?? [];
    // One licence, or a list of them; "other" says its name on a line of its own.
    const [, one, list = ""] = /^license:[ \t]*(\S.*)?\n((?:[ \t]*- .*\n)*)/m.exec(matter.replaceAll("\r", "")) ?? [];
    const [, own] = /^license_name:[ \t]*(\S.*)$/m.exec(matter) ?? [];
    const stated =
      one?.trim() === "other" && own
        ? own
        : (one ??
          list
            .replace(/^[ \t]*- /gm, "")
            .trim()
            .replaceAll("\n", ", "));
    if (stated !== "") return stated.trim().replace(/^(["'])(.*)\1$/, "$2");
  }
  const file = (await folder.list()).find((name) => /^licen[cs]e(\.\w+)?$/i.test(name));
  return file && `see ${file}`;
}

// --- internal ---

/** In bytes. The front matter stands at the top. */
const CARD_HEAD = 64 * 1024;

async function localModel(name: string, options?: HubOptions): Promise<Folder | undefined> {
  if (/^(\.{0,2}[\\/]|~|\.{1,2}$)/.test(name) || (await isFolder(name))) return openFolder(name);
  if (isHubId(name)) return cachedModel(name, options);
  throw new HocketError(
    "bad-request",
    `"${name}" is neither a folder nor the name of a model such as facebook/musicgen-small`,
  );
}
