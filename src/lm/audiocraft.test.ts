import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fromAudiocraft } from "../../test/audiocraft-names.js";
import { floats, integers, largestDifference, named, readGolden, rowsOf } from "../../test/golden.js";
import { bindTensors, flat } from "../../test/models.js";
import { type Codes, codes, joinFrames } from "../codes.js";
import { compile } from "../graph/compile.js";
import { input, Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { compose } from "./compose.js";
import type { Condition } from "./condition.js";
import { lmConfig, patternFor, specialToken } from "./config.js";
import { guide } from "./guidance.js";
import { LanguageModel, logitsAt } from "./lm.js";
import { build } from "./patterns.js";
import { positionRows } from "./positions.js";
import { lmInputs, textMemory, transformer } from "./transformer.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const width = 48;
const inputs = readGolden("audiocraft_lm_tiny", "inputs.safetensors");
const expected = readGolden("audiocraft_lm_tiny");
const bind = bindTensors(fromAudiocraft(readGolden("audiocraft_lm_tiny", "model.safetensors")));
const config = lmConfig(
  { vocab_size: 64, num_hidden_layers: 2, ffn_dim: 192, num_attention_heads: 4, hidden_size: width },
  true,
  "audiocraft_lm_tiny",
);
// The reference's text states are projected already: they are as wide as the model.
const lm = new LanguageModel(config, { textWidth: width }, runtime, bind);

/** The first `tokens` text states of row `b`. */
const states = (b: number, tokens: number): Tensor<"float32"> => {
  const row = rowsOf(floats(expected, "eval.cond") as Float32Array<ArrayBuffer>, 7 * width)[b]!;
  return tensor("float32", [1, tokens, width], row.slice(0, tokens * width));
};
const [textA, textB]: [Condition, Condition] = [{ text: states(0, 7) }, { text: states(1, 3) }];

/** [B, K, S, bins]: logits at every column of `sequence`. */
async function forward(sequence: Int32Array, texts: Tensor, batch: number): Promise<Float32Array> {
  const p = new Scope();
  const count = sequence.length / batch / config.num_codebooks;
  const { cache: _, ...inputs } = lmInputs(config);
  const { logits } = transformer(p.at("decoder"), inputs, config, "all");
  const memory = textMemory(p.at("decoder"), input("states", "float32", ["B", "L", width]), config);
  const held = await (await compile(runtime, memory, bind)).run({ states: texts });
  const result = await (await compile(runtime, { logits }, bind)).run({
    columns: int64([batch, config.num_codebooks, count], sequence),
    positions: tensor("float32", [1, count, width], positionRows(0, count, width)),
    ...held,
    "text.mask": tensor("float32", [batch, 1, 1, texts.shape[1]!]), // nothing is masked, as in audiocraft
  });
  return result.logits!.data as Float32Array;
}

test("logits of a batch, whose padded texts audiocraft attends to, are audiocraft's", async () => {
  const logits = await forward(integers(inputs, "sequence"), named(expected, "eval.cond"), 3);
  assert.ok(largestDifference(logits, floats(expected, "eval.logits")) < 2e-5);
});

test("logits of a text on its own are audiocraft's", async () => {
  const sequence = rowsOf(integers(inputs, "sequence"), 4 * 9)[1]!;
  const logits = await forward(sequence, textB.text!, 1);
  assert.ok(largestDifference(logits, floats(expected, "eval.logits_b_alone")) < 2e-5);
});

/** Item `b` of golden codes [B, K, T]. */
function grid(tensors: Map<string, Tensor>, name: string, b: number): Codes {
  const frames = named(tensors, name).shape[2]!;
  return codes(rowsOf(rowsOf(integers(tensors, name), 4 * frames)[b]!, frames));
}

async function play(condition: Condition, prompt?: Codes): Promise<Codes> {
  let piece = prompt ?? codes(Array.from({ length: 4 }, () => new Int32Array(0)));
  const options = { frames: 10, guidance: 3, sampling: { temperature: 0, topK: 0, topP: 0 } };
  for await (const event of compose(lm, [{ condition, seed: 0, prompt }], options))
    piece = joinFrames([piece, event.codes[0]!]);
  return piece;
}

// Row 0 of a batch has the longest text, so it is not padded: what a neighbour does to row 1 is audiocraft's alone.
test("greedy codes with guidance are audiocraft's", async () => {
  assert.deepEqual(flat([await play(textB)]), flat([grid(expected, "greedy_single_b.codes", 0)]));
  assert.deepEqual(flat([await play(textA)]), flat([grid(expected, "greedy.codes", 0)]));
  assert.deepEqual(flat([await play(textA)]), flat([grid(expected, "greedy_two_step.codes", 0)]));
});

test("greedy codes after a prompt are audiocraft's", async () => {
  const played = await play(textA, grid(inputs, "prompt", 0));
  assert.deepEqual(flat([played]), flat([grid(expected, "greedy_prompted.codes", 0)]));
});

test("guided logits of every step are audiocraft's", async () => {
  const pattern = patternFor(config, 10);
  const delayed = build(pattern, grid(expected, "greedy_single_b.codes", 0), specialToken(config));
  const decoding = await lm.open([textB], true, 13);
  const target = rowsOf(floats(expected, "greedy_single_b.step_logits") as Float32Array, config.vocab_size);
  const guided = new Float32Array(config.vocab_size);
  for (let step = 0; step < 13; step++) {
    const logits = await decoding.step([Int32Array.from(delayed, (row) => row[step]!)], 1);
    for (let k = 0; k < 4; k++) {
      guide(logitsAt(logits, config, 0, k), logitsAt(logits, config, 1, k), 3, guided);
      assert.ok(largestDifference(guided, target[step * 4 + k]!) < 1e-4, `step ${step}, codebook ${k}`);
    }
  }
  await decoding.dispose();
});
