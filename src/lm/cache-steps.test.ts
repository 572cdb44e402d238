import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { integers, readGolden, readGoldenJson, repositoryFile, rowsOf } from "../../test/golden.js";
import { codes } from "../codes.js";
import { loadModel, type MusicModel } from "../model.js";
import { createRuntime, openFolder } from "../platform/node.js";
import { type CacheSteps, measureCacheSteps } from "./cache-steps.js";
import { compose, type Item } from "./compose.js";
import { patternFor, specialToken } from "./config.js";
import { guide } from "./guidance.js";
import { logitsAt } from "./lm.js";
import { build } from "./patterns.js";

const runtime = createRuntime();
const load = async () => loadModel(await openFolder(repositoryFile("models/mini-reference")), "mini", runtime);
const { prompts } = readGoldenJson<{ prompts: { text: string }[] }>("mini_reference", "golden.json");
const frames = 200;
const grid = codes(rowsOf(integers(readGolden("mini_reference", "golden.safetensors"), "p0.codes"), frames));

let whole: MusicModel;
let short: MusicModel;
let steps: CacheSteps;
before(async () => {
  [whole, short] = await Promise.all([load(), load()]);
  // Not the prompts that are composed below.
  const texts = await Promise.all(["drums", "a slow piece for piano"].map((text) => short.text.encode(text)));
  const conditions = texts.map((text) => ({ text }));
  steps = await measureCacheSteps(short.lm, conditions);
  assert.deepEqual(await measureCacheSteps(short.lm, conditions), steps);
  short.lm.useCacheSteps(async () => steps);
});
after(() => runtime.dispose());

const items = async (): Promise<Item[]> =>
  Promise.all(prompts.map(async ({ text }, seed) => ({ condition: { text: await short.text.encode(text) }, seed })));

/** Guided log-probabilities of every next code of the golden piece, [S][K]. */
async function expectations({ lm, text }: MusicModel): Promise<Float64Array[]> {
  const { config } = lm;
  const columns = build(patternFor(config, frames), grid, specialToken(config));
  const decoding = await lm.open([{ text: await text.encode(prompts[0]!.text) }], true, frames);
  const found: Float64Array[] = [];
  const guided = new Float32Array(config.vocab_size);
  for (let step = 0; step < frames; step++) {
    const logits = await decoding.step([Int32Array.from(columns, (row) => row[step]!)], 1);
    for (let k = 0; k < config.num_codebooks; k++) {
      guide(logitsAt(logits, config, 0, k), logitsAt(logits, config, 1, k), 3, guided);
      const most = Math.max(...guided);
      const sum = guided.reduce((total, x) => total + Math.exp(x - most), 0);
      found.push(Float64Array.from(guided, (x) => x - most - Math.log(sum)));
    }
  }
  await decoding.dispose();
  return found;
}

test("with keys and values in 8 bits, the model expects what it does without", async () => {
  const [p, q] = [await expectations(whole), await expectations(short)];
  const divergences = p.map((row, i) => row.reduce((sum, x, code) => sum + Math.exp(x) * (x - q[i]![code]!), 0));
  const mean = divergences.reduce((a, b) => a + b) / divergences.length;
  assert.ok(mean > 0 && mean < 5e-4, `${mean} nats`);
  const best = (row: Float64Array) => row.indexOf(Math.max(...row));
  const agreeing = p.filter((row, i) => best(row) === best(q[i]!)).length / p.length;
  assert.ok(agreeing > 0.98, `${agreeing}`);
});

test("with keys and values in 8 bits, a piece is in a batch what it is alone", async () => {
  const options = { frames: 60, guidance: 3, sampling: { temperature: 1, topK: 50, topP: 0 } };
  const play = async (some: readonly Item[]) => {
    const played = some.map((): number[] => []);
    for await (const { codes } of compose(short.lm, some, options))
      for (const [i, piece] of codes.entries()) played[i]!.push(...piece.flatMap((row) => [...row]));
    return played;
  };
  const all = await items();
  const together = await play(all);
  for (const [i, item] of all.entries()) assert.deepEqual(await play([item]), [together[i]]);
});
