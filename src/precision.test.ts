import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { qualities } from "../bench/quality.js";
import { largestDifference, repositoryFile } from "../test/golden.js";
import type { Binder } from "./graph/compile.js";
import type { StoredNumbers } from "./graph/onnx.js";
import { LanguageModel } from "./lm/lm.js";
import { loadModel, type MusicModel } from "./model.js";
import { generate } from "./musicgen.js";
import { createRuntime, openFile, openFolder } from "./platform/node.js";
import { chosenPrecision, codings, fullQuality, type Precision } from "./precision.js";
import { bindWeights } from "./weights/bind.js";
import type { Checkpoint } from "./weights/checkpoint.js";
import { dequantise } from "./weights/quantise.js";
import { quantised } from "./weights/quantised.js";

const mini = repositoryFile("models/mini-reference");
const cache = mkdtempSync(join(tmpdir(), "hocket-precision-"));
const runtime = createRuntime();
let model: MusicModel;
before(async () => {
  model = await loadModel(await openFolder(mini), "mini-reference", runtime, { threads: 1 });
});
after(async () => {
  await model.dispose();
  await runtime.dispose();
  rmSync(cache, { recursive: true });
});

const own: Binder = (declared) => bindWeights(declared, model.checkpoint);
const bytesAt = async (data: StoredNumbers) => {
  assert.ok(!(data instanceof Uint8Array));
  const file = await openFile(data.location);
  const bytes = await file.read(data.offset, data.length);
  await file.close();
  return bytes;
};

/** Binds in float32 the numbers that the blocks of `bind` stand for. */
const dequantised =
  (bind: Binder): Binder =>
  async (declared) => {
    const bound = new Map(await bind(declared));
    for (const { name, shape } of declared) {
      const { blocks } = bound.get(name)!;
      if (blocks === undefined) continue;
      const packed = await bytesAt(blocks.packed);
      const scales = new Float32Array((await bytesAt(blocks.scales)).slice().buffer);
      const data = new Uint8Array(dequantise({ packed, scales }, shape[1]!, blocks).buffer);
      bound.set(name, { dtype: "float32", data });
    }
    return bound;
  };

/** Guided greedy steps' logits and choices; `follow` chooses instead, if given. */
async function steps(bind: Binder, count: number, follow?: readonly Int32Array[]) {
  const lm = new LanguageModel(model.lm.config, model.lm.around, runtime, bind, { threads: 1 });
  const decoding = await lm.open([{ text: await model.text.encode("dark organ, fast, 130 bpm") }], true, count);
  const bins = lm.config.vocab_size;
  let column: Int32Array = new Int32Array(4).fill(bins);
  const [logits, chosen]: [Float32Array[], Int32Array[]] = [[], []];
  for (let step = 0; step < count; step++) {
    const made = await decoding.step([column], 1);
    logits.push(made);
    const guided = made.subarray(0, 4 * bins).map((x, i) => made[4 * bins + i]! + 3 * (x - made[4 * bins + i]!));
    const best = [0, 1, 2, 3]
      .map((k) => guided.subarray(k * bins, (k + 1) * bins))
      .map((row) => row.indexOf(Math.max(...row)));
    chosen.push(Int32Array.from(best));
    column = (follow ?? chosen)[step]!;
  }
  await decoding.dispose();
  await lm.dispose();
  return { logits, chosen };
}

for (const precision of ["int8", "int4"] as const)
  test(`${precision} computes what its weights, as float32, compute`, async () => {
    const at = (exact: boolean) => quantised(own, { coding: codings[precision], folder: cache, exact });
    const plain = await steps(dequantised(at(true)), 40);
    const exact = await steps(at(true), 40);
    assert.deepEqual(exact.chosen, plain.chosen); // the same piece, code for code
    for (const [i, logits] of exact.logits.entries()) assert.ok(largestDifference(logits, plain.logits[i]!) < 2e-4);
    // With inputs rounded to 8 bits as well: the logits, of which the largest is around 10, stay within 0.35.
    const rounded = await steps(at(false), 40, plain.chosen);
    const apart = rounded.logits.map((logits, i) => largestDifference(logits, plain.logits[i]!));
    assert.ok(Math.max(...apart) < 0.35, `${Math.max(...apart)}`);
    // But the weights are not the model's own.
    const ownLogits = await steps(own, 1);
    assert.ok(largestDifference(plain.logits[0]!, ownLogits.logits[0]!) > 1e-3);
  });

test("what auto may choose costs less than it says, and int4 costs little", async () => {
  const wanted = (["int8", "int4"] as const).map((id) => {
    return { id, coding: (name: string) => codings[id]({ name, shape: [] }) };
  });
  const found: Record<string, number> = {};
  for await (const { id, quality } of qualities(mini, wanted, { frames: 40, count: 3 })) found[id] = quality.guidedKl;
  assert.equal(found.fp32, 0);
  assert.ok(found.int8! > 0 && found.int8! < fullQuality, `int8 costs ${found.int8}`);
  assert.ok(found.int4! > found.int8! && found.int4! < 0.05, `int4 costs ${found.int4}`);
});

test("a precision is loaded, kept, told of, and makes its own piece", async () => {
  const pieces: Record<string, string> = {};
  for (const precision of ["fp32", "int8", "int4", "int8"] as const) {
    const at = join(cache, "kept");
    const loaded = await loadModel(await openFolder(mini), "mini", runtime, { threads: 1, precision, cache: at });
    assert.equal(loaded.precision, precision);
    for await (const event of generate(loaded, { prompt: "bells", duration: 1, seed: 3 })) {
      if (event.type === "start") assert.equal(event.settings.precision, precision);
      if (event.type !== "done") continue;
      const written = event.pieces[0]!.codes.map((row) => row.join()).join("\n");
      assert.equal(pieces[precision] ?? written, written, "the same seed and precision, the same piece");
      pieces[precision] = written;
    }
    await loaded.dispose();
  }
  assert.equal(new Set(Object.values(pieces)).size, 3);
  assert.equal(readdirSync(join(cache, "kept")).length, 4); // of each precision but fp32 the weights, and what keys and values are kept in
});

test("what a step multiplies by is coded, what a condition passes through is not", () => {
  for (const precision of ["int8", "int4"] as const) {
    const coding = (name: string) => codings[precision]({ name, shape: [8, 8], multiplies: true });
    assert.equal(coding("enc_to_dec_proj.weight"), undefined);
    assert.equal(coding("audio_enc_to_dec_proj.weight"), undefined);
    assert.equal(coding("decoder.model.decoder.layers.0.fc1.weight")?.bits, precision === "int8" ? 8 : 4);
    assert.equal(coding("decoder.lm_heads.3.weight")?.bits, 8);
  }
});

test("auto takes int8 for large models, and float32 for small ones", () => {
  const of = (width: number) => {
    const tensors = new Map([["decoder.x.weight", { name: "decoder.x.weight", shape: [width, width] }]]);
    return { tensors } as unknown as Checkpoint;
  };
  assert.equal(chosenPrecision("auto", of(2000)), "fp32");
  assert.equal(chosenPrecision("auto", of(3000)), "int8");
  for (const asked of ["fp32", "int8", "int4"] satisfies Precision[])
    assert.equal(chosenPrecision(asked, of(9)), asked);
});
