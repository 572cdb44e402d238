/** @file A sliding window over a clip that arrives piece by piece: [B, C, T], of which only what is still needed is kept. */

import { assert } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import type { CodecConfig } from "./config.js";
import { type Padding, padRow } from "./padding.js";

export class Frames {
  #rows: Float32Array[] = []; // one a batch item and channel
  #shape: readonly [number, number] = [0, 0];
  /** The clip's frame that the rows start at, and the one after the last that has arrived. */
  #first = 0;
  end = 0;

  append(piece: Tensor): void {
    const [batch, channels, count] = piece.shape as [number, number, number];
    const data = piece.data as Float32Array;
    this.#shape = [batch, channels];
    this.#rows = Array.from({ length: batch * channels }, (_, r) => {
      const kept = this.#rows[r] ?? new Float32Array(0);
      const row = new Float32Array(kept.length + count);
      row.set(kept);
      row.set(data.subarray(r * count, (r + 1) * count), kept.length);
      return row;
    });
    this.end += count;
  }

  /** Frames `from` to `to` of the clip, padded where the window lies at an edge of the clip. */
  window(
    from: number,
    to: number,
    padding: Padding = { left: 0, right: 0 },
    mode: CodecConfig["pad_mode"] = "constant",
  ): Tensor {
    assert(
      from >= this.#first && to <= this.end,
      `frames ${from} to ${to} are not at hand (${this.#first} to ${this.end})`,
    );
    const rows = this.#rows.map((row) => padRow(row.subarray(from - this.#first, to - this.#first), padding, mode));
    const length = rows[0]!.length;
    const data = new Float32Array(rows.length * length);
    for (const [r, row] of rows.entries()) data.set(row, r * length);
    return tensor("float32", [...this.#shape, length], data);
  }

  /** Forgets the frames before `frame`. */
  drop(frame: number): void {
    const count = Math.max(0, frame - this.#first);
    this.#rows = this.#rows.map((row) => row.slice(count));
    this.#first += count;
  }
}

/** Elements `from` to `to` of the last axis of [B, C, N]. */
export function cut(x: Tensor, from: number, to: number): Tensor<"float32"> {
  const [batch, channels, length] = x.shape as [number, number, number];
  const size = to - from;
  const data = new Float32Array(batch * channels * size);
  for (let row = 0; row < batch * channels; row++)
    data.set((x.data as Float32Array).subarray(row * length + from, row * length + to), row * size);
  return tensor("float32", [batch, channels, size], data);
}
