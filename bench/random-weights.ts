/** @file Weights of a part alone, at full size, as random numbers in a temporary file. */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binder } from "../src/graph/compile.js";
import { elementCount } from "../src/tensor.js";
import { noise } from "./noise.js";

/** A binder that gives every weight asked for a place in one temporary file of float32 numbers. */
export function randomWeights(): { bind: Binder; dispose(): void } {
  const path = join(tmpdir(), `hocket-bench-${process.pid}-${serial++}.bin`);
  const file = openSync(path, "w");
  const placed = new Map<string, { location: string; offset: number; length: number }>();
  let end = 0;
  const place = (name: string, shape: readonly number[]) => {
    const known = placed.get(name);
    if (known !== undefined) return known;
    const length = writeSync(file, noise(elementCount(shape), "float32"));
    const where = { location: path, offset: end, length };
    placed.set(name, where);
    end += length;
    return where;
  };
  return {
    bind: async (declared) =>
      new Map(declared.map(({ name, shape }) => [name, { dtype: "float32", data: place(name, shape) }])),
    dispose: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

// --- internal ---

let serial = 0;
