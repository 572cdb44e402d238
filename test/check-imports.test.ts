import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { repositoryFile } from "./golden.js";

const folder = mkdtempSync(join(tmpdir(), "hocket-imports-"));
after(() => rmSync(folder, { recursive: true }));

let trees = 0;
/** Checks a repository of these files of src, or of studio where they say so; each begins with its @file comment unless it says otherwise. */
function check(files: Record<string, string>) {
  const root = join(folder, `${trees++}`);
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name.startsWith("studio/") ? "" : "src", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.startsWith("!") ? text.slice(1) : `/** @file It. */\n${text}`);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [repositoryFile("tools/check-imports.mjs"), root]);
  return { status, out: stdout.toString(), problems: stderr.toString().split("\n").filter(Boolean) };
}

test("this repository passes", () => {
  const { status, stderr } = spawnSync(process.execPath, [repositoryFile("tools/check-imports.mjs")]);
  assert.equal(status, 0, stderr.toString());
});

test("arrows that point the right way", () => {
  const { status, out, problems } = check({
    "tensor.ts": 'import { assert } from "./errors.js";',
    "platform/node/worker.ts": 'import { x } from "node:fs";\nimport * as ort from "onnxruntime-node";',
    "graph/a.ts": 'import type {\n  B,\n} from "../platform/platform.js";\nimport "./b.js";',
    "lm/deep/er.ts": 'import { ops } from "../../graph/ops.js";\nimport { z } from "zod";',
    "weights/source.ts": 'import { x } from "#platform";',
    "model.ts": 'import { x } from "./lm/lm.js";\nimport { y } from "./request.js";\nexport * from "./audio/wav.js";',
    "index.ts": 'export { x } from "./model.js";',
    "cli/run.ts": 'import { x } from "node:fs";\nimport { y } from "../server/app.js";',
    "lm/lm.test.ts": '!import { x } from "../codec/codec.js";',
  });
  assert.deepEqual(problems, []);
  assert.equal(status, 0);
  assert.match(out, /^8 files/);
});

for (const [name, files, problem] of [
  [
    "a station that knows another",
    { "lm/a.ts": 'import "../codec/b.js";' },
    "src/lm/a.ts:2 imports ../codec/b.js: stations",
  ],
  [
    "a station that loads another",
    { "text/a.ts": 'const x = await import("../lm/b.js");' },
    "src/text/a.ts:2 imports ../lm",
  ],
  [
    "a studio that looks into the server",
    { "errors.ts": "", "studio/src/app.tsx": 'import type { Row } from "../../src/server/store.js";' },
    "studio/src/app.tsx:2 imports ../../src/server/store.js: the studio knows music by the API",
  ],
  [
    "a studio that leaves the browser",
    { "errors.ts": "", "studio/src/make/a.ts": 'import { x } from "node:fs";' },
    "studio/src/make/a.ts:2 imports node:fs: the studio runs in browsers",
  ],
  [
    "a library that knows its studio",
    { "model.ts": 'import { x } from "../studio/src/app.js";' },
    "src/model.ts:2 imports ../studio/src/app.js: the package holds src only",
  ],
  [
    "a type is an arrow too",
    { "graph/a.ts": 'import type { X } from "../lm/lm.js";' },
    "src/graph/a.ts:2 imports ../lm/lm.js",
  ],
  [
    "so is one over several lines",
    { "graph/a.ts": 'import {\n  x,\n} from "../lm/b.js";' },
    "src/graph/a.ts:4 imports",
  ],
  ["so is one that is handed on", { "graph/a.ts": 'export * from "../lm/b.js";' }, "src/graph/a.ts:2 imports"],
  ["the platform knows graphs", { "platform/a.ts": 'import "../graph/ops.js";' }, "src/platform/a.ts:2 imports"],
  [
    "audio knows tensors",
    { "audio/a.ts": 'import "../tensor.js";' },
    "src/audio/a.ts:2 imports ../tensor.js: sound files",
  ],
  [
    "a leaf with a branch",
    { "codes.ts": 'import "./model.js";' },
    "src/codes.ts:2 imports ./model.js: everything imports",
  ],
  ["the library knows training", { "model.ts": 'import "./train/adam.js";' }, "src/model.ts:2 imports ./train/adam.js"],
  ["the server knows the command line", { "server/a.ts": 'import "../cli/b.js";' }, "src/server/a.ts:2 imports"],
  [
    "node outside the edge",
    { "lm/a.ts": 'import { x } from "node:fs";' },
    "src/lm/a.ts:2 imports node:fs: everything but",
  ],
  [
    "node in the platform's interface",
    { "platform/platform.ts": 'import "node:fs";' },
    "src/platform/platform.ts:2 imports",
  ],
  [
    "a runtime outside the edge",
    { "lm/a.ts": 'import "onnxruntime-web";' },
    "src/lm/a.ts:2 imports onnxruntime-web: what",
  ],
  ["an index from inside", { "cli/a.ts": 'import "../index.js";' }, "src/cli/a.ts:2 imports ../index.js: an index"],
  [
    "what is not in the package",
    { "lm/a.ts": 'import "../../test/golden.js";' },
    "src/lm/a.ts:2 imports ../../test/golden.js: the package",
  ],
  [
    "a folder without a row",
    { "misc/a.ts": 'import "../errors.js";' },
    "src/misc/a.ts:2 imports ../errors.js: src/misc has no row",
  ],
  [
    "a file that does not say what it is for",
    { "lm/a.ts": "!export const x = 1;\n" },
    "src/lm/a.ts:1 does not start with",
  ],
  ["a file that is too long", { "lm/a.ts": `${"\n".repeat(319)}1;` }, "src/lm/a.ts:321 has 321 lines"],
] as const)
  test(`refused: ${name}`, () => {
    const { status, problems } = check(files as Record<string, string>);
    assert.equal(status, 1);
    assert.equal(problems.length, 1);
    assert.ok(problems[0]!.startsWith(problem), problems[0]);
  });

test("the table of operators may be long, and other files up to the limit", () => {
  const { status } = check({ "graph/ops.ts": "1;\n".repeat(500), "graph/layers.ts": "1;\n".repeat(319) });
  assert.equal(status, 0);
});
