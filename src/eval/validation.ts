/** @file How surprised a language model is by clips that it never learnt from: cross-entropy, a codebook at a time. */

import { openTokens } from "../data/lm-batches.js";
import { openDataset } from "../data/segments.js";
import type { TokenFormat } from "../data/token-cache.js";
import { compile } from "../graph/compile.js";
import { readTokenizer } from "../model-files.js";
import type { Folder, Runtime } from "../platform/platform.js";
import { lmBase } from "../train/lm-base.js";
import { conditionBatch } from "../train/lm-conditions.js";
import { lmGraph } from "../train/lm-graph.js";
import { lmBatch } from "../train/lm-loss.js";
import { piecesOf } from "../train/lm-pieces.js";
import { usualMixing } from "../train/lm-text.js";

export interface Surprise {
  /** [K] in nats, told the caption alone. */
  readonly told: readonly number[];
  /** [K] told nothing: the difference is what the words are worth. */
  readonly untold: readonly number[];
}

/** The model in `folder` on the validation clips of `data`; their tokens must be there. */
export async function surprise(
  runtime: Runtime,
  folder: Folder,
  data: string,
  format: TokenFormat,
  signal?: AbortSignal,
): Promise<Surprise> {
  const base = await lmBase(folder);
  const dataset = await openDataset([data], "valid", format);
  const tokens = await openTokens(dataset, format);
  try {
    const { lm, t5, melody, window } = base;
    const shape = {
      batch: 4,
      frames: Math.round((window * format.sampleRate) / format.hop),
      tokens: 64,
      ...(melody && { melody: { bins: melody.config.bins, length: melody.length } }),
    };
    const split = { dataset, tokens };
    const tokenizer = await readTokenizer(folder);
    const reading = { shape, tokenizer, seconds: window, seed: 1, mixing: usualMixing, from: null };
    const heldOut = await piecesOf(split, split, reading).heldOut();
    const { perCodebook } = lmGraph(lm, t5, shape, false);
    const session = await compile(runtime, { perCodebook }, base.bind);
    try {
      const mean = async (dropped: boolean): Promise<number[]> => {
        const sums = new Array<number>(lm.num_codebooks).fill(0);
        for (const { codes, conditions } of heldOut) {
          signal?.throwIfAborted();
          const told = conditions.map(({ text }) => ({ text, dropped }));
          const { perCodebook } = await session.run({ ...lmBatch(codes, lm), ...conditionBatch(told, shape, lm, t5) });
          for (const [k, value] of (perCodebook!.data as Float32Array).entries()) sums[k]! += value / heldOut.length;
        }
        return sums;
      };
      return { told: await mean(false), untold: await mean(true) };
    } finally {
      await session.dispose();
    }
  } finally {
    await tokens.close();
    await base.close();
  }
}
