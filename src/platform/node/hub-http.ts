/**
 * @file Requests to a model hub and downloads that survive a broken connection. Written on `fetch` because
 * `@huggingface/hub` 2.17 neither resumes nor checks what it downloads, nor follows Python in naming snapshots.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { HocketError } from "../../errors.js";
import { fileError } from "./file-error.js";
import { type HubSettings, sizeOf } from "./hub-cache.js";

export interface Connection {
  readonly settings: HubSettings;
  readonly signal: AbortSignal | undefined;
  /** Sleeps between attempts. */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<unknown>;
}

/**
 * One request. Redirects are followed by hand, for two reasons: the token must not reach another host, and the answer to
 * a HEAD that describes a file (X-Linked-Etag) is itself a redirect to where its bytes are.
 * @returns any answer but the server's temporary failures, which are tried again.
 * @throws HocketError network if the server cannot be reached.
 */
export function ask(connection: Connection, method: "GET" | "HEAD", url: string): Promise<Response> {
  return persist(connection, () => askOnce(connection, method, url, {}));
}

export interface RemoteFile {
  readonly url: string;
  /** For messages. */
  readonly name: string;
  readonly etag: string;
  readonly size: number | undefined;
}

/**
 * Downloads `file` to `path`, going on where `path`.incomplete ends. Yields the bytes received so far.
 * `path` appears only when its checksum is right; when it is wrong, the partial file is removed.
 * @throws HocketError network, disk; the signal's reason.
 */
export async function* download(connection: Connection, file: RemoteFile, path: string): AsyncGenerator<number> {
  const partial = `${path}.incomplete`;
  for (let failures = 0; ; ) {
    const before = (await sizeOf(partial)) ?? 0;
    if (before > 0 && before === file.size) break;
    let received = before;
    try {
      for await (received of receive(connection, file, partial, before)) yield received;
      if (file.size === undefined || received >= file.size) break;
      throw new Broken("the connection closed too early");
    } catch (error) {
      failures = received > before ? 1 : failures + 1; // patience lasts as long as there is progress
      await pause(connection, error, failures);
    }
  }
  await verify(connection, file, partial);
  try {
    await rename(partial, path);
  } catch (error) {
    throw fileError(error, "writing", path);
  }
}

/** What an answer other than success means to the person who asked for `what`. */
export function refusal(response: Response, { endpoint, token }: HubSettings, id: string, what: string): HocketError {
  const reason = response.headers.get("x-error-code");
  if (reason === "RepoNotFound" || (response.status === 404 && reason === null))
    return new HocketError(
      "bad-request",
      `${endpoint} has no model ${id}: check the spelling${token ? "" : ", or set HF_TOKEN if it is private"}`,
    );
  if (response.status === 401 || response.status === 403) {
    const how = token ? "with the account of your token (HF_TOKEN)" : "and set HF_TOKEN to a token of your account";
    return new HocketError("network", `${id} asks for permission: accept its licence at ${endpoint}/${id} ${how}`);
  }
  if (response.status === 404) return new HocketError("bad-request", `${id} has no ${what} at ${endpoint}`);
  return new HocketError("network", `${endpoint} answers ${response.status} for ${what} of ${id}: try again later`);
}

// --- internal ---

const ATTEMPTS = 5;
const REDIRECTS = 10;

/** What another attempt may mend. */
class Broken extends Error {}

async function askOnce(
  { settings, signal }: Connection,
  method: "GET" | "HEAD",
  url: string,
  headers: Record<string, string>,
): Promise<Response> {
  const home = new URL(settings.endpoint).origin;
  let at = new URL(url);
  for (let hop = 0; hop < REDIRECTS; hop++) {
    const sent = new Headers({ ...headers, "user-agent": "hocket" });
    sent.set("accept-encoding", "identity"); // compressed, a file would have another length, and could not be resumed
    if (settings.token && at.origin === home) sent.set("authorization", `Bearer ${settings.token}`);
    const init: RequestInit = { method, redirect: "manual", headers: sent, signal: signal ?? null };
    const response = await fetch(at, init).catch((cause) => {
      throw new Broken(`${at.host} cannot be reached: ${reasonOf(cause)}`, { cause });
    });
    const { status } = response;
    const target = response.headers.get("location");
    if (status === 429 || status >= 500) {
      await response.body?.cancel();
      throw new Broken(`${at.host} answers ${status}`);
    }
    const describes = method === "HEAD" && response.headers.has("x-linked-etag");
    if (status < 300 || status >= 400 || target === null || describes) return response;
    await response.body?.cancel();
    at = new URL(target, at);
  }
  throw new Broken(`${at.host} redirects without end`);
}

async function persist<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      await pause(connection, error, failures);
    }
  }
}

/** Waits before the next attempt, longer each time; throws `error` if there should be none. */
async function pause({ settings, signal, wait }: Connection, error: unknown, failures: number): Promise<void> {
  signal?.throwIfAborted();
  if (!(error instanceof Broken)) throw error;
  // Nobody is there: a second look is enough.
  const attempts = /ECONNREFUSED|ENOTFOUND|bad port/.test(error.message) ? 2 : ATTEMPTS;
  if (failures >= attempts)
    throw new HocketError(
      "network",
      `${settings.endpoint}: ${error.message}; check the connection and repeat the command, which goes on where it stopped`,
      { cause: error },
    );
  await wait(250 * 2 ** failures, signal);
}

/** Appends to `partial` what follows its first `before` bytes. */
async function* receive(connection: Connection, file: RemoteFile, partial: string, before: number) {
  const range: Record<string, string> = before > 0 ? { range: `bytes=${before}-` } : {};
  const response = await askOnce(connection, "GET", file.url, range);
  if (response.status === 416) {
    await rm(partial, { force: true });
    throw new Broken("the partial file was longer than the whole");
  }
  if (!response.ok)
    throw new HocketError(
      "network",
      `${new URL(file.url).host} answers ${response.status} for ${file.name}: try again later`,
    );
  const from = response.status === 206 ? before : 0; // 200: this server sends whole files only
  const output = await writing(partial, () => open(partial, from === 0 ? "w" : "a"));
  try {
    let received = from;
    for await (const chunk of bodyOf(response)) {
      await writing(partial, () => output.appendFile(chunk));
      received += chunk.length;
      yield received;
    }
  } finally {
    await output.close();
  }
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* response.body ?? [];
  } catch (cause) {
    throw new Broken(`the connection broke: ${reasonOf(cause)}`, { cause });
  }
}

/** An etag is the SHA-256 of a large file, or the git blob id of a small one; of anything else nothing can be said. */
async function verify({ signal }: Connection, { name, etag, size }: RemoteFile, partial: string): Promise<void> {
  const held = (await sizeOf(partial)) ?? 0;
  const git = /^[0-9a-f]{40}$/.test(etag);
  let right = size === undefined || held === size;
  if (right && (git || /^[0-9a-f]{64}$/.test(etag))) {
    const hash = createHash(git ? "sha1" : "sha256");
    if (git) hash.update(`blob ${held}\0`);
    for await (const chunk of createReadStream(partial, { highWaterMark: 2 ** 20 })) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
    right = hash.digest("hex") === etag;
  }
  if (right) return;
  await rm(partial, { force: true });
  throw new HocketError("network", `${name} arrived damaged (its checksum is not ${etag}) and was removed: try again`);
}

/** Node says "fetch failed" and hides why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, "writing", path);
  }
}
