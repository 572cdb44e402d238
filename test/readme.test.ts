import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { repositoryFile } from "./golden.js";

const readme = readFileSync(repositoryFile("README.md"), "utf8");

test("the README's program runs as it is written", async () => {
  const [, program] = /```ts\n(.*?)```/s.exec(readme)!;
  // Inside the package, whose name then means itself.
  const file = repositoryFile(`dist/readme-${process.pid}.mjs`);
  writeFileSync(file, program!);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      cwd: dirname(repositoryFile("README.md")),
    });
    assert.match(stdout, /^from 0 s on, 16000 Hz\n(from [\d.]+ s on, 16000 Hz\n)+4 codebooks\n$/);
  } finally {
    rmSync(file);
  }
});

test("every file and folder of the README's map exists, and every option it names is one", async () => {
  const [, map] = /## The map\n\n```\n(.*?)```/s.exec(readme)!;
  const names = [...map!.matchAll(/(?:^|\s{3,})\s*([\w.-]+(?:\/|\.ts))(?=\s{2,})/gm)].map(([, name]) => name!);
  assert.ok(names.length > 10);
  for (const name of names) {
    const path = [name, `src/${name}`].find((each) => {
      try {
        return readFileSync(repositoryFile(each)) !== undefined;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EISDIR";
      }
    });
    assert.ok(path !== undefined, `${name} is on the map and not there`);
  }
  const { stdout } = await promisify(execFile)(process.execPath, [
    repositoryFile("bin/hocket.js"),
    "generate",
    "--help",
  ]);
  for (const [, option] of readme.matchAll(/hocket generate .*?(--[a-z-]+)/g))
    assert.ok(stdout.includes(option!), option);
});
