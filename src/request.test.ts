import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HocketError } from "./errors.js";
import { parseRequest } from "./request.js";

const sound = { sampleRate: 8000, channels: [Float32Array.of(0, 0.5)] };

test("what is left out has its default, and prompts may be anything", () => {
  assert.deepEqual(parseRequest({ prompt: "" }), { prompt: "", duration: 8, variations: 1 });
  for (const prompt of ["\0", "\ud800", "🎹".repeat(5000), ["a", ""]])
    assert.deepEqual(parseRequest({ prompt }).prompt, prompt);
  assert.deepEqual(parseRequest({ prompt: ["a", "b"], seed: [1, 0], melody: sound }).seed, [1, 0]);
});

test("what cannot be is named, with what it may be", () => {
  const cases: [object, RegExp][] = [
    [{}, /^prompt: say what it should sound like$/],
    [{ prompt: 3 }, /^prompt: 3 is not a string$/],
    [{ prompt: [] }, /^prompt: the list is empty$/],
    [{ prompt: new Array(65).fill("a") }, /^prompt: the list is too long: give at most 64$/],
    [{ prompt: ["a", 3] }, /^prompt: 3 is not a string$/],
    [{ prompt: "", duration: -1 }, /^duration: -1 is too little: give more than 0$/],
    [{ prompt: "", duration: Number.NaN }, /^duration: NaN is not a number$/],
    [{ prompt: "", duration: Number.POSITIVE_INFINITY }, /^duration: Infinity is not a number$/],
    [{ prompt: "", duration: "8" }, /^duration: "8" is not a number$/],
    [{ prompt: "", duration: 3601 }, /^duration: 3601 is too much: give at most 3600$/],
    [{ prompt: "", seed: 0.5 }, /^seed: 0.5 is not a whole number$/],
    [{ prompt: "", seed: -1 }, /^seed: -1 is too little: give at least 0$/],
    [{ prompt: "", seed: 2 ** 53 - 1 }, /^seed: 9007199254740991 is too much: give at most 9007199254740927$/],
    [{ prompt: "", seed: "7" }, /^seed: "7" is not a number$/],
    [{ prompt: "", seed: [1, -2] }, /^seed.1: -2 is too little: give at least 0$/],
    [{ prompt: "", topK: 1.5, topP: 2 }, /^topK: 1.5 is not a whole number; topP: 2 is too much: give at most 1$/],
    [{ prompt: "", greedy: "yes" }, /^greedy: "yes" is not a boolean$/],
    [{ prompt: "", top_k: 5 }, /^there is no top_k$/],
    [{ prompt: "", melody: "tune.wav" }, /^melody: it is not a waveform: { sampleRate, channels }/],
    [{ prompt: "", melody: { ...sound, channels: [] } }, /^melody: it holds no samples$/],
    [{ prompt: "", melody: { ...sound, sampleRate: 0.5 } }, /^melody: a sample rate of 0.5 Hz is not a whole number$/],
    [{ prompt: "", continue: { ...sound, channels: [[1, 2]] } }, /^continue: it is not a waveform/],
    [
      { prompt: "", continue: { ...sound, channels: [Float32Array.of(0, Number.NaN)] } },
      /^continue: sample 1 of channel 0 is NaN/,
    ],
  ];
  for (const [request, message] of cases)
    assert.throws(
      () => parseRequest(request),
      (error) => error instanceof HocketError && error.code === "bad-request" && message.test(error.message),
      String(message),
    );
  assert.throws(
    () => parseRequest({ prompt: "", topK: -1 }, (field) => `--${field}`),
    /^HocketError: --topK: -1 is too/,
  );
});

test("any value is a request or a HocketError of one line", () => {
  const value = fc.anything({ maxDepth: 2, withBigInt: true, withTypedArray: true, withNullPrototype: true });
  const fields = ["prompt", "duration", "seed", "variations", "temperature", "topK", "greedy", "melody", "other"];
  fc.assert(
    fc.property(fc.oneof(value, fc.dictionary(fc.constantFrom(...fields), value)), (request) => {
      try {
        parseRequest(request);
      } catch (error) {
        assert(error instanceof HocketError && error.code === "bad-request", String(error));
        assert.doesNotMatch(error.message, /\n/);
      }
    }),
    { numRuns: 1000 },
  );
});
