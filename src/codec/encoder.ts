/** @file Waveform to codes, in windows, with the codes of encoding the whole clip and memory that its length does not decide. */

import { type Codes, codes, joinFrames } from "../codes.js";
import type { Session } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { type CodecConfig, hop } from "./config.js";
import type { Samples } from "./decoder.js";
import { cut } from "./frames.js";
import { convPadding } from "./padding.js";
import { Convolved, Recurrent } from "./pipeline.js";
import { encoderContext, innerWidth } from "./seanet.js";

/** The encoder's graphs: waveform of one length -> features; the recurrence; padded features -> codes. */
export interface EncoderSessions {
  /** A session belongs to the length of its input: that decides how every layer fills its last frame. */
  convolutions(length: number): Promise<Session>;
  readonly recurrence: Session;
  readonly end: Session;
}

/**
 * @param samples [B][channels][N], N > 0
 * @param window frames a pass
 * @returns [B] grids of [K][ceil(N / hop)]
 */
export async function encodeClip(
  sessions: EncoderSessions,
  config: CodecConfig,
  samples: Samples,
  options: { window?: number; signal?: AbortSignal | undefined } = {},
): Promise<Codes[]> {
  const wholeClip = config.norm_type === "time_group_norm"; // it looks at all of it
  const window = wholeClip ? Number.POSITIVE_INFINITY : (options.window ?? 200);
  const context = encoderContext(config);
  const size = hop(config);
  const length = samples[0]![0]!.length;
  const frames = Math.ceil(length / size);

  const recurrent = new Recurrent(sessions.recurrence, config.num_lstm_layers, innerWidth(config));
  const end = new Convolved(convPadding(config.last_kernel_size, 1, 1, 0, config.use_causal_conv), config.pad_mode);
  const found: Codes[][] = [];

  // Every pass but the last reads window + 2 context frames, so that they share one session.
  for (let done = 0; done < frames; ) {
    options.signal?.throwIfAborted();
    const from = Math.max(0, done - context);
    const last = from + window + 2 * context >= frames;
    const to = last ? frames : from + window + context;
    const stop = last ? length : (to + context) * size;
    const session = await sessions.convolutions(stop - from * size);
    const { features } = await session.run({ waveform: samplesTensor(samples, from * size, stop) });
    end.append(await recurrent.run(cut(features!, done - from, to - from)));
    const padded = end.next(last);
    if (padded !== undefined) found.push(codesOf((await sessions.end.run({ features: padded })).codes!));
    done = to;
  }
  return samples.map((_, b) => joinFrames(found.map((piece) => piece[b]!)));
}

// --- internal ---

function samplesTensor(samples: Samples, from: number, to: number): Tensor<"float32"> {
  const channels = samples[0]!.length;
  const length = to - from;
  const data = new Float32Array(samples.length * channels * length);
  for (const [b, item] of samples.entries())
    for (const [c, row] of item.entries()) data.set(row.subarray(from, to), (b * channels + c) * length);
  return tensor("float32", [samples.length, channels, length], data);
}

function codesOf(grid: Tensor): Codes[] {
  const [batch, codebooks, frames] = grid.shape as [number, number, number];
  const data = grid.data as BigInt64Array;
  return Array.from({ length: batch }, (_, b) =>
    codes(
      Array.from({ length: codebooks }, (_, k) =>
        Int32Array.from({ length: frames }, (_, t) => Number(data[(b * codebooks + k) * frames + t])),
      ),
    ),
  );
}
