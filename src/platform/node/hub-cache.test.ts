import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hubSettings, linkBlob, parseHubId, tryLock } from "./hub-cache.js";

const root = await mkdtemp(join(tmpdir(), "hocket-cache-"));
after(() => rm(root, { recursive: true }));

test("a hub id has an owner, a name and perhaps a revision, and no way out of the cache", () => {
  assert.deepEqual(parseHubId("a/b.c_d-e@refs/pr/1"), { id: "a/b.c_d-e", revision: "refs/pr/1" });
  assert.deepEqual(parseHubId("a/b"), { id: "a/b", revision: "main" });
  for (const text of ["", "a", "a/b/c", "a/..", "./b", "a/b@", "a/b@../c", "a/b@x/..", "a--b/c", "a/b\n"])
    assert.equal(parseHubId(text), undefined, text);
});

test("a lock is held by one, and by nobody who died", async () => {
  const path = join(root, "locks", "x");
  const release = (await tryLock(path))!;
  assert.equal(await tryLock(path), undefined);
  await utimes(path, new Date(), new Date(Date.now() - 61_000));
  const second = (await tryLock(path))!;
  await second();
  await (await tryLock(path))!();
  await release();
});

test("where links are not allowed, the snapshot has copies", async () => {
  const [blob, pointer] = [join(root, "blob"), join(root, "snapshots", "c", "file")];
  await writeFile(blob, "bytes");
  for (const _ of [1, 2])
    await linkBlob(blob, pointer, () =>
      Promise.reject(Object.assign(new Error(), { code: "EPERM", syscall: "symlink" })),
    );
  assert.equal(await readlink(pointer).catch(() => "no link"), "no link");
  assert.equal(await readFile(pointer, "utf8"), "bytes");
  assert.deepEqual(await readdir(join(root, "snapshots", "c")), ["file"]);
});

test("the environment is read as Python reads it", async () => {
  const home = join(root, "with-token");
  await mkdir(home);
  await writeFile(join(home, "token"), "saved\n");
  assert.deepEqual(await hubSettings({ HF_HOME: home, HF_ENDPOINT: "http://mirror/" }), {
    endpoint: "http://mirror",
    cache: join(home, "hub"),
    token: "saved",
    offline: false,
  });
  assert.equal((await hubSettings({ HF_HOME: home, HF_TOKEN: "mine", HF_HUB_CACHE: "/else" })).token, "mine");
  assert.equal((await hubSettings({ HF_HUB_CACHE: "/else", HF_HUB_OFFLINE: "0" })).cache, "/else");
  const plain = await hubSettings({ XDG_CACHE_HOME: join(root, "xdg") });
  assert.deepEqual([plain.cache, plain.endpoint], [join(root, "xdg", "huggingface", "hub"), "https://huggingface.co"]);
});
