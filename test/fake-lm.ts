/** @file For tests of what happens around a language model: one whose logits are a hash of all that it has read. */

import { type Codes, codes, joinFrames } from "../src/codes.js";
import type { Composed } from "../src/lm/compose.js";
import { type Condition, planRows } from "../src/lm/condition.js";
import { lmConfig } from "../src/lm/config.js";
import type { LanguageModel } from "../src/lm/lm.js";
import { uniform } from "../src/lm/random.js";
import { tensor } from "../src/tensor.js";

export const bins = 61;

/**
 * A model whose logits are a hash of all that a row has read: of its text, and of every column in order. With `flat`,
 * every code is as likely as another.
 */
export function fakeModel({ channels = 1, flat = false } = {}) {
  const config = lmConfig({ vocab_size: bins, num_codebooks: 4, audio_channels: channels }, true, "fake");
  const log = { opened: 0, disposed: 0, columns: 0 };
  const open = async (conditions: readonly Condition[], guided: boolean) => {
    log.opened++;
    const plan = planRows(conditions, guided);
    const heard = plan.rows.map(({ condition }) => condition.text?.data[0] ?? 0);
    return {
      plan,
      async step(columns: readonly Int32Array[], count: number) {
        log.columns += count;
        const logits = new Float32Array(plan.rows.length * 4 * bins);
        for (const [r, { item }] of plan.rows.entries()) {
          for (let s = 0; s < count; s++)
            for (let k = 0; k < 4; k++) heard[r] = (heard[r]! * 31 + columns[item]![k * count + s]! + 1) % 1_000_003;
          if (!flat) for (let i = 0; i < 4 * bins; i++) logits[r * 4 * bins + i] = ((heard[r]! + i) * 7919) % 1009;
        }
        return logits;
      },
      async dispose() {
        log.disposed++;
      },
    };
  };
  return { lm: { config, open } as unknown as LanguageModel, log };
}

export const text = (id: number): Condition => ({ text: tensor("float32", [1, 1, 1], Float32Array.of(id)) });
export const randomCodes = (frames: number, seed: number): Codes =>
  codes([0, 1, 2, 3].map((k) => Int32Array.from({ length: frames }, (_, t) => Math.floor(uniform(seed, t, k) * bins))));

export async function collect(events: AsyncIterable<Composed>) {
  const all: Composed[] = [];
  for await (const event of events) all.push(event);
  const pieces = all[0]!.codes.map((_, i) => joinFrames(all.map((event) => event.codes[i]!)));
  return { all, pieces };
}
