import assert from "node:assert/strict";
import { after, test } from "node:test";
import { floats, integers, largestDifference, named, readGolden, readGoldenJson, rowsOf } from "../../test/golden.js";
import { bindTensors, flat } from "../../test/models.js";
import { type Codes, codes } from "../codes.js";
import { compile } from "../graph/compile.js";
import { input, Scope } from "../graph/value.js";
import { fitLength } from "../melody/chroma.js";
import { createRuntime } from "../platform/node.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { relativeBuckets, t5Config, t5Encoder, t5Inputs } from "../text/t5.js";
import { compose, type Item } from "./compose.js";
import type { Condition } from "./condition.js";
import { lmConfig } from "./config.js";
import { LanguageModel } from "./lm.js";
import { positionRows } from "./positions.js";
import { lmInputs, textMemory, transformer } from "./transformer.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const greedy = { temperature: 0, topK: 0, topP: 0 };

interface CompositeJson {
  text_encoder: { d_model: number };
  decoder: unknown;
  chroma_length?: number;
}

function golden(folder: string) {
  const json = readGoldenJson<CompositeJson>(folder);
  const config = lmConfig(json.decoder, json.chroma_length === undefined, folder);
  const model = readGolden(folder, "model.safetensors");
  const around = {
    textWidth: json.text_encoder.d_model,
    ...(json.chroma_length === undefined ? {} : { melody: { bins: 12, length: json.chroma_length } }),
  };
  return {
    config,
    lm: new LanguageModel(config, around, runtime, bindTensors(model)),
    model,
    inputs: readGolden(folder, "inputs.safetensors"),
    expected: readGolden(folder),
  };
}

/** The text states of prompt `b`, as the reference's T5 made them, without its padding. */
function text(
  set: ReturnType<typeof golden>,
  b: number,
  states = named(set.expected, "text.last_hidden_state"),
): Condition {
  const [, length, width] = states.shape as [number, number, number];
  const mask = integers(set.inputs, "attention_mask").subarray(b * length, (b + 1) * length);
  const tokens = mask.reduce((sum, kept) => sum + kept, 0);
  const start = b * length * width;
  return {
    text: tensor(
      "float32",
      [1, tokens, width],
      (states.data as Float32Array<ArrayBuffer>).slice(start, start + tokens * width),
    ),
  };
}

async function play(lm: LanguageModel, items: readonly Item[], frames: number, guidance: number): Promise<Codes[]> {
  const pieces: number[][][] = items.map(() => Array.from({ length: lm.config.num_codebooks }, () => []));
  for await (const { codes: grids } of compose(lm, items, { frames, guidance, sampling: greedy }))
    for (const [i, grid] of grids.entries()) for (const [k, row] of grid.entries()) pieces[i]![k]!.push(...row);
  return pieces.map((grid) => codes(grid.map((row) => Int32Array.from(row))));
}

const framesOf = (set: ReturnType<typeof golden>, name: string) => named(set.expected, `${name}.codes`).shape[2]!;

for (const folder of ["musicgen_tiny", "musicgen_tiny_stereo"]) {
  const set = golden(folder);
  const items = [0, 1].map((b) => ({ condition: text(set, b), seed: 0 }));

  test(`${folder}: greedy codes with guidance are the reference's`, async () => {
    const ours = await play(set.lm, items, framesOf(set, "gen"), 3);
    assert.deepEqual(flat(ours), Array.from(integers(set.expected, "gen.codes")));
  });

  test(`${folder}: greedy codes without guidance, and without text, are the reference's`, async () => {
    const plain = await play(set.lm, items, framesOf(set, "nocfg"), 1);
    assert.deepEqual(flat(plain), Array.from(integers(set.expected, "nocfg.codes")));
    const free = await play(set.lm, [{ condition: {}, seed: 0 }], framesOf(set, "uncond"), 3);
    assert.deepEqual(flat(free), Array.from(integers(set.expected, "uncond.codes")));
  });

  test(`${folder}: codes after a prompt are the reference's, and the prompt is kept`, async () => {
    const prompts = gridsOf(integers(set.expected, "prompted.prompt_codes"), set.config.num_codebooks, 2);
    const prompted = items.map((item, b) => ({ ...item, prompt: prompts[b]! }));
    const ours = await play(set.lm, prompted, framesOf(set, "prompted"), 3);
    const whole = ours.map((grid, b) => grid.map((row, k) => [...prompts[b]![k]!, ...row]));
    assert.deepEqual(flat(whole), Array.from(integers(set.expected, "prompted.codes")));
  });

  test(`${folder}: logits, states and attention of a whole sequence are the reference's`, async () => {
    const p = new Scope();
    const { cache: _, ...inputs } = lmInputs(set.config);
    const outputs = transformer(p.at("decoder"), inputs, set.config, "all");
    const last = p.taps.get(`decoder.model.decoder.hidden.1`)!;
    const self = p.taps.get("decoder.model.decoder.layers.0.self_attn.weights")!;
    const session = await compile(runtime, { logits: outputs.logits, last, self }, bindTensors(set.model));
    const ids = integers(set.inputs, "decoder_input_ids");
    const count = named(set.inputs, "decoder_input_ids").shape[1]!;
    const result = await session.run({
      columns: int64([2, set.config.num_codebooks, count], ids),
      positions: tensor("float32", [1, count, 48], positionRows(0, count, 48)),
      ...(await memory(set)),
    });
    assert.ok(largestDifference(result.logits!.data as Float32Array, floats(set.expected, "fwd.logits")) < 3e-5);
    assert.ok(
      largestDifference(result.last!.data as Float32Array, floats(set.expected, "fwd.decoder_hidden_states.1")) < 2e-5,
    );
    assert.ok(largestDifference(result.self!.data as Float32Array, floats(set.expected, "fwd.self_attn.0")) < 1e-5);
  });

  test(`${folder}: a cached step equals reading the prefix anew, alone or in a batch`, async () => {
    const count = 150;
    const columns = [1, 2].map((b) =>
      Int32Array.from({ length: set.config.num_codebooks * count }, (_, i) => (i * 37 * b) % 512),
    );
    const both = await set.lm.open(
      items.map((item) => item.condition),
      true,
      count,
    );
    const whole = await both.step(columns, count);
    const stepped = await set.lm.open(
      items.map((item) => item.condition),
      true,
      count,
    );
    let logits = new Float32Array();
    for (let s = 0; s < count; s++)
      logits = (await stepped.step(
        columns.map((grid) => grid.filter((_, i) => i % count === s)),
        1,
      )) as Float32Array<ArrayBuffer>;
    assert.ok(largestDifference(logits, whole) < 3e-5);

    const rowSize = set.config.num_codebooks * set.config.vocab_size;
    for (const [i, item] of items.entries()) {
      const alone = await set.lm.open([item.condition], true, count);
      const single = await alone.step([columns[i]!], count);
      const { conditional, unconditional } = both.plan.items[i]!;
      for (const [row, mine] of [
        [conditional, 0],
        [unconditional!, 1],
      ] as const)
        assert.ok(
          largestDifference(
            single.subarray(mine * rowSize, (mine + 1) * rowSize),
            whole.subarray(row * rowSize, (row + 1) * rowSize),
          ) < 1e-5,
        );
    }
  });
}

const melody = golden("musicgen_melody_tiny");

/**
 * The first prompt, which the reference did not pad, with or without its tune. (The second is padded, and what the
 * reference makes of it depends on the first: it attends to the padding. Ours does not.)
 */
async function melodyItem(tune: boolean): Promise<Item> {
  const p = new Scope();
  const config = t5Config(readGoldenJson<CompositeJson>("musicgen_melody_tiny").text_encoder, "melody");
  const session = await compile(
    runtime,
    { states: t5Encoder(p.at("text_encoder"), t5Inputs(), config) },
    bindTensors(melody.model),
  );
  const tokens = named(melody.inputs, "input_ids").shape[1]!;
  assert.ok(
    integers(melody.inputs, "attention_mask")
      .subarray(0, tokens)
      .every((kept) => kept === 1),
  );
  const { states } = await session.run({
    ids: int64([1, tokens], integers(melody.inputs, "input_ids").subarray(0, tokens)),
    mask: tensor("float32", [1, 1, 1, tokens]),
    buckets: relativeBuckets(tokens, config),
  });
  const winners = rowsOf(floats(melody.expected, "chroma.hf.wav_a"), 12).map((frame) => frame.indexOf(1));
  return {
    condition: {
      text: states as Tensor<"float32">,
      melody: tune ? fitLength(Int32Array.from(winners), 14) : undefined,
    },
    seed: 0,
  };
}

for (const [name, tune, guidance] of [
  ["gen", true, 3],
  ["text_only", false, 3],
  ["nocfg", true, 1],
] as const)
  test(`melody model, ${name}: greedy codes are the reference's`, async () => {
    const [ours] = await play(melody.lm, [await melodyItem(tune)], framesOf(melody, name), guidance);
    const expected = integers(melody.expected, `${name}.codes`);
    assert.deepEqual(flat([ours!]), Array.from(expected.subarray(0, expected.length / 2)));
  });

test("melody model: logits after the reference's own prefix are the reference's", async () => {
  const { config } = melody;
  const p = new Scope();
  const { cache: _, ...inputs } = lmInputs(config);
  const outputs = transformer(p.at("decoder"), inputs, config, "all");
  const session = await compile(runtime, { logits: outputs.logits }, bindTensors(melody.model));
  for (const name of ["fwd", "fwd_text_only"]) {
    const prefix = named(melody.expected, `${name}.prefix`);
    const before = prefix.shape[1]!;
    const count = named(melody.inputs, "decoder_input_ids").shape[1]!;
    const positions = positionRows(0, before + count, 48);
    const result = await session.run({
      columns: int64([2, config.num_codebooks, count], integers(melody.inputs, "decoder_input_ids")),
      positions: tensor("float32", [2, before + count, 48], Float32Array.of(...positions, ...positions)),
      start: int64([2, 1], [0, 0]),
      prefix,
    });
    const ours = rowsOf(result.logits!.data as Float32Array, (before + count) * config.vocab_size);
    const codesOnly = ours.flatMap((row) => Array.from(row.subarray(before * config.vocab_size)));
    assert.ok(largestDifference(codesOnly, floats(melody.expected, `${name}.logits`)) < 3e-5, name);
  }
});

test("melody model: items with texts of different lengths get in a batch what they get alone", async () => {
  const long = await melodyItem(true);
  const { text } = long.condition;
  const short: Item = { seed: 0, condition: { text: tensor("float32", [1, 2, 32], text!.data.slice(0, 64)) } };
  const items = [long, short, { seed: 0, condition: {} }];
  const together = await play(melody.lm, items, 12, 3);
  for (const [i, item] of items.entries()) assert.deepEqual(await play(melody.lm, [item], 12, 3), [together[i]]);
});

test("melody model: another tune, another text and no tune each change the codes", async () => {
  const item = await melodyItem(true);
  const tune = item.condition.melody!;
  const states = item.condition.text!;
  const variants: Condition[] = [
    item.condition,
    { ...item.condition, melody: tune.map((pitch) => (pitch + 5) % 12) },
    { ...item.condition, melody: undefined },
    {
      ...item.condition,
      text: tensor(
        "float32",
        states.shape,
        states.data.map((value) => -value),
      ),
    },
  ];
  const played: string[] = [];
  for (const condition of variants) played.push(flat(await play(melody.lm, [{ condition, seed: 0 }], 12, 3)).join());
  assert.equal(new Set(played).size, variants.length);
});

function gridsOf(flatCodes: Int32Array, codebooks: number, batch: number): Codes[] {
  const frames = flatCodes.length / codebooks / batch;
  return Array.from({ length: batch }, (_, b) =>
    codes(
      Array.from({ length: codebooks }, (_, k) =>
        flatCodes.slice((b * codebooks + k) * frames, (b * codebooks + k + 1) * frames),
      ),
    ),
  );
}

/** The reference's own projected and masked text, as every layer's keys and values. */
async function memory(set: ReturnType<typeof golden>) {
  const states = named(set.expected, "text.projected_masked");
  const [batch, tokens, width] = states.shape as [number, number, number];
  const p = new Scope();
  const session = await compile(
    runtime,
    textMemory(p.at("decoder"), input("states", "float32", ["B", "L", width]), set.config),
    bindTensors(set.model),
  );
  const mask = Float32Array.from(integers(set.inputs, "attention_mask"), (kept) => (kept === 1 ? 0 : -1e9));
  return { ...(await session.run({ states })), "text.mask": tensor("float32", [batch, 1, 1, tokens], mask) };
}
