import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HocketError } from "../../errors.js";
import { fileError } from "./file-error.js";
import { appendToFile, freeSpace, isFolder, openFile, openFolder, writeFileAtomically } from "./files.js";
import { packageFile } from "./packages.js";

const root = await realpath(await mkdtemp(join(tmpdir(), "hocket-files-")));
after(() => rm(root, { recursive: true }));
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);

const rejects = (work: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert(error instanceof HocketError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert(!error.message.includes("\n"));
    return true;
  });

test("a file is read in pieces, in any order, through links", async () => {
  await writeFile(join(root, "blob"), bytes);
  await mkdir(join(root, "folder"));
  await symlink("../blob", join(root, "folder", "link.bin"));
  const folder = await openFolder(join(root, "folder"));
  assert.deepEqual(await folder.list(), ["link.bin"]);
  const file = (await folder.open("link.bin"))!;
  assert.equal(file.location, join(root, "blob"), "a runtime maps this path");
  assert.equal(file.size, 5000);
  const pieces = await Promise.all([file.read(4000, 1000), file.read(0, 4000), file.read(5000, 0)]);
  assert.deepEqual([...pieces[1]!, ...pieces[0]!, ...pieces[2]!], [...bytes]);
  assert.equal(pieces[0]!.byteOffset, 0);
  await rejects(file.read(4000, 1001), "bad-file", /blob|link.bin ends at byte 5000, and byte 5001 was needed/);
  await truncate(join(root, "blob"), 10);
  await rejects(file.read(0, 20), "bad-file", /ends at byte 10/);
  await file.close();
  await file.close();
});

test("a folder lists its files, and knows no others", async () => {
  await mkdir(join(root, "mixed", "inner"), { recursive: true });
  await writeFile(join(root, "mixed", "b"), "");
  await writeFile(join(root, "mixed", "a"), "");
  await symlink("nowhere", join(root, "mixed", "broken"));
  const folder = await openFolder(join(root, "mixed"));
  assert.deepEqual(await folder.list(), ["a", "b"]);
  for (const name of ["c", "inner", "broken"]) assert.equal(await folder.open(name), undefined);
  for (const name of ["../blob", "inner/x", "..", "..\\blob"])
    await rejects(folder.open(name), "bad-file", /is not the name/);
  assert.equal(await isFolder(join(root, "mixed")), true);
  assert.equal(await isFolder(join(root, "mixed", "a")), false);
  assert.equal(await isFolder(join(root, "none")), false);
});

test("what cannot be opened is explained", async () => {
  await writeFile(join(root, "plain"), "");
  await rejects(openFile(join(root, "none")), "bad-file", /none does not exist: check the path/);
  await rejects(openFile(join(root, "plain", "x")), "bad-file", /a part of that path is a file/);
  await rejects(openFile(root), "bad-file", /is a folder, and a file is needed/);
  await rejects(openFolder(join(root, "none")), "bad-file", /none does not exist/);
  await rejects(openFolder(join(root, "plain")), "bad-file", /is a file, and a folder is needed/);
});

test("every refusal of the system that we know has its sentence", () => {
  const refusal = (code: string) => Object.assign(new Error(`${code}: raw`), { code, syscall: "write" });
  for (const [doing, code, sentence] of [
    ["writing", "ENOSPC", /^\/x could not be written: the disk is full; free some space/],
    ["writing", "EROFS", /^\/x lies on a read-only disk/],
    ["writing", "EACCES", /^\/x may not be written/],
    ["reading", "EACCES", /^\/x may not be read/],
    ["reading", "EWHAT", /^\/x failed while reading: EWHAT: raw$/],
  ] as const) {
    const error = fileError(refusal(code), doing, "/x");
    assert(error instanceof HocketError && error.code === (doing === "reading" ? "bad-file" : "disk"));
    assert.match(error.message, sentence);
  }
  const own = new Error("not the system's");
  assert.equal(fileError(own, "reading", "/x"), own);
});

test("a file is written whole, from one piece or many, over an old one", async () => {
  const path = join(root, "out", "model");
  await mkdir(join(root, "out"));
  await writeFileAtomically(path, bytes);
  assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
  await writeFileAtomically(path, [bytes.subarray(0, 3), bytes.subarray(3)]);
  assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
  await writeFileAtomically(path, pieces());
  assert.deepEqual([...(await readFile(path))], [1, 2, 3]);
  assert.deepEqual(await readdir(join(root, "out")), ["model"]);
});

test("a file that cannot be finished leaves the old one, and nothing else", async () => {
  const folder = join(root, "kept");
  await mkdir(folder);
  await writeFile(join(folder, "model"), "old");
  const stopped = new Error("stopped");
  await assert.rejects(writeFileAtomically(join(folder, "model"), pieces(stopped)), (error) => error === stopped);
  assert.equal(await readFile(join(folder, "model"), "utf8"), "old");
  assert.deepEqual(await readdir(folder), ["model"]);
});

test("what cannot be written is explained", async () => {
  await rejects(
    writeFileAtomically(join(root, "none", "x"), bytes),
    "disk",
    /the folder does not exist; create it first/,
  );
  await rejects(writeFileAtomically(root, bytes), "disk", /is a folder: name the file to write/);
  const locked = join(root, "locked");
  await mkdir(locked);
  await chmod(locked, 0o500);
  if (process.getuid?.() !== 0)
    await rejects(writeFileAtomically(join(locked, "x"), bytes), "disk", /may not be written/);
});

test("what is appended follows what was there", async () => {
  const path = join(root, "log");
  for (const piece of [bytes.subarray(0, 10), bytes.subarray(10, 10), bytes.subarray(10, 200)])
    await appendToFile(path, piece);
  assert.deepEqual([...(await readFile(path))], [...bytes.subarray(0, 200)]);
  await rejects(appendToFile(root, bytes), "disk", /is a folder/);
  await rejects(appendToFile(join(root, "none", "log"), bytes), "disk", /create it first/);
});

test("a disk has room, and a folder that is not there has none", async () => {
  const free = await freeSpace(root);
  assert.ok(free > 0 && Number.isFinite(free));
  await rejects(freeSpace(join(root, "none")), "bad-file", /does not exist/);
});

test("a package's file is found where the package is installed", async () => {
  const { name } = JSON.parse(await readFile(packageFile("zod", "package.json")!, "utf8")) as { name: string };
  assert.equal(name, "zod");
  assert.equal(packageFile("zod", "no-such-file"), undefined);
  assert.equal(packageFile("no-such-package-here", "package.json"), undefined);
});

async function* pieces(end?: Error) {
  yield new Uint8Array([1, 2]);
  yield new Uint8Array([3]);
  if (end) throw end;
}
