import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { integers, named, readGolden, readGoldenJson, rowsOf } from "../../test/golden.js";
import { type Codes, codes, type DelayedCodes, delayedCodes } from "../codes.js";
import {
  build,
  coarseFirstPattern,
  completeFrames,
  delayPattern,
  firstStepWith,
  logitSteps,
  maxDelay,
  musicLmPattern,
  type Pattern,
  parallelPattern,
  revert,
  stereoDelays,
  unrollPattern,
  validSteps,
} from "./patterns.js";

interface Reverted {
  special_token: number;
  values: number[][];
  indexes: number[][];
  mask: number[][];
}
interface Sequence {
  values: number[][];
  indexes: number[][];
  mask: number[][];
  revert: Reverted;
  "revert_logits_of_index_k*S+s": Reverted;
}
interface Case {
  provider: string;
  n_q: number;
  args: { delays?: number[]; flattening?: number[]; flatten_first?: number; empty_initial?: number; group_by?: number };
  timesteps: number;
  special_token: number;
  input: number[][];
  layout: [number, number][][];
  max_delay: number;
  num_sequence_steps: number;
  valid_layout_len: number;
  first_step_with_timestep: number[];
  first_step_with_timestep_q: number[][];
  all_steps: Sequence;
  valid_steps_only: Sequence;
}

const upTo = (count: number) => Array.from({ length: count }, (_, k) => k);
const zeros = (count: number) => Array.from({ length: count }, () => 0);
const delayed = ({ n_q, args, timesteps }: Case) =>
  delayPattern(timesteps, args.delays ?? upTo(n_q), {
    flattenFirst: args.flatten_first ?? 0,
    emptyInitial: args.empty_initial ?? 0,
  });
const coarseFirst = ({ n_q, args, timesteps }: Case) => coarseFirstPattern(timesteps, args.delays ?? zeros(n_q - 1));
const providers: Record<string, (c: Case) => Pattern> = {
  parallel: ({ n_q, args, timesteps }) => parallelPattern(timesteps, n_q, args.empty_initial),
  delay: delayed,
  delay_stereo: delayed,
  unroll: ({ n_q, args, timesteps }) => unrollPattern(timesteps, args.flattening ?? upTo(n_q), args.delays),
  coarse_first: coarseFirst,
  "valle_v1.0.0": coarseFirst,
  music_lm: ({ n_q, args, timesteps }) => musicLmPattern(timesteps, n_q, args.group_by),
};

const grid = (rows: readonly (readonly number[])[]) => rows.map((row) => Int32Array.from(row));
const plain = (rows: readonly Int32Array[]) => rows.map((row) => [...row]);
/** [rows][width] whose values name their own position. */
const positions = (rows: number, width: number) =>
  upTo(rows).map((k) => Int32Array.from(upTo(width), (s) => k * width + s));

for (const c of readGoldenJson<Case[]>("codebook_patterns", "patterns.json"))
  test(`${c.provider}, ${c.n_q} codebooks, ${JSON.stringify(c.args)}, ${c.timesteps} frames: as audiocraft`, () => {
    const full = providers[c.provider]!(c);
    assert.deepEqual(full.steps, c.layout);
    assert.equal(maxDelay(full), c.max_delay);
    assert.equal(full.steps.length - 1, c.num_sequence_steps);
    assert.equal(validSteps(full).steps.length, c.valid_layout_len);
    assert.deepEqual(
      upTo(c.timesteps).map((t) => firstStepWith(full, t)),
      c.first_step_with_timestep,
    );
    assert.deepEqual(plain(full.stepOf), c.first_step_with_timestep_q);
    checkSequence(full, c, c.all_steps);
    checkSequence(validSteps(full), c, c.valid_steps_only);
  });

function checkSequence(pattern: Pattern, c: Case, expected: Sequence) {
  const steps = pattern.steps.length;
  const none = c.n_q * steps;
  const sequence = build(pattern, codes(grid(c.input)), c.special_token);
  assert.deepEqual(plain(sequence), expected.values);
  assert.deepEqual(plain(build(pattern, codes(positions(c.n_q, c.timesteps)), c.n_q * c.timesteps)), expected.indexes);
  assert.deepEqual(
    plain(pattern.frameAt).map((row) => row.map((t) => Number(t >= 0))),
    expected.mask,
  );

  const back = expected.revert;
  assert.deepEqual(plain(revert(pattern, sequence, back.special_token)), back.values);
  assert.deepEqual(plain(revert(pattern, delayedCodes(positions(c.n_q, steps)), none)), back.indexes);
  assert.deepEqual(
    plain(pattern.stepOf).map((row) => row.map((s) => Number(s >= 0))),
    back.mask,
  );

  const logits = expected["revert_logits_of_index_k*S+s"];
  const from = plain(logitSteps(pattern));
  assert.deepEqual(
    from.map((row, k) => row.map((s) => (s < 0 ? none : k * steps + s))),
    logits.indexes,
  );
  assert.deepEqual(
    from.map((row, k) => row.map((s) => (s < 0 ? logits.special_token : k * steps + s))),
    logits.values,
  );
}

for (const [folder, delays] of [
  ["musicgen_tiny", [0, 1, 2, 3]],
  ["musicgen_tiny_stereo", stereoDelays([0, 1, 2, 3])],
] as const)
  test(`${folder}: the delay order of L columns is Hugging Face's mask of that length`, () => {
    const inputs = readGolden(folder, "inputs.safetensors");
    const expected = readGolden(folder);
    const pad = 512;
    const ids = rowsOf(integers(inputs, "pattern_ids"), named(inputs, "pattern_ids").shape[1]!);
    let compared = 0;
    for (const name of expected.keys()) {
      const found = /^pattern\.max(\d+)\.prompt(\d+)\.mask$/.exec(name);
      if (found === null) continue;
      const [columns, prompt] = [Number(found[1]), Number(found[2])];
      if (columns < 2 * 4 - 1) continue; // transformers leaves such short sequences undelayed: no order of ours
      const pattern = delayPattern(columns - 4, delays);
      const masks = rowsOf(integers(expected, name), columns);
      const starts = rowsOf(integers(expected, name.replace("mask", "input_ids")), prompt);
      for (let first = 0; first < masks.length; first += delays.length) {
        const rows = (all: Int32Array[]) => all.slice(first, first + delays.length);
        // The first column of the ids is the opening one; -1 stands for what is to be generated.
        const known = rows(ids).map((row) =>
          Int32Array.from({ length: pattern.frames }, (_, t) => (t + 1 < prompt ? row[t + 1]! : -1)),
        );
        const sequence = build(pattern, codes(known), pad);
        assert.deepEqual(sequence, rows(masks));
        const start = firstStepWith(pattern, prompt - 1);
        assert.deepEqual(
          sequence.map((row) => row.slice(0, start)),
          rows(starts),
        );
        compared++;
      }
    }
    assert.equal(compared, 8);
  });

test("building and reverting is the identity; frames complete when their last code is there", () => {
  const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }).map((gaps) => {
    let delay = 0;
    return gaps.map((gap) => (delay += gap));
  });
  const patterns = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), delays, fc.nat(3), fc.integer({ min: -1, max: 3 }))
      .map(([frames, late, flattenFirst, emptyInitial]) => delayPattern(frames, late, { flattenFirst, emptyInitial })),
    fc.tuple(fc.integer({ min: 1, max: 12 }), delays).map(([frames, late]) => coarseFirstPattern(frames, late)),
    fc.tuple(fc.integer({ min: 1, max: 12 }), delays).map(([frames, late]) =>
      unrollPattern(
        frames,
        late.map((_, k) => k),
        late,
      ),
    ),
  );
  fc.assert(
    fc.property(patterns, (pattern) => {
      const all: Codes = codes(positions(pattern.codebooks, pattern.frames));
      const sequence: DelayedCodes = build(pattern, all, -1);
      assert.deepEqual(revert(pattern, sequence, -2), all);
      const complete = completeFrames(pattern);
      for (const s of pattern.steps.keys()) {
        const seen = revert(pattern, delayedCodes(sequence.map((row) => row.map((v, at) => (at <= s ? v : -2)))), -2);
        let frames = 0;
        while (frames < pattern.frames && seen.every((row) => row[frames] !== -2)) frames++;
        assert.equal(complete[s], frames);
      }
    }),
  );
});

test("sampling steps for 30 s of four codebooks", () => {
  const steps = (pattern: Pattern) => pattern.steps.length - 1;
  assert.equal(steps(delayPattern(1500, [0, 1, 2, 3])), 1503);
  assert.equal(steps(delayPattern(1500, stereoDelays([0, 1, 2, 3]))), 1503);
  assert.equal(steps(parallelPattern(1500, 4)), 1500);
  assert.equal(steps(unrollPattern(1500, [0, 1, 1, 1])), 3000);
  assert.equal(steps(coarseFirstPattern(1500, [0, 0, 0])), 3000);
  assert.equal(steps(unrollPattern(1500, [0, 1, 2, 3])), 6000);
});

test("a pattern refuses what it cannot order", () => {
  assert.throws(() => delayPattern(4, [0, 2, 1]), /delays/);
  assert.throws(() => delayPattern(0, [0, 1]), /frames/);
  assert.throws(() => unrollPattern(4, [0, 1, 1], [0, 1, 2]), /share a step/);
  assert.throws(() => build(delayPattern(4, [0, 1]), codes(positions(2, 3)), 0), /\[2, 4\]/);
});
