/** @file Models of a Hugging Face hub: those already in the cache that Python shares, and how to get the others. */

import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { HocketError } from "../../errors.js";
import type { Folder } from "../platform.js";
import { isFolder, openFolder } from "./files.js";
import {
  cachedCommit,
  type Environment,
  exists,
  type HubId,
  hubSettings,
  isCommit,
  linkBlob,
  makeFolder,
  modelCache,
  parseHubId,
  tryLock,
  writeRef,
} from "./hub-cache.js";
import { ask, type Connection, download, type RemoteFile, refusal } from "./hub-http.js";

export interface HubOptions {
  /** Where HF_HOME, HF_TOKEN and the like are looked up; the process's environment by default. */
  readonly environment?: Environment;
}

export interface PullOptions extends HubOptions {
  readonly signal?: AbortSignal;
  /** Names of the files to get, instead of all that Hocket can use. */
  readonly files?: readonly string[];
  /** Sleeps between attempts. */
  readonly wait?: Connection["wait"];
}

export type PullEvent =
  /** The next file; `size` in bytes, if it is known. A `cached` one is not downloaded. */
  | { readonly type: "file"; readonly name: string; readonly size: number | undefined; readonly cached: boolean }
  /** Another process is downloading this file. */
  | { readonly type: "waiting"; readonly name: string }
  /** Bytes of it that are on the disk. */
  | { readonly type: "progress"; readonly name: string; readonly received: number; readonly size: number | undefined }
  | { readonly type: "done"; readonly folder: Folder };

/** Whether `name` has the form of a hub id: "owner/name" or "owner/name@revision". */
export const isHubId = (name: string): boolean => parseHubId(name) !== undefined;

/** The folder for what Hocket makes of models and can make again: beside the hub's cache. */
export const cacheFolder = async ({ environment = process.env }: HubOptions = {}): Promise<string> =>
  join(dirname((await hubSettings(environment)).cache), "hocket");

/** The model if its configuration and all its weights are in the cache. Asks nothing of the network. */
export async function cachedModel(
  name: string,
  { environment = process.env }: HubOptions = {},
): Promise<Folder | undefined> {
  const hub = hubId(name);
  const cache = modelCache(await hubSettings(environment), hub);
  const commit = await cachedCommit(cache, hub);
  if (commit === undefined || !(await isFolder(cache.snapshot(commit)))) return undefined;
  const folder = await openFolder(cache.snapshot(commit));
  return (await isComplete(folder)) ? folder : undefined;
}

/** Ids of the models in the cache, whole or not. Asks nothing of the network. */
export async function cachedIds({ environment = process.env }: HubOptions = {}): Promise<string[]> {
  const names = await readdir((await hubSettings(environment)).cache).catch(() => []);
  const ids = names.flatMap((name) => /^models--(.+)--(.+)$/.exec(name)?.slice(1).join("/") ?? []);
  return ids.filter(isHubId).sort();
}

/** Takes every revision of the model out of the cache, for Python too. */
export async function removeModel(name: string, { environment = process.env }: HubOptions = {}): Promise<void> {
  const cache = modelCache(await hubSettings(environment), hubId(name));
  await rm(dirname(dirname(cache.snapshot("-"))), { recursive: true, force: true });
}

/**
 * Brings the model's files into the cache. What is there is not fetched again; what was interrupted goes on. A branch
 * points to the new commit only when all of its files are there.
 * @throws HocketError: bad-request (no such model), network, disk, unsupported (no safetensors); the signal's reason.
 */
export async function* pull(name: string, options: PullOptions = {}): AsyncGenerator<PullEvent> {
  const { environment = process.env, signal, wait = sleep } = options;
  const hub = hubId(name);
  const settings = await hubSettings(environment);
  if (settings.offline) {
    const folder = await cachedModel(name, { environment });
    if (folder === undefined)
      throw new HocketError(
        "network",
        `${name} is not in ${settings.cache}, and HF_HUB_OFFLINE forbids to fetch it: unset it`,
      );
    return yield { type: "done", folder };
  }
  const connection: Connection = { settings, signal, wait };
  const { commit, names } = await describe(connection, hub);
  const cache = modelCache(settings, hub);
  const snapshot = cache.snapshot(commit);
  const wanted = options.files ?? usefulFiles(names, hub);
  const queue = [...wanted];
  for (const file of queue) {
    if (!names.includes(file) || basename(file) !== file)
      throw new HocketError("bad-request", `${hub.id} has no file ${file} at revision ${hub.revision}`);
    if (await exists(join(snapshot, file))) yield { type: "file", name: file, size: undefined, cached: true };
    else yield* pullFile(connection, hub, commit, file);
    if (file === INDEX && options.files === undefined) queue.push(...(await shardsOf(await openFolder(snapshot))));
  }
  await writeRef(cache, hub, commit);
  yield { type: "done", folder: await openFolder(snapshot) };
}

// --- internal ---

const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** What Hocket reads of a model besides its weights, if the model has it. */
const companions = [
  "README.md",
  "LICENSE",
  "config.json",
  "generation_config.json",
  "preprocessor_config.json",
  "tokenizer.json",
  "spiece.model",
  "tokenizer_config.json",
  "special_tokens_map.json",
];

const sleep: Connection["wait"] = (milliseconds, signal) =>
  setTimeout(milliseconds, undefined, signal && { signal }).catch((error) => {
    signal?.throwIfAborted();
    throw error;
  });

function hubId(name: string): HubId {
  const hub = parseHubId(name);
  if (hub === undefined)
    throw new HocketError("bad-request", `"${name}" is not the name of a model, as owner/name or owner/name@revision`);
  return hub;
}

async function describe(connection: Connection, { id, revision }: HubId): Promise<{ commit: string; names: string[] }> {
  const { settings } = connection;
  const response = await ask(
    connection,
    "GET",
    `${settings.endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}`,
  );
  if (!response.ok) throw refusal(response, settings, id, `revision ${revision}`);
  const answer = (await response.json().catch(() => undefined)) as
    | { sha?: string; siblings?: { rfilename: string }[] }
    | undefined;
  if (typeof answer?.sha !== "string" || !isCommit(answer.sha) || !Array.isArray(answer.siblings))
    throw new HocketError("network", `${settings.endpoint} does not answer as a model hub does: check HF_ENDPOINT`);
  return { commit: answer.sha, names: answer.siblings.map(({ rfilename }) => rfilename) };
}

/** The weights last: when they are there, everything is. */
function usefulFiles(names: readonly string[], { id, revision }: HubId): string[] {
  const weights = [WEIGHTS, INDEX].find((file) => names.includes(file));
  if (weights !== undefined) return [...companions.filter((file) => names.includes(file)), weights];
  const pickle = names.find((file) => /\.(bin|pt|th|ckpt)$/.test(file));
  throw new HocketError(
    "unsupported",
    `${id} has no ${WEIGHTS} at revision ${revision}${pickle ? ` (only ${pickle})` : ""}: ` +
      "Hocket reads safetensors; look for a revision or a copy of the model that has it",
  );
}

async function* pullFile(connection: Connection, hub: HubId, commit: string, name: string): AsyncGenerator<PullEvent> {
  const cache = modelCache(connection.settings, hub);
  const remote = await describeFile(connection, hub, commit, name);
  const { etag, size } = remote;
  const blob = cache.blob(etag);
  const pointer = join(cache.snapshot(commit), name);
  await makeFolder(dirname(blob));

  let release = await tryLock(cache.lock(etag));
  if (release === undefined) yield { type: "waiting", name };
  while (release === undefined) {
    await connection.wait(500, connection.signal);
    release = await tryLock(cache.lock(etag));
  }
  try {
    const cached = await exists(blob);
    yield { type: "file", name, size, cached };
    if (!cached)
      for await (const received of download(connection, remote, blob)) yield { type: "progress", name, received, size };
    await linkBlob(blob, pointer);
  } finally {
    await release();
  }
}

async function describeFile(connection: Connection, { id }: HubId, commit: string, name: string): Promise<RemoteFile> {
  const { settings } = connection;
  const url = `${settings.endpoint}/${id}/resolve/${commit}/${encodeURIComponent(name)}`;
  const response = await ask(connection, "HEAD", url);
  if (response.status >= 400) throw refusal(response, settings, id, name);
  const linked = response.headers.has("x-linked-etag"); // else the headers are those of the file itself
  const etag = response.headers.get(linked ? "x-linked-etag" : "etag")?.replace(/^W\/|"/g, "");
  const size = response.headers.get(linked ? "x-linked-size" : "content-length");
  if (etag === undefined || !/^[\w.-]*\w[\w.-]*$/.test(etag))
    throw new HocketError(
      "network",
      `${settings.endpoint} gives no usable etag for ${name} of ${id}: check HF_ENDPOINT`,
    );
  return { url, name: `${name} of ${id}`, etag, size: size === null ? undefined : Number(size) };
}

async function isComplete(folder: Folder): Promise<boolean> {
  const names = await folder.list();
  if (!names.includes("config.json")) return false;
  if (names.includes(WEIGHTS)) return true;
  return names.includes(INDEX) && (await shardsOf(folder)).every((shard) => names.includes(shard));
}

async function shardsOf(folder: Folder): Promise<string[]> {
  const index = (await folder.open(INDEX))!;
  try {
    const text = new TextDecoder().decode(await index.read(0, index.size));
    return [...new Set(Object.values((JSON.parse(text) as { weight_map: Record<string, string> }).weight_map))];
  } catch (cause) {
    throw new HocketError("bad-checkpoint", `${folder.location}/${INDEX} has no weight_map of tensors to files`, {
      cause,
    });
  } finally {
    await index.close();
  }
}
