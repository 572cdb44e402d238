/** @file Full-size models of random numbers: speed does not depend on what the weights say. */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binder } from "../src/graph/compile.js";
import { elementCount } from "../src/tensor.js";

/** A binder that gives every weight asked for a place in one temporary file of small random float32 numbers. */
export function randomWeights(): { bind: Binder; bytes(): number; dispose(): void } {
  const path = join(tmpdir(), `hocket-bench-${process.pid}-${serial++}.bin`);
  const file = openSync(path, "w");
  const placed = new Map<string, { location: string; offset: number; length: number }>();
  let end = 0;
  const place = (name: string, shape: readonly number[]) => {
    const known = placed.get(name);
    if (known !== undefined) return known;
    const length = 4 * elementCount(shape);
    for (let done = 0; done < length; done += noise.byteLength)
      writeSync(file, new Uint8Array(noise.buffer, 0, Math.min(noise.byteLength, length - done)));
    const where = { location: path, offset: end, length };
    placed.set(name, where);
    end += length;
    return where;
  };
  return {
    bind: async (declared) =>
      new Map(declared.map(({ name, shape }) => [name, { dtype: "float32", data: place(name, shape) }])),
    bytes: () => end,
    dispose: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

// --- internal ---

let serial = 0;
/** Around ±0.02, as a trained matrix of this size has. */
const noise = Float32Array.from({ length: 1 << 20 }, (_, i) => 0.04 * (((i * 2654435761) >>> 0) / 2 ** 32 - 0.5));
