/** @file For tests: a process of its own that learns once through blocks, and says how much memory it held for that. */

import { peakMemory } from "../src/bench/peak-memory.js";
import { compile } from "../src/graph/compile.js";
import { differentiate } from "../src/graph/differentiate.js";
import { peakBytes } from "../src/graph/memory.js";
import { createRuntime } from "../src/platform/node.js";
import { blocks, numbers } from "./blocks.js";

const size: readonly [number, number] = [32 * 1024, 32]; // 4 MB a value

const { p, loss } = blocks(10, true, size);
const names = [...p.weights.keys()];
const slopes = differentiate(loss, [...p.weights.values()], { recompute: process.argv[2] === "again" });
const outputs = Object.fromEntries(slopes.map((slope, i) => [`d ${names[i]}`, slope]));
const runtime = createRuntime();
const session = await compile(runtime, outputs, async () => new Map());
const weights = [...p.weights].map(([name, { shape }], i) => [name, numbers(shape as number[], i)] as const);
const fed = { x: numbers(size, 9), bias: numbers([size[0], 1], 5), ...Object.fromEntries(weights) };
const before = peakMemory();
await session.run(fed);
console.log(JSON.stringify({ held: peakMemory() - before, estimate: peakBytes(outputs) }));
await runtime.dispose();
