import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input } from "../graph/value.js";
import { tensor } from "../tensor.js";
import { runtimeConformance } from "./conformance.js";
import { createRuntime } from "./node.js";

runtimeConformance("Node", createRuntime);

test("a process ends by itself though its runtime was not disposed of", () => {
  const script = `
    import { compile } from ${url("../graph/compile.js")};
    import { input } from ${url("../graph/value.js")};
    import { createRuntime } from ${url("./node.js")};
    const runtime = createRuntime();
    const session = await compile(runtime, { x: input("x", "float32", [1]) }, async () => new Map());
    const { x } = await session.run({ x: { dtype: "float32", shape: [1], data: Float32Array.of(7) } });
    console.log(x.data[0]);
    createRuntime(); // one that was never asked for anything
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
  assert.equal(output.toString(), "7\n");
});

test("what a disposed state held is freed", async () => {
  const runtime = createRuntime();
  const size = 8_000_000; // 32 MB
  const held = input("held", "float32", [size]);
  const session = await compile(runtime, { first: ops.slice(held, 0, 0, 1) }, async () => new Map());
  const before = process.memoryUsage.rss();
  let most = 0;
  for (let i = 0; i < 40; i++) {
    const state = await session.open({ held: tensor("float32", [size]) }, []);
    assert.equal((await session.run({}, state)).first!.data[0], 0);
    await state.dispose();
    most = Math.max(most, process.memoryUsage.rss() - before);
  }
  assert.ok(most < 20 * 4 * size, `${Math.round(most / 1e6)} MB at most, of 1280 MB that went through`);
  await runtime.dispose();
});

for (const [name, ending, status] of [
  ["process.exit", "process.exit(3)", 3],
  ["an error that nobody catches", "throw new Error('boom')", 1],
] as const)
  test(`${name} while a graph runs: the process ends as asked, not by a crash`, () => {
    const script = `
      import { compile } from ${url("../graph/compile.js")};
      import * as ops from ${url("../graph/ops.js")};
      import { input } from ${url("../graph/value.js")};
      import { createRuntime } from ${url("./node.js")};
      const m = input("m", "float32", [512, 512]);
      let y = m;
      for (let i = 0; i < 60; i++) y = ops.matmul(y, m);
      const session = await compile(createRuntime(), { y }, async () => new Map());
      const inputs = { m: { dtype: "float32", shape: [512, 512], data: new Float32Array(512 * 512) } };
      for (let i = 0; i < 3; i++) session.run(inputs);
      setTimeout(() => { ${ending}; }, 30);
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
    assert.equal(child.signal, null, child.stderr.toString());
    assert.equal(child.status, status, child.stderr.toString());
  });

function url(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}
