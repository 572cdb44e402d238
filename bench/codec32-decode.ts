/** @file Does decoding with EnCodec 32 kHz keep ahead of PyTorch? Run as a program, it measures our side. */

import { randomWeights } from "../src/bench/random-weights.js";
import { type Row, row } from "../src/bench/row.js";
import { codecConfig } from "../src/codec/config.js";
import { Encodec } from "../src/codec/encodec.js";
import { codes } from "../src/codes.js";
import { createRuntime } from "../src/platform/node.js";
import { codec32 } from "../src/published.js";
import { inTurn, measure, middle, type Stepping } from "./train-step.js";

/** Ten seconds. */
const setting = {
  filters: codec32.num_filters,
  ratios: codec32.upsampling_ratios,
  bins: codec32.codebook_size,
  codebooks: 4,
  frames: 500,
  width: 128,
  lstms: 2,
};

/** By the clock on all cores, and the processor's time on one, which other work on the machine changes least. */
export async function decodeBesideTorch(): Promise<Row[]> {
  const measured = await inTurn("codec32-decode", setting);
  if (measured === undefined) return [];
  const wall = middle(measured.many, (m) => m.seconds);
  const work = middle(measured.one, (m) => m.cpu);
  return [
    row("codec32-decode-pytorch", wall[0], "s", wall[1], "PyTorch's, 10 s"),
    row("codec32-decode-pytorch-work", work[0], "s", work[1], "PyTorch's, 10 s on one thread, processor time"),
  ];
}

if (process.argv[1] === import.meta.filename) await ours(JSON.parse(process.argv[2]!) as typeof setting & Stepping);

// --- internal ---

async function ours(s: typeof setting & Stepping): Promise<void> {
  const weights = randomWeights();
  const runtime = createRuntime();
  const config = codecConfig(codec32, "EnCodec 32 kHz");
  const codec = new Encodec(config, s.codebooks, runtime, weights.bind, { threads: s.threads });
  const rows = Array.from({ length: s.codebooks }, (_, k) =>
    Int32Array.from({ length: s.frames }, (_, t) => (t * 37 + k) % s.bins),
  );
  await measure(s, async () => {
    const [[sound]] = (await codec.decode([{ codes: [codes(rows)] }])) as [[Float32Array]];
    return sound.reduce((sum, sample) => sum + Math.abs(sample), 0) / sound.length;
  });
  await runtime.dispose();
  weights.dispose();
}
