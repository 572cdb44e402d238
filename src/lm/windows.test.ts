import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Codes, codes, frameCount, joinFrames, sliceFrames } from "../codes.js";
import { tensor } from "../tensor.js";
import { type Composed, compose } from "./compose.js";
import { type Condition, planRows } from "./condition.js";
import { delays, lmConfig } from "./config.js";
import type { LanguageModel } from "./lm.js";
import { uniform } from "./random.js";
import type { Sampling } from "./sampling.js";
import { composePiece, type PieceItem, planWindows } from "./windows.js";

const bins = 61;
const greedy: Sampling = { temperature: 0, topK: 0, topP: 0 };
const even: Sampling = { temperature: 1, topK: 0, topP: 0 };

/**
 * A model whose logits are a hash of all that a row has read: of its text, and of every column in order. With `flat`,
 * every code is as likely as another.
 */
function fakeModel({ channels = 1, flat = false } = {}) {
  const config = lmConfig({ vocab_size: bins, num_codebooks: 4, audio_channels: channels }, true, "fake");
  const log = { opened: 0, disposed: 0, columns: 0 };
  const open = async (conditions: readonly Condition[], guided: boolean) => {
    log.opened++;
    const plan = planRows(conditions, guided);
    const heard = plan.rows.map(({ condition }) => condition.text?.data[0] ?? 0);
    return {
      plan,
      async step(columns: readonly Int32Array[], count: number) {
        log.columns += count;
        const logits = new Float32Array(plan.rows.length * 4 * bins);
        for (const [r, { item }] of plan.rows.entries()) {
          for (let s = 0; s < count; s++)
            for (let k = 0; k < 4; k++) heard[r] = (heard[r]! * 31 + columns[item]![k * count + s]! + 1) % 1_000_003;
          if (!flat) for (let i = 0; i < 4 * bins; i++) logits[r * 4 * bins + i] = ((heard[r]! + i) * 7919) % 1009;
        }
        return logits;
      },
      async dispose() {
        log.disposed++;
      },
    };
  };
  return { lm: { config, open } as unknown as LanguageModel, log };
}

const text = (id: number): Condition => ({ text: tensor("float32", [1, 1, 1], Float32Array.of(id)) });
const item = (seed: number, prompt?: Codes): PieceItem => ({ seed, prompt, condition: () => text(seed + 1) });
const randomCodes = (frames: number, seed: number): Codes =>
  codes([0, 1, 2, 3].map((k) => Int32Array.from({ length: frames }, (_, t) => Math.floor(uniform(seed, t, k) * bins))));

async function collect(events: AsyncIterable<Composed>) {
  const all: Composed[] = [];
  for await (const event of events) all.push(event);
  const pieces = all[0]!.codes.map((_, i) => joinFrames(all.map((event) => event.codes[i]!)));
  return { all, pieces };
}

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
