/** @file Weights of a part alone, at full size, as random numbers in a temporary file. */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binder } from "../graph/compile.js";
import type { StoredWeight } from "../graph/onnx.js";
import { codings, type Precision } from "../precision.js";
import { elementCount } from "../tensor.js";
import { type Coded, type Coding, codedSize } from "../weights/quantise.js";
import { noise } from "./noise.js";

export interface RandomWeights {
  /** Gives every weight asked for its place in one temporary file. */
  readonly bind: Binder;
  /** The same, with products in blocks as at `precision`; these are made as they lie, from no other numbers. */
  at(precision: Precision): Binder;
  dispose(): void;
}

export function randomWeights(): RandomWeights {
  const path = join(tmpdir(), `hocket-bench-${process.pid}-${serial++}.bin`);
  const file = openSync(path, "w");
  const placed = new Map<string, { location: string; offset: number; length: number }>();
  let end = 0;
  const place = (name: string, make: () => Float32Array | Uint8Array) => {
    const known = placed.get(name);
    if (known !== undefined) return known;
    const bytes = make();
    const where = { location: path, offset: end, length: writeSync(file, bytes, 0, bytes.byteLength, end) };
    placed.set(name, where);
    end += Math.ceil(where.length / 64) * 64;
    return where;
  };
  const at =
    (precision: Precision): Binder =>
    async (declared) =>
      new Map(
        declared.map((weight): [string, StoredWeight] => {
          const { name, shape } = weight;
          const coding = weight.multiplies === true ? codings[precision](weight) : undefined;
          const whole = () => place(name, () => noise(elementCount(shape), "float32"));
          if (coding === undefined) return [name, { dtype: "float32", data: whole() }];
          let made: Coded | undefined;
          const coded = () => (made ??= randomBlocks(shape as [number, number], coding));
          const packed = place(`${name}:${precision}`, () => coded().packed);
          const scales = place(`${name}:${precision}:scales`, () => coded().scales);
          const blocks = { bits: coding.bits, size: coding.size, packed, scales };
          return [name, { dtype: "float32", data: new Uint8Array(), blocks }]; // the whole of it is never asked for
        }),
      );
  return {
    bind: at("fp32"),
    at,
    dispose: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

/** Any codes, and scales by which a product is as large as what it multiplies. */
export function randomBlocks([rows, columns]: readonly [number, number], coding: Coding): Coded {
  const { packed, scales } = codedSize(rows, columns, coding);
  const spread = 2 ** coding.bits / Math.sqrt(12); // of whole numbers that are all as likely
  const usual = 1 / (spread * Math.sqrt(columns));
  return {
    packed: noise(packed, "uint8"),
    scales: noise(scales / 4, "float32").map((x) => usual * (1 + 10 * x)),
  };
}

// --- internal ---

let serial = 0;
