/**
 * @file Folders that people may choose music from. A request never names a path: folders are known by ids that are handed
 * out here, each a hash of where the folder really is, with a key that nobody outside knows.
 */

import { createHmac, randomBytes } from "node:crypto";
import { lstat, opendir, realpath } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { HocketError } from "../errors.js";
import { Problem } from "./problems.js";
import { type FolderList, type FolderResource, trainLimits } from "./train-wire.js";

/** A folder that was handed out, and may still be read. */
export interface FoundFolder {
  readonly path: string;
  readonly name: string;
  /** That it lies in. */
  readonly root: string;
}

export class Folders {
  readonly #key = randomBytes(32);
  /** Those that were handed out, by id. */
  readonly #known = new Map<string, string>();
  readonly #roots: readonly string[];

  private constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** @throws HocketError "bad-request" for a root that is no folder */
  static async open(named: readonly string[]): Promise<Folders> {
    const roots = named.map(async (path) => {
      const real = await realpath(path).catch(() => undefined);
      if (real !== undefined && (await lstat(real)).isDirectory()) return real;
      throw new HocketError("bad-request", `--music ${path} is no folder: name one that holds music`);
    });
    return new Folders([...new Set(await Promise.all(roots))]);
  }

  /** What lies in a folder; where to begin, if none is named. @throws Problem */
  async list(id: string | undefined): Promise<FolderList> {
    this.check();
    if (id === undefined) {
      const folders = await Promise.all(this.#roots.map((path) => this.#shown(path)));
      return { path: [], folders, more: false };
    }
    const { path, root } = await this.find(id);
    const names: string[] = [];
    let more = false;
    for await (const entry of entriesOf(path)) {
      if (!entry.isDirectory() || entry.name.startsWith(".")) continue; // a link is none
      more = names.length >= trainLimits.folders;
      if (more) break;
      names.push(entry.name);
    }
    const folders: FolderResource[] = [];
    for (const name of names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })))
      folders.push(await this.#shown(join(path, name)));
    const inside = relative(root, path).split(sep).filter(Boolean);
    const above = [root, ...inside.map((_, i) => join(root, ...inside.slice(0, i + 1)))];
    return { path: await Promise.all(above.map((each) => this.#shown(each))), folders, more };
  }

  /** @throws Problem for an id that was not handed out, and for a folder that is not there any more, or lies elsewhere now */
  async find(id: string): Promise<FoundFolder> {
    this.check();
    const path = this.#known.get(id);
    const root = path === undefined ? undefined : await this.rootOf(path);
    if (path === undefined || root === undefined)
      throw new Problem("not-found", "there is no such folder (any more): list the folders again");
    return { path, root, name: basename(path) || path };
  }

  /** The root that a folder lies in; none where it is gone, or a part of its path has become a link to elsewhere. */
  async rootOf(path: string): Promise<string | undefined> {
    if ((await realpath(path).catch(() => undefined)) !== path) return undefined;
    return this.#roots.find((root) => isInside(root, path));
  }

  /** @throws Problem where the server was started without folders */
  check(): void {
    if (this.#roots.length > 0) return;
    throw new Problem(
      "not-offered",
      "this server was started without folders to learn from: start it with --music FOLDER",
    );
  }

  async #shown(path: string): Promise<FolderResource> {
    const id = createHmac("sha256", this.#key).update(path).digest("hex").slice(0, 32);
    this.#known.set(id, path);
    let sounds = 0;
    for await (const entry of entriesOf(path)) {
      if (entry.isFile() && sound.test(entry.name) && !entry.name.startsWith(".")) sounds++;
      if (sounds >= mostCounted) break;
    }
    return { id, name: basename(path) || path, sounds };
  }
}

/** Whether what lies at `path` lies in `folder`, or is it; both as `realpath` says them. */
export const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);

// --- internal ---

const sound = /\.(wav|wave|mp3|flac|ogg|oga|opus)$/i;
const mostCounted = 1000;
/** Entries of one folder that are looked at. */
const mostEntries = 20_000;

/** Nothing where the folder cannot be read. */
async function* entriesOf(path: string) {
  try {
    let count = 0;
    for await (const entry of await opendir(path)) {
      if (++count > mostEntries) return;
      yield entry;
    }
  } catch {} // it is not ours to read, or gone
}
