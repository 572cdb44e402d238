/**
 * @file Where sounds and codes lie: a folder for each generation, files written whole or not at all. Where several machines
 * work without a folder in common, they lie in a storage too, and here is what was made or asked for here. Names are made
 * of the generation's id and of words of ours; nothing of a request is ever part of a path.
 */

import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { openFile, writeFileAtomically } from "#platform";
import { readWav } from "../audio/wav.js";
import type { Waveform } from "../audio/waveform.js";
import { writeWav } from "../audio/write-wav.js";
import type { Codes } from "../codes.js";
import { readCodes } from "../codes-file.js";
import { assert, HocketError } from "../errors.js";
import type { Storage } from "./s3.js";
import { idPattern } from "./wire.js";

export const givens = ["melody", "continue"] as const;
export type Given = (typeof givens)[number];

/** The files of a folder of a generation. */
export const pieceFile = (folder: string, piece: number): string => join(folder, `piece-${piece}.wav`);
export const givenFile = (folder: string, given: Given): string => join(folder, `${given}.wav`);
/** The codes of the take that a part is composed anew of. */
export const regionFile = (folder: string): string => join(folder, "regenerate.safetensors");
export const codesFile = (folder: string): string => join(folder, "codes.safetensors");

export class Shelf {
  readonly #sounds: string;

  /** @param storage that other machines use too */
  constructor(
    readonly data: string,
    readonly storage?: Storage | undefined,
  ) {
    this.#sounds = join(data, "sounds");
  }

  folder(id: string): string {
    assert(idPattern.test(id), "an id that is none");
    return join(this.#sounds, id.slice(0, 2), id);
  }

  async make(id: string): Promise<string> {
    const folder = this.folder(id);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Lets the other machines have a file of a generation. */
  async share(path: string): Promise<void> {
    await this.storage?.put(this.#key(path), await readFile(path));
  }

  /** @returns `path`, of a file of a generation, which is fetched if another machine has made it */
  async here(path: string): Promise<string> {
    if (this.storage === undefined || (await isThere(path))) return path;
    const bytes = await this.storage.get(this.#key(path));
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomically(path, bytes);
    return path;
  }

  /** A file of a generation in another form, made when it is first asked for. */
  async derived(id: string, name: string, make: () => Promise<Uint8Array>): Promise<string> {
    const path = join(this.folder(id), name);
    if (!(await isThere(path))) await writeFileAtomically(path, await make());
    return path;
  }

  /** Takes away what the other machines may have of a generation. */
  async withdraw(id: string, pieces: number): Promise<void> {
    const { storage } = this;
    if (storage === undefined) return;
    const folder = this.folder(id);
    const files = [
      ...Array.from({ length: pieces }, (_, piece) => pieceFile(folder, piece)),
      ...givens.map((given) => givenFile(folder, given)),
      regionFile(folder),
      codesFile(folder),
    ];
    await Promise.all(files.map((path) => storage.remove(this.#key(path))));
  }

  async remove(id: string): Promise<void> {
    await rm(this.folder(id), { recursive: true, force: true });
  }

  /** Takes away what belongs to no generation: it was being made when a process was killed. */
  async tidy(known: ReadonlySet<string>): Promise<void> {
    for (const start of await readdir(this.#sounds).catch(() => []))
      for (const id of await readdir(join(this.#sounds, start)).catch(() => []))
        if (idPattern.test(id) && !known.has(id)) await this.remove(id);
  }

  #key(path: string): string {
    return relative(this.data, path).split(sep).join("/");
  }
}

/** The sound in a file that we wrote. */
export async function readSound(path: string): Promise<Waveform> {
  const file = await openFile(path);
  try {
    return readWav(await file.read(0, file.size));
  } finally {
    await file.close();
  }
}

/** The codes in a file that we wrote, of each piece. */
export async function readGrids(path: string): Promise<readonly Codes[]> {
  const file = await openFile(path);
  try {
    return (await readCodes(file)).chunks[0]!.codes;
  } finally {
    await file.close();
  }
}

/** Every sample as it is. */
export const writeSound = (path: string, waveform: Waveform): Promise<void> =>
  writeFileAtomically(path, writeWav(waveform, { bits: 32 }));

/** Bytes `start` to `end` (exclusive) of a file, a little at a time. */
export async function* fileBytes(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (let at = start; at < end; ) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(end - at, 65_536)), 0, null, at);
      if (bytesRead === 0) throw new HocketError("disk", `${path} became shorter while it was read`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/**
 * Makes a folder for data that one server at a time uses. The lock is a local socket: it is gone with its process, however
 * that ends.
 * @returns what lets go of it
 * @throws HocketError "bad-request" if another server has it, "disk"
 */
export async function claim(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new HocketError("disk", `${folder} cannot be made: ${cause.message}`, { cause });
  });
  const name = `hocket-${createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 24)}`;
  const address = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
  for (let attempt = 0; attempt < 3; attempt++) {
    const lock = await listening(address);
    if (lock !== undefined) return () => new Promise((done) => lock.close(() => done()));
    if (await answers(address)) break;
    await rm(address, { force: true }); // of a process that was killed
  }
  throw new HocketError("bad-request", `another server uses ${folder}: stop it, or give this one another --data`);
}

// --- internal ---

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

function listening(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE"
        ? resolve(undefined)
        : reject(new HocketError("disk", `the data cannot be locked: ${error.message}`)),
    );
    server.listen(address, () => resolve(server.unref()));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
