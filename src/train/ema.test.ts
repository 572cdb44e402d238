import assert from "node:assert/strict";
import { after, test } from "node:test";
import { largestDifference } from "../../test/golden.js";
import { compile } from "../graph/compile.js";
import { Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import { averageAll, averageCount, averageName, comesIn, noAverages } from "./ema.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const config = { decay: 0.75, every: 3 };
const weights = new Scope();
weights.weight("a", [5]);
weights.weight("b.weight", [2, 2]);

const weightsAt = (step: number): Record<string, Tensor> => ({
  a: tensor(
    "float32",
    [5],
    Float32Array.from({ length: 5 }, (_, i) => Math.cos(7 * step + i)),
  ),
  "b.weight": tensor(
    "float32",
    [2, 2],
    Float32Array.from({ length: 4 }, (_, i) => Math.sin(5 * step + i)),
  ),
});

test("the average is the mean of the weights that came, each counted by what is kept of it", async () => {
  const session = await compile(runtime, averageAll(weights.weights, config), async () => new Map());
  let state = noAverages(weights.weights);
  assert.equal(state[averageCount]!.data[0], 0, "before the first there is none");
  const seen: Float32Array[] = [];
  for (let step = 1; step <= 14; step++) {
    const now = weightsAt(step);
    assert.equal(comesIn(step, config), [3, 6, 9, 12].includes(step));
    if (!comesIn(step, config)) continue;
    state = (await session.run({ ...now, ...state })) as Record<string, Tensor>;
    seen.push(now.a!.data as Float32Array);
    const shares = seen.map((_, i) => config.decay ** (seen.length - 1 - i));
    const whole = shares.reduce((a, b) => a + b);
    const expected = Float64Array.from(
      { length: 5 },
      (_, i) => shares.reduce((sum, share, j) => sum + share * seen[j]![i]!, 0) / whole,
    );
    assert.ok(largestDifference(state[averageName("a")]!.data as Float32Array, expected) < 1e-6);
    assert.ok(Math.abs((state[averageCount]!.data[0] as number) - whole) < 1e-6);
    // The first one is the weights themselves, bit for bit.
    if (seen.length === 1) assert.deepEqual(state[averageName("b.weight")], now["b.weight"]);
  }
  assert.deepEqual(Object.keys(state).sort(), ["a.average", "average.count", "b.weight.average"]);
});
