import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { collect, fakeModel, randomCodes, text } from "../../test/fake-lm.js";
import { type Codes, frameCount, joinFrames, sliceFrames } from "../codes.js";
import { delays, patternFor, specialToken } from "./config.js";
import type { LanguageModel } from "./lm.js";
import { logitsAt } from "./lm.js";
import { build } from "./patterns.js";
import { composeRegion, type RegionOptions } from "./region.js";
import { logLikelihood, type Sampling } from "./sampling.js";
import { composePiece } from "./windows.js";

/** The fake model is sure of itself: only so do seeds tell. */
const even: Sampling = { temperature: 300, topK: 0, topP: 0 };
const base = { window: 30, stride: 20, guidance: 3, sampling: even, candidates: 4, listen: 5 };
const condition = () => text(3);

const take = randomCodes(24, 1);
const of = (grid: Codes, from: number, to: number, changed: Partial<RegionOptions> = {}) => {
  const prompt = from === 0 ? undefined : sliceFrames(grid, 0, from);
  return (lm: LanguageModel, seed = 7) =>
    collect(
      composeRegion(lm, [{ seed, prompt, condition }], { ...base, after: sliceFrames(grid, to), to, ...changed }),
    );
};

/** How likely the model finds frames `from` on of a piece, of which the last are only there for early codebooks: step by step. */
async function oddsOf(lm: LanguageModel, grid: Codes, from: number, frames: number, until: number): Promise<number> {
  const { config } = lm;
  const pattern = patternFor(config, frames);
  const columns = build(pattern, sliceFrames(grid, 0, frames), specialToken(config));
  const decoding = await lm.open([condition()], false, pattern.steps.length);
  let odds = 0;
  for (let step = 1; step <= until + delays(config).at(-1)!; step++) {
    const logits = await decoding.step([Int32Array.from(columns, (row) => row[step - 1]!)], 1);
    for (const [k, row] of columns.entries())
      if (pattern.frameAt[k]![step]! >= from) odds += logLikelihood(logitsAt(logits, config, 0, k), row[step]!);
  }
  return odds;
}

test("the candidate is taken behind which what follows is the likeliest, and all else stays", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(22),
      fc.nat(),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(1, 2),
      async (from, length, listen, channels) => {
        const { lm, log } = fakeModel({ channels });
        const to = from + 1 + (length % (23 - from));
        const { all, pieces } = await of(take, from, to, { listen })(lm);
        assert.deepEqual(sliceFrames(pieces[0]!, to - from), sliceFrames(take, to));
        assert.ok(
          all.every(({ step, steps, codes }, i) => step === i + 1 && (step === steps || frameCount(codes[0]!) === 0)),
        );
        assert.equal(log.disposed, log.opened);

        const until = Math.min(24, to + listen);
        const frames = Math.min(24, until + delays(lm.config).at(-1)!);
        const before = sliceFrames(take, 0, from);
        let best: { odds: number; region: Codes } | undefined;
        for (let attempt = 0; attempt < 4; attempt++) {
          const one = { seed: 7, attempt, condition, prompt: before, after: sliceFrames(take, to, frames) };
          const made = await collect(composePiece(lm, [one], { ...base, frames, until }));
          const region = sliceFrames(made.pieces[0]!, 0, to - from);
          const odds = await oddsOf(lm, joinFrames([before, region, sliceFrames(take, to)]), to, frames, until);
          assert.ok(Math.abs(odds - made.all.at(-1)!.odds[0]!) < 1e-6, `${odds} ${made.all.at(-1)!.odds[0]}`);
          if (best === undefined || odds > best.odds + 1e-9) best = { odds, region };
        }
        assert.deepEqual(sliceFrames(pieces[0]!, 0, to - from), best!.region);
      },
    ),
    { numRuns: 30 },
  );
});

test("where nothing follows, it is the piece going on, and one of the whole is a plain piece", async () => {
  for (const from of [0, 1, 17]) {
    const { lm } = fakeModel();
    const { pieces } = await of(take, from, 24)(lm);
    const prompt = from === 0 ? undefined : sliceFrames(take, 0, from);
    const plain = await collect(composePiece(lm, [{ seed: 7, condition, prompt }], { ...base, frames: 24 }));
    assert.deepEqual(pieces, plain.pieces);
  }
});

test("a region longer than a window, or near the end of one, joins what is around it", async () => {
  for (const [from, to] of [
    [2, 90],
    [30, 49],
    [30, 50],
    [95, 97],
    [0, 99],
  ] as const) {
    const { lm, log } = fakeModel();
    const long = randomCodes(100, 2);
    const [one, other, again] = [7, 8, 7].map((seed) => of(long, from, to)(lm, seed));
    const { pieces, all } = await one!;
    assert.equal(frameCount(pieces[0]!), 100 - from);
    assert.deepEqual(sliceFrames(pieces[0]!, to - from), sliceFrames(long, to));
    assert.ok(all.at(-1)!.odds[0]! < 0);
    assert.deepEqual((await again!).pieces, pieces);
    assert.notDeepEqual((await other!).pieces, pieces);
    assert.equal(log.disposed, log.opened);
  }
});

test("several together are what each is alone", async () => {
  const { lm } = fakeModel();
  const items = [1, 2].map((seed) => ({ seed, prompt: sliceFrames(take, 0, 6), condition }));
  const options = { ...base, after: sliceFrames(take, 12), to: 12 };
  const { pieces } = await collect(composeRegion(lm, items, options));
  for (const [i, item] of items.entries())
    assert.deepEqual((await collect(composeRegion(lm, [item], options))).pieces, [pieces[i]]);
});

test("greedily all candidates would be the same, so there is one", async () => {
  const { lm, log } = fakeModel();
  const sampling = { ...even, temperature: 0 };
  const { pieces } = await of(take, 4, 9, { sampling })(lm);
  const { columns } = log;
  assert.deepEqual((await of(take, 4, 9, { sampling, candidates: 1 })(lm)).pieces, pieces);
  assert.equal(log.columns, 2 * columns);
});
