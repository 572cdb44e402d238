import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bins, collect, fakeModel, randomCodes, text } from "../../test/fake-lm.js";
import { type Codes, codes, frameCount, joinFrames, sliceFrames } from "../codes.js";
import { compose } from "./compose.js";
import { delays } from "./config.js";
import { uniform } from "./random.js";
import type { Sampling } from "./sampling.js";
import { composePiece, type PieceItem, planWindows } from "./windows.js";

const greedy: Sampling = { temperature: 0, topK: 0, topP: 0 };
/** The fake model is sure of itself: only so do seeds tell. */
const even: Sampling = { temperature: 300, topK: 0, topP: 0 };

const item = (seed: number, prompt?: Codes): PieceItem => ({ seed, prompt, condition: () => text(seed + 1) });
const sizes = fc
  .tuple(fc.integer({ min: 2, max: 20 }), fc.nat(), fc.integer({ min: 1, max: 60 }), fc.nat(50))
  .map(([window, stride, composed, prompted]) => ({
    window,
    stride: 1 + (stride % (window - 1)),
    frames: prompted + composed,
    prompted,
  }));

test("windows compose every frame once, and re-read what overlaps", () => {
  fc.assert(
    fc.property(sizes, ({ frames, prompted, window, stride }) => {
      const windows = planWindows(frames, prompted, window, stride);
      let composed = prompted;
      for (const [i, { start, from, end }] of windows.entries()) {
        assert.equal(from, composed);
        assert.ok(start >= 0 && start <= from && from < end && end - start <= window);
        if (i > 0) {
          assert.equal(start, windows[i - 1]!.start + stride);
          assert.equal(from - start, window - stride);
        }
        // Only the last may be shorter than a window, and the first only reads what fits.
        assert.ok(end - start === window || i === windows.length - 1);
        composed = end;
      }
      assert.equal(composed, frames);
    }),
  );
  assert.throws(() => planWindows(10, 10, 5, 3));
  assert.throws(() => planWindows(10, 0, 5, 5));
});

test("a long piece is its windows, composed one by one", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom(1, 3), async ({ frames, prompted, window, stride }, guidance) => {
      const { lm, log } = fakeModel();
      const options = { guidance, sampling: greedy };
      const items = [1, 2].map((seed) => item(seed, prompted === 0 ? undefined : randomCodes(prompted, seed)));
      const { all, pieces } = await collect(composePiece(lm, items, { frames, window, stride, ...options }));
      assert.deepEqual(
        all.map(({ step }) => step),
        all.map((_, i) => i + 1),
      );
      assert.ok(all.every(({ steps }) => steps === all.length));
      assert.equal(log.disposed, log.opened);

      for (const [i, { seed, prompt }] of items.entries()) {
        let whole = prompt ?? randomCodes(0, 0);
        for (const { start, from, end } of planWindows(frames, prompted, window, stride)) {
          const one = { seed, condition: text(seed + 1), prompt: sliceFrames(whole, start, from) };
          const made = await collect(compose(lm, [one], { frames: end - start, firstFrame: start, ...options }));
          whole = joinFrames([whole, made.pieces[0]!]);
        }
        assert.deepEqual(joinFrames([prompt ?? randomCodes(0, 0), pieces[i]!]), whole);
      }
    }),
    { numRuns: 30 },
  );
});

for (const channels of [1, 2])
  test(`${channels} channel(s): every code is drawn with its own number, whatever the windows`, async () => {
    const { lm } = fakeModel({ channels, flat: true });
    const late = delays(lm.config);
    await fc.assert(
      fc.asyncProperty(sizes, fc.maxSafeInteger(), async ({ frames, prompted, window, stride }, any) => {
        const seed = Math.abs(any);
        const piece = item(seed, prompted === 0 ? undefined : randomCodes(prompted, 9));
        const options = { frames, window, stride, guidance: 1, sampling: even };
        const { pieces } = await collect(composePiece(lm, [{ ...piece, condition: () => ({}) }], options));
        const draw = (t: number, k: number) => Math.floor(uniform(seed, prompted + t + 1 + late[k]!, k) * bins);
        assert.deepEqual(
          pieces[0],
          codes([0, 1, 2, 3].map((k) => Int32Array.from({ length: frames - prompted }, (_, t) => draw(t, k)))),
        );
      }),
      { numRuns: 30 },
    );
  });

test("frames are given out as soon as all their codes are chosen, and in order", async () => {
  const { lm } = fakeModel();
  const { all } = await collect(
    composePiece(lm, [item(1)], { frames: 10, window: 6, stride: 4, guidance: 1, sampling: even }),
  );
  // Six frames take nine steps, because the last codebook speaks three late, and four more frames take seven.
  assert.deepEqual(
    all.map((event) => frameCount(event.codes[0]!)),
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1],
  );
});

test("each window is told where it starts, and takes the condition from there", async () => {
  const { lm } = fakeModel();
  const starts: number[] = [];
  const condition = (start: number) => {
    starts.push(start);
    return text(start);
  };
  const options = { frames: 20, window: 8, stride: 5, guidance: 1, sampling: greedy };
  const { pieces } = await collect(composePiece(lm, [{ seed: 0, condition }], options));
  assert.deepEqual(starts, [0, 5, 10, 15]);
  const constant = await collect(composePiece(lm, [{ seed: 0, condition: () => text(0) }], options));
  assert.deepEqual(sliceFrames(pieces[0]!, 0, 8), sliceFrames(constant.pieces[0]!, 0, 8));
  assert.notDeepEqual(pieces, constant.pieces);
});

const channels = fc.constantFrom(1, 2);
const cuts = (frames: number, any: readonly number[]) =>
  [...new Set(any.map((cut) => 1 + (cut % Math.max(1, frames - 1))))]
    .filter((cut) => cut < frames)
    .sort((a, b) => a - b);

test("a change to the same condition changes nothing, wherever it is", async () => {
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.array(fc.nat(), { maxLength: 4 }),
      channels,
      async ({ prompted, ...size }, any, channels) => {
        const { lm, log } = fakeModel({ channels });
        const options = { ...size, guidance: 3, sampling: even };
        const piece = item(4, prompted === 0 ? undefined : randomCodes(prompted, 9));
        const plain = await collect(composePiece(lm, [piece], options));
        const { all, pieces } = await collect(
          composePiece(lm, [piece], { ...options, changes: cuts(size.frames, any) }),
        );
        assert.deepEqual(pieces, plain.pieces);
        assert.ok(all.every(({ step, steps }, i) => step === i + 1 && steps === all.length));
        assert.equal(log.disposed, log.opened);
      },
    ),
    { numRuns: 40 },
  );
});

test("each part is what its own condition would go on to from all that is before it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 20 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      channels,
      async (frames, any, channels) => {
        const { lm } = fakeModel({ channels });
        const options = { frames, window: 30, stride: 20, guidance: 3, sampling: even };
        const changes = cuts(frames, any);
        const condition = (_: number, from: number) => text(from);
        const { pieces } = await collect(composePiece(lm, [{ seed: 3, condition }], { ...options, changes }));
        let whole = randomCodes(0, 0);
        for (const [i, from] of [0, ...changes].entries()) {
          const alone = { seed: 3, condition: () => text(from), prompt: whole };
          const on = await collect(composePiece(lm, [alone], options));
          whole = joinFrames([whole, sliceFrames(on.pieces[0]!, 0, (changes[i] ?? frames) - from)]);
        }
        assert.deepEqual(pieces[0], whole);
      },
    ),
    { numRuns: 40 },
  );
});

test("an abort is felt within a step, and what was opened is disposed of", async () => {
  const options = { frames: 40, window: 10, stride: 6, guidance: 3, sampling: even };
  for (const after of [1, 5, 14, 20]) {
    const { lm, log } = fakeModel();
    const controller = new AbortController();
    const { signal } = controller;
    let events = 0;
    const run = async () => {
      for await (const _ of composePiece(lm, [item(1)], { ...options, signal }))
        if (++events === after) controller.abort();
    };
    await assert.rejects(run, { name: "AbortError" });
    assert.equal(events, after);
    assert.equal(log.disposed, log.opened);
  }
  const { lm, log } = fakeModel();
  for await (const _ of composePiece(lm, [item(1)], options)) break; // whoever stops listening
  assert.deepEqual(log, { opened: 1, disposed: 1, columns: 2 }); // the model is a column ahead of who listens
});
