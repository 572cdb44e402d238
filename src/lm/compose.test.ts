import assert from "node:assert/strict";
import { after, test } from "node:test";
import { named, readGolden, readGoldenJson } from "../../test/golden.js";
import { bindTensors, flat } from "../../test/models.js";
import { type Codes, joinFrames, sliceFrames } from "../codes.js";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { type ComposeOptions, compose, type Item } from "./compose.js";
import { lmConfig } from "./config.js";
import { LanguageModel } from "./lm.js";
import { defaultSampling } from "./sampling.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const states = named(readGolden("musicgen_tiny"), "text.last_hidden_state").data as Float32Array<ArrayBuffer>;
const textWidth = 32;
/** The first `tokens` states of the reference's texts. */
const text = (tokens: number) => ({
  text: tensor("float32", [1, tokens, textWidth], states.slice(0, tokens * textWidth)),
});
const options: ComposeOptions = { frames: 20, guidance: 3, sampling: { ...defaultSampling, topK: 50 } };

async function play(
  lm: LanguageModel,
  items: readonly Item[],
  changed: Partial<ComposeOptions> = {},
): Promise<Codes[]> {
  let pieces: Codes[] | undefined;
  for await (const { codes } of compose(lm, items, { ...options, ...changed }))
    pieces = pieces?.map((piece, i) => joinFrames([piece, codes[i]!])) ?? [...codes];
  return pieces!;
}

for (const folder of ["musicgen_tiny", "musicgen_tiny_stereo"]) {
  const { decoder } = readGoldenJson<{ decoder: unknown }>(folder);
  const bind = bindTensors(readGolden(folder, "model.safetensors"));
  const lm = new LanguageModel(lmConfig(decoder, true, folder), { textWidth }, runtime, bind);

  test(`${folder}: a seed makes the same codes alone and among texts of other lengths`, async () => {
    const items: Item[] = [
      { seed: 1, condition: text(7) },
      { seed: 2, condition: text(2) },
      { seed: 3, condition: {} },
      { seed: 2 ** 53 - 1, condition: text(5) },
    ];
    const together = await play(lm, items);
    for (const [i, item] of items.entries()) assert.deepEqual(await play(lm, [item]), [together[i]]);
    assert.deepEqual(await play(lm, [...items].reverse()), [...together].reverse());
  });

  test(`${folder}: another seed, text, guidance, temperature, place in the piece or prompt makes other codes`, async () => {
    const item: Item = { seed: 0, condition: text(7) };
    const [first] = await play(lm, [item]);
    const variants = [
      [first],
      await play(lm, [{ ...item, seed: 1 }]),
      await play(lm, [{ ...item, condition: text(3) }]),
      await play(lm, [item], { guidance: 1 }),
      await play(lm, [item], { sampling: { ...defaultSampling, temperature: 0.5 } }),
      await play(lm, [item], { sampling: { ...defaultSampling, topP: 0.5 } }),
      await play(lm, [item], { sampling: { ...defaultSampling, temperature: 0 } }),
      await play(lm, [item], { firstFrame: 100 }),
      await play(lm, [{ ...item, prompt: sliceFrames(first!, 3, 8) }]),
    ];
    assert.equal(new Set(variants.map((pieces) => flat([pieces[0]!]).join())).size, variants.length);
    assert.deepEqual(await play(lm, [item]), [first]); // and the same again
  });

  test(`${folder}: a piece goes on from its own beginning as it went the first time`, async () => {
    const item: Item = { seed: 5, condition: text(7) };
    const [piece] = await play(lm, [item]);
    for (const given of [1, 2, 11, 19]) {
      const [rest] = await play(lm, [{ ...item, prompt: sliceFrames(piece!, 0, given) }]);
      assert.deepEqual(rest, sliceFrames(piece!, given));
    }
  });
}

test("a prompt that leaves nothing to compose is refused before the model is opened", async () => {
  const lm = { config: lmConfig({}, true, "") } as LanguageModel;
  const prompt = [0, 1, 2, 3].map(() => new Int32Array(20)) as unknown as Codes;
  await assert.rejects(
    play(lm, [{ seed: 0, condition: {}, prompt }]),
    /prompt of 20 frames leaves nothing to compose of 20/,
  );
});
