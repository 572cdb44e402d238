import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { blocks, numbers } from "../../test/blocks.js";
import { largestDifference } from "../../test/golden.js";
import { createRuntime } from "../platform/node.js";
import { compile } from "./compile.js";
import { differentiate } from "./differentiate.js";
import { graphOf } from "./onnx.js";
import * as ops from "./ops.js";
import { block } from "./recompute.js";
import { Scope, type Value } from "./value.js";

const [rows, width] = [40, 6];
const mean = (x: Value) => ops.squeeze(ops.reduceMean(x, [0, 1]), [0, 1]);

const described = (count: number, marked: boolean) => blocks(count, marked, [rows, width]);

test("slopes are the same with blocks kept, computed again, and without blocks", async () => {
  const runtime = createRuntime();
  after(() => runtime.dispose());
  const slopes = async (marked: boolean, recompute: boolean) => {
    const { p, loss } = described(3, marked);
    const names = [...p.weights.keys()];
    const made = differentiate(loss, [...p.weights.values()], { recompute });
    const outputs = { loss, ...Object.fromEntries(made.map((slope, i) => [`d ${names[i]}`, slope])) };
    const session = await compile(runtime, outputs, async () => new Map());
    const weights = [...p.weights].map(([name, { shape }], i) => [name, numbers(shape as number[], i)] as const);
    return session.run({
      x: numbers([rows, width], 9),
      bias: numbers([rows, 1], 5),
      ...Object.fromEntries(weights),
    });
  };
  const plain = await slopes(false, false);
  assert.equal(Object.keys(plain).length, 1 + 1 + 3 * 2);
  assert.deepEqual(await slopes(true, false), plain);
  const again = await slopes(true, true);
  assert.deepEqual(Object.keys(again), Object.keys(plain));
  for (const [name, { data }] of Object.entries(again))
    for (const [i, x] of (data as Float32Array).entries())
      assert.ok(Math.abs(x - (plain[name]!.data[i] as number)) <= 1e-6, `${name}[${i}]: ${x}, ${plain[name]!.data[i]}`);
});

test("what is asked of a block from outside, and blocks in blocks, are differentiated all the same", async () => {
  const runtime = createRuntime();
  after(() => runtime.dispose());
  const slopes = async (recompute: boolean) => {
    const p = new Scope();
    const x = p.weight("x", [rows, width]);
    let heard: Value | undefined;
    const outer = block((x) => {
      heard = ops.tanh(x);
      return ops.mul(
        block((y) => ops.sigmoid(ops.mul(y, y)), heard),
        x,
      );
    }, x);
    const made = differentiate(mean(ops.add(ops.mul(outer, outer), heard!)), [x], { recompute });
    return (await compile(runtime, { dx: made[0]! }, async () => new Map())).run({ x: numbers([rows, width], 1) });
  };
  const [again, kept] = [await slopes(true), await slopes(false)];
  assert.ok(largestDifference(again.dx!.data as Float32Array, kept.dx!.data as Float32Array) < 1e-8);
});

test("a block is computed a second time only where that is asked for and something in it learns", () => {
  const count = (recompute: boolean, learns: RegExp) => {
    const { p, loss } = described(3, true);
    const learnt = [...p.weights].filter(([name]) => learns.test(name)).map(([, value]) => value);
    const slopes = differentiate(loss, learnt, { recompute });
    const graph = graphOf({ loss, ...Object.fromEntries(slopes.map((slope, i) => [`${i}`, slope])) });
    return graph.nodes.filter(({ op }) => op === "Gelu").length;
  };
  assert.deepEqual([count(false, /./), count(true, /./), count(true, /^2\./)], [3, 6, 4]);
});

test("computing blocks again takes a fraction of the memory, and the estimate knows how much", async () => {
  const measure = async (how: "keep" | "again") => {
    const file = fileURLToPath(new URL("../../test/block-memory.js", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [file, how]);
    return JSON.parse(stdout) as { held: number; estimate: number };
  };
  const [keep, again] = [await measure("keep"), await measure("again")];
  assert.ok(again.held < 0.5 * keep.held, `${again.held} of ${keep.held} bytes`);
  for (const { held, estimate } of [keep, again])
    assert.ok(Math.abs(held / estimate - 1) < 0.35, `held ${held}, estimated ${estimate}`);
});
