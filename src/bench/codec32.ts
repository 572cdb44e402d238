/** @file How long do ten seconds of music take through EnCodec 32 kHz, each way, and what share of it is the recurrence? */

import { type CodecConfig, codecConfig, hop } from "../codec/config.js";
import { Encodec } from "../codec/encodec.js";
import { lstmState } from "../codec/lstm.js";
import { Recurrent } from "../codec/pipeline.js";
import * as seanet from "../codec/seanet.js";
import { codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import { input, Scope } from "../graph/value.js";
import { createRuntime, type Runtime } from "../platform/node.js";
import { codec32 } from "../published.js";
import { tensor } from "../tensor.js";
import { arithmeticMeter } from "./arithmetic.js";
import type { Asked } from "./question.js";
import { randomWeights } from "./random-weights.js";
import { fastest, median, type Row, row, timed, timesRealTime } from "./row.js";

const seconds = 10;
const rounds = 3;

export async function codec32Rows({ threads }: Asked): Promise<Row[]> {
  const config = codecConfig(codec32, "EnCodec 32 kHz");
  const weights = randomWeights();
  const runtime = createRuntime();
  const codec = new Encodec(config, 4, runtime, weights.bind, { threads });
  const frames = seconds * codec.frameRate;
  const grid = codes(
    Array.from({ length: 4 }, (_, k) => Int32Array.from({ length: frames }, (_, t) => (t * 37 + k) % 2048)),
  );
  const wave = Float32Array.from({ length: seconds * codec.sampleRate }, (_, i) => Math.sin(i / 20) / 2);
  const recurrence = await decoderRecurrence(config, runtime, weights.bind, frames, threads);
  const arithmetic = await arithmeticMeter(runtime, threads);
  const work = { decode: () => codec.decode([{ codes: [grid] }]), encode: () => codec.encode([[wave]]), recurrence };
  const times = { decode: [] as number[], encode: [] as number[], recurrence: [] as number[] };
  const speeds: number[] = [];
  for (const warmUp of Object.values(work)) await warmUp();
  for (let i = 0; i < rounds; i++) {
    for (const kind of ["decode", "encode", "recurrence"] as const) {
      for (let j = 0; j < 3; j++) speeds.push(await arithmetic());
      times[kind].push(await timed(work[kind]));
    }
  }
  await runtime.dispose();
  weights.dispose();

  const [decode, encode, lstm] = [times.decode, times.encode, times.recurrence].map((t) => median(t) / 1000) as [
    number,
    number,
    number,
  ];
  const multiplying = (frames * operationsPerFrame(config)) / fastest(speeds) / 1000;
  return [
    row("codec32-decode", decode, "s", seconds, "real time, 10 s", timesRealTime(seconds, decode)),
    row("codec32-decode-arithmetic", decode, "s", multiplying, "its operations, at a matrix product's speed"),
    row("codec32-encode", encode, "s", seconds, "real time, 10 s", timesRealTime(seconds, encode)),
    row("codec32-encode-arithmetic", encode, "s", multiplying, "its operations, at a matrix product's speed"),
    row("codec32-lstm-share", lstm, "s", decode, "all of decoding"),
  ];
}

// --- internal ---

/** The decoder's first convolution and its LSTM, in the passes of a hundred frames that decoding makes. */
async function decoderRecurrence(
  c: CodecConfig,
  runtime: Runtime,
  bind: Parameters<typeof compile>[2],
  frames: number,
  threads: number,
): Promise<() => Promise<void>> {
  const p = new Scope();
  const latent = input("x", "float32", ["B", c.hidden_size, "T"]);
  const state = lstmState(c.num_lstm_layers, seanet.innerWidth(c));
  const start = seanet.decoderLstm(p, seanet.decoderStart(p, latent, c), state, c);
  const session = await compile(runtime, { ...start }, bind, { threads });
  const window = tensor("float32", [1, c.hidden_size, 100 + c.kernel_size - 1]);
  window.data.fill(0.1);
  return async () => {
    const recurrent = new Recurrent(session, c.num_lstm_layers, seanet.innerWidth(c));
    for (let done = 0; done < frames; done += 100) await recurrent.run(window);
  };
}

/** Multiplications and additions for a frame of sound; the encoder mirrors the decoder. */
function operationsPerFrame(c: CodecConfig): number {
  let width = seanet.innerWidth(c);
  let operations = c.hidden_size * width * c.kernel_size + c.num_lstm_layers * 8 * width ** 2;
  let rate = 1; // samples per frame at this depth
  for (const stride of c.upsampling_ratios) {
    operations += rate * width * (width / 2) * 2 * stride;
    rate *= stride;
    width /= 2;
    operations += c.num_residual_layers * rate * width * (width / c.compress) * (c.residual_kernel_size + 1);
  }
  return 2 * (operations + hop(c) * width * c.audio_channels * c.last_kernel_size);
}
