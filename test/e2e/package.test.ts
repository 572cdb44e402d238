import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryFile } from "../golden.js";
import { folder } from "./hocket.js";

const root = repositoryFile("");

test("the package holds what it runs on, and neither tests nor benchmarks", () => {
  const pack = ["pack", "--dry-run", "--ignore-scripts", "--json", "--offline", "--cache", folder()];
  const printed = execFileSync("npm", pack, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const answer: unknown = JSON.parse(printed); // a list of packages; newer ones say an object of them
  const [packed] = Object.values(answer as Record<string, { files: { path: string }[] }>);
  const paths = new Set(packed!.files.map(({ path }) => path));
  for (const needed of [
    "bin/hocket.js",
    "dist/src/cli/main.js",
    "dist/src/platform/node/worker.js",
    "models/mini-reference/config.json",
    "models/mini-reference/model.safetensors",
    "models/mini-reference/tokenizer.json",
    "studio/dist/index.html",
    "LICENSE",
  ])
    assert.ok(paths.has(needed), `${needed} is not in it`);
  const unneeded = [...paths].filter(
    (path) => !/^(bin|dist\/src|models|studio\/dist)\/|^[^/]+$/.test(path) || /\.test\./.test(path),
  );
  assert.deepEqual(unneeded, []);
});

test("what package.json points to is there", async () => {
  const { exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const path of [exports["."].types, exports["."].default, bin.hocket])
    assert.ok(existsSync(join(root, path)), path);
  const name = "hocket";
  assert.equal(typeof (await import(name)).generate, "function");
});
