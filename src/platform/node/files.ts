/** @file Files and folders of this machine, read in pieces and written whole or not at all. */

import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assert, HocketError } from "../../errors.js";
import type { ByteSource, Folder } from "../platform.js";
import { fileError, isFileError } from "./file-error.js";

/**
 * The file at `path`. Its `location` has no links in it: a runtime that maps the file itself must find the bytes there.
 * @throws HocketError bad-file if it is missing, a folder, or may not be read.
 */
export async function openFile(path: string): Promise<ByteSource> {
  let file: FileHandle | undefined;
  try {
    const location = await realpath(path);
    file = await open(location);
    const { size } = await regularFile(file);
    return byteSource(file, path, location, size);
  } catch (error) {
    await file?.close();
    throw fileError(error, "reading", path);
  }
}

/** @throws HocketError bad-file if there is no folder at `path`, or it may not be read. */
export async function openFolder(path: string): Promise<Folder> {
  if (!(await reading(path, () => stat(path))).isDirectory())
    throw new HocketError("bad-file", `${path} is a file, and a folder is needed`);
  return {
    location: path,
    async list() {
      const names = await reading(path, () => readdir(path));
      const isFile = await Promise.all(names.map((name) => hasKind(join(path, name), "isFile")));
      return names.filter((_, i) => isFile[i]).sort();
    },
    async open(name) {
      if (name !== basename(name) || name.includes("\\") || name === "..")
        throw new HocketError("bad-file", `"${name}" is not the name of a file in ${path}`);
      const file = join(path, name);
      return (await hasKind(file, "isFile")) ? openFile(file) : undefined;
    },
  };
}

export const isFolder = (path: string): Promise<boolean> => hasKind(path, "isDirectory");
export const isFile = (path: string): Promise<boolean> => hasKind(path, "isFile");

/** When the file at `path` was last written, in whole seconds (what archives keep of it). @throws HocketError bad-file */
export const lastWritten = async (path: string): Promise<number> =>
  Math.floor((await reading(path, () => stat(path))).mtimeMs / 1000);

/** Makes the folder, and those that it lies in, where they are not there. @throws HocketError disk */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(error, "writing", path);
  }
}

/**
 * The files in a folder and the folders in it, as paths relative to it with "/" in them, sorted. What begins with a dot is
 * left out, and links to folders are not followed.
 */
export async function filesBelow(path: string): Promise<string[]> {
  const below = async (inside: string): Promise<string[]> => {
    const names = (await reading(path, () => readdir(join(path, inside), { withFileTypes: true }))).filter(
      ({ name }) => !name.startsWith("."),
    );
    const found = await Promise.all(
      names.map(async (each) => {
        const name = inside === "" ? each.name : `${inside}/${each.name}`;
        if (each.isDirectory()) return below(name);
        return (await hasKind(join(path, name), "isFile")) ? [name] : [];
      }),
    );
    return found.flat();
  };
  return (await below("")).sort();
}

/**
 * Writes `content` to `path`, replacing what was there only once every byte is on the disk. If anything fails, or the
 * pieces stop with an error, `path` is as it was and nothing is left behind.
 * @throws HocketError disk; an error of the pieces themselves passes unchanged.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${serial++}.partial`);
  let file: FileHandle | undefined;
  try {
    if (await isFolder(path)) throw new HocketError("disk", `${path} is a folder: name the file to write`);
    file = await open(temporary, "wx");
    for await (const piece of content instanceof Uint8Array ? [content] : content) await file.appendFile(piece);
    await file.sync(); // else a power cut could leave the new name with no bytes behind it
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    if (file !== undefined) await rm(temporary, { force: true });
    throw fileError(error, "writing", path);
  }
}

/** Adds `content` at the end of the file at `path`, which is made if there is none. On the disk when it returns. */
export async function appendToFile(path: string, content: Uint8Array): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "a");
    await file.appendFile(content);
    await file.datasync();
  } catch (error) {
    throw fileError(error, "writing", path);
  } finally {
    await file?.close();
  }
}

/** Bytes that may still be written to the disk of the folder at `path`. */
export async function freeSpace(path: string): Promise<number> {
  const { bavail, bsize } = await reading(path, () => statfs(path));
  return bavail * bsize;
}

// --- internal ---

let serial = 0;

function byteSource(file: FileHandle, path: string, location: string, size: number): ByteSource {
  let closing: Promise<void> | undefined;
  return {
    location,
    size,
    async read(offset, length) {
      assert(Number.isSafeInteger(offset) && offset >= 0 && length >= 0, `bad range ${offset}+${length} of ${path}`);
      if (offset + length > size) throw tooShort(path, offset + length, size);
      const bytes = Buffer.allocUnsafeSlow(length); // its own memory: a view on it starts at an even address
      for (let done = 0; done < length; ) {
        const { bytesRead } = await reading(path, () => file.read(bytes, done, length - done, offset + done));
        if (bytesRead === 0) throw tooShort(path, offset + length, offset + done);
        done += bytesRead;
      }
      return new Uint8Array(bytes.buffer);
    },
    close() {
      closing ??= file.close();
      return closing;
    },
  };
}

const tooShort = (path: string, needed: number, size: number) =>
  new HocketError("bad-file", `${path} ends at byte ${size}, and byte ${needed} was needed: get the file again`);

async function regularFile(file: FileHandle) {
  const found = await file.stat();
  if (found.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR", syscall: "open" });
  return found;
}

/** Whether `path` is there and of that kind, links followed. */
async function hasKind(path: string, kind: "isFile" | "isDirectory"): Promise<boolean> {
  try {
    return (await stat(path))[kind]();
  } catch (error) {
    if (isFileError(error) && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return false;
    throw fileError(error, "reading", path);
  }
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, "reading", path);
  }
}
