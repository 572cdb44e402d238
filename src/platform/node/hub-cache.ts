/**
 * @file The folder in which Python's huggingface_hub keeps downloaded models, byte for byte in its layout
 * (huggingface.co/docs/huggingface_hub/guides/manage-cache), so that each finds what the other fetched:
 *
 *     models--OWNER--NAME/refs/REVISION             the commit that a branch pointed at
 *     models--OWNER--NAME/blobs/ETAG                the bytes; ETAG.incomplete while they arrive
 *     models--OWNER--NAME/snapshots/COMMIT/FILE  -> ../../blobs/ETAG
 */

import { copyFile, lstat, mkdir, open, readFile, rename, rm, stat, symlink, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { HocketError } from "../../errors.js";
import { fileError, isFileError } from "./file-error.js";
import { writeFileAtomically } from "./files.js";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HubSettings {
  readonly endpoint: string;
  readonly cache: string;
  readonly token: string | undefined;
  readonly offline: boolean;
}

/** HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE and the file HF_HOME/token, read as Python reads them. */
export async function hubSettings(environment: Environment): Promise<HubSettings> {
  const path = (text: string) => text.replace(/^~(?=$|[\\/])/, homedir());
  const home = path(environment.HF_HOME || join(environment.XDG_CACHE_HOME || "~/.cache", "huggingface"));
  const saved = environment.HF_TOKEN ? undefined : await readFile(join(home, "token"), "utf8").catch(() => undefined);
  const endpoint = (environment.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  if (!URL.canParse(endpoint))
    throw new HocketError("bad-request", `HF_ENDPOINT is "${endpoint}", which is no address: give one, or unset it`);
  return {
    endpoint,
    cache: path(environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    token: (environment.HF_TOKEN || saved)?.trim() || undefined,
    offline: /^(1|on|yes|true)$/i.test(environment.HF_HUB_OFFLINE ?? ""),
  };
}

/** A model on the hub, at a branch, tag or commit. */
export interface HubId {
  readonly id: string;
  readonly revision: string;
}

/** Reads "owner/name" or "owner/name@revision"; undefined if it is neither. */
export function parseHubId(text: string): HubId | undefined {
  const [, id, revision = "main"] = /^([\w.-]+\/[\w.-]+)(?:@([\w.-]+(?:\/[\w.-]+)*))?$/.exec(text) ?? [];
  if (id === undefined || /(^|\/)\.+($|\/)|--/.test(id) || /(^|\/)\.+($|\/)/.test(revision)) return undefined;
  return { id, revision };
}

/** The places of one model in the cache. */
export interface ModelCache {
  readonly snapshot: (commit: string) => string;
  readonly blob: (etag: string) => string;
  readonly ref: string;
  readonly lock: (etag: string) => string;
}

export function modelCache({ cache }: HubSettings, { id, revision }: HubId): ModelCache {
  const name = `models--${id.replace("/", "--")}`;
  return {
    snapshot: (commit) => join(cache, name, "snapshots", commit),
    blob: (etag) => join(cache, name, "blobs", etag),
    ref: join(cache, name, "refs", revision),
    // Not Python's name: its locks are flocks, which Node cannot take, on files that stay behind.
    lock: (etag) => join(cache, ".locks", name, `${etag}.hocket`),
  };
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** The commit that `revision` pointed at when it was last fetched, by us or by Python. */
export async function cachedCommit(cache: ModelCache, { revision }: HubId): Promise<string | undefined> {
  const commit = isCommit(revision) ? revision : await readFile(cache.ref, "utf8").catch(() => "");
  return isCommit(commit.trim()) ? commit.trim() : undefined;
}

export async function writeRef(cache: ModelCache, hub: HubId, commit: string): Promise<void> {
  if (hub.revision === commit || (await cachedCommit(cache, hub)) === commit) return;
  await makeFolder(dirname(cache.ref));
  await writeFileAtomically(cache.ref, new TextEncoder().encode(commit));
}

/** Whether `path` leads to something. */
export const exists = async (path: string): Promise<boolean> => (await sizeOf(path)) !== undefined;

/** In bytes; undefined if `path` leads to nothing. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** Lets `pointer` be `blob`: by a relative link, or by a copy where links are not allowed (Windows). */
export async function linkBlob(blob: string, pointer: string, link: typeof symlink = symlink): Promise<void> {
  await makeFolder(dirname(pointer));
  if ((await lstat(pointer).catch(() => undefined)) !== undefined) await rm(pointer);
  try {
    await link(relative(dirname(pointer), blob), pointer);
  } catch (error) {
    if (isFileError(error) && error.code === "EEXIST") return; // another process was faster
    const temporary = `${pointer}.${process.pid}.partial`;
    try {
      await copyFile(blob, temporary);
      await rename(temporary, pointer);
    } catch (failure) {
      await rm(temporary, { force: true });
      throw fileError(failure, "writing", pointer);
    }
  }
}

/**
 * Takes the lock at `path`, or returns undefined if another process holds it. A holder says once in ten seconds that it
 * is alive; a lock that has been silent for a minute belongs to a process that died.
 * @returns what releases it.
 */
export async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  await makeFolder(dirname(path));
  const touched = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
  if (Date.now() - touched > 60_000) await rm(path, { force: true });
  try {
    await (await open(path, "wx")).close();
  } catch (error) {
    if (isFileError(error) && error.code === "EEXIST") return undefined;
    throw fileError(error, "writing", path);
  }
  const alive = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), 10_000);
  alive.unref();
  return async () => {
    clearInterval(alive);
    await rm(path, { force: true });
  };
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const known = fileError(error, "writing", path);
    throw known instanceof HocketError
      ? new HocketError("disk", `${known.message} (HF_HOME moves the cache)`, { cause: error })
      : known;
  }
}
