import assert from "node:assert/strict";
import test from "node:test";
import { dice } from "../../test/synthetic.js";
import { type Codes, codes } from "../codes.js";
import { bootstrap, scaled, score } from "./accuracy.js";
import { aligned } from "./anchors.js";
import { logSpectralDistance, melDistance } from "./fidelity.js";
import { frechet, frechetDiagonal, normalOf } from "./frechet.js";
import { editDistance, findRepeats } from "./repeats.js";

const close = (a: number, b: number, tolerance: number) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

/** Points of a normal distribution, stretched and moved. */
function points(count: number, seed: number, stretch: readonly number[], move: readonly number[]): Float32Array[] {
  const random = dice(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => Float32Array.from(stretch, (s, i) => s * normal() + move[i]!));
}

test("the Fréchet distance of a set from itself is 0, and grows as the closed form says", () => {
  const a = normalOf(points(500, 1, [1, 2, 3, 1], [0, 0, 0, 0]));
  close(frechet(a, a), 0, 1e-6);
  close(frechetDiagonal(a, a), 0, 1e-9);
  // moved by 3: 9; doubled in one direction: (2 - 1)^2 of that deviation
  const moved = { mean: a.mean.map((x, i) => x + (i === 1 ? 3 : 0)), covariance: a.covariance };
  close(frechet(a, moved), 9, 1e-6);
  const diagonal = (deviations: readonly number[]) => ({
    mean: new Float64Array(deviations.length),
    covariance: deviations.map((d, i) => Float64Array.from(deviations, (_, j) => (i === j ? d * d : 0))),
  });
  close(frechet(diagonal([1, 2, 5]), diagonal([2, 2, 1])), 1 + 16, 1e-9);
  close(frechetDiagonal(diagonal([1, 2, 5]), diagonal([2, 2, 1])), 17, 1e-9);
  // sqrt of two rotated ellipses: for commuting matrices the eigenvalues pair up, here 45 degrees: C = [[a, b], [b, a]]
  const tilted = (a: number, b: number) => ({
    mean: new Float64Array(2),
    covariance: [Float64Array.of(a, b), Float64Array.of(b, a)],
  });
  close(frechet(tilted(5, 4), tilted(5, -4)), (3 - 1) ** 2 + (1 - 3) ** 2, 1e-9);
  close(frechetDiagonal(tilted(5, 4), tilted(5, -4)), 0, 1e-9);
});

test("samples of one distribution are nearer than those of two", () => {
  const width = Array.from({ length: 20 }, (_, i) => 1 + i / 10);
  const zero = width.map(() => 0);
  const [a, b] = [1, 2].map((seed) => normalOf(points(400, seed, width, zero)));
  const c = normalOf(
    points(
      400,
      3,
      width,
      width.map((_, i) => 2 * (i % 2)),
    ),
  );
  assert.ok(frechet(a!, b!) < 0.5 * frechet(a!, c));
  assert.ok(frechetDiagonal(a!, b!) < 0.5 * frechetDiagonal(a!, c));
});

test("accuracy, chance and their scale", () => {
  const agrees = (asked: string, heard: string) => (asked === "" ? undefined : asked === heard);
  const found = score(["a", "b", "a", ""], ["a", "a", "b", "b"], agrees);
  assert.equal(found.count, 3);
  close(found.accuracy, 1 / 3, 1e-12);
  // others' wishes: clip 0 (a): b, a; clip 1 (a): a, a; clip 2 (b): a, b; clip 3 (b): a, b, a
  close(found.chance, 5 / 9, 1e-12);
  close(scaled(0.6, 0.2, 0.9), 4 / 7, 1e-12);
  assert.equal(scaled(0.2, 0.2, 0.9), 0);
  assert.equal(scaled(0.9, 0.2, 0.9), 1);
  assert.ok(Number.isNaN(scaled(0.5, 0.5, 0.5)));
});

test("a bootstrap interval holds the mean and narrows with more clips", () => {
  const hits = (count: number) => Array.from({ length: count }, (_, i) => +(i % 4 !== 0));
  const interval = (values: number[]) =>
    bootstrap(values.length, (chosen) => chosen.reduce((sum, i) => sum + values[i]!, 0) / chosen.length);
  const [few, many] = [interval(hits(40)), interval(hits(1000))];
  assert.ok(few[0] < 0.75 && 0.75 < few[1] && many[0] < 0.75 && 0.75 < many[1]);
  assert.ok(many[1] - many[0] < 0.5 * (few[1] - few[0]));
  close(few[1] - few[0], 2 * 1.96 * Math.sqrt((0.75 * 0.25) / 40), 0.06);
});

const grid = (seed: number, frames: number): Codes => {
  const random = dice(seed);
  return codes([0, 1].map(() => Int32Array.from({ length: frames }, () => Math.floor(64 * random()))));
};

test("a planted repeat is found, whole, in part, and with mistakes in it", async () => {
  const known = [1, 2, 3, 4].map((seed) => grid(seed, 300));
  const fresh = grid(9, 150);
  const clean = await findRepeats([fresh], known, 50);
  assert.deepEqual([clean.exact, clean.exactAll, clean.stretches], [0, 0, 5]);
  assert.ok(clean.nearest.every((distance) => distance > 0.7));

  const planted = codes(fresh.map((row) => row.slice()));
  for (const [k, row] of planted.entries()) row.set(known[2]![k]!.subarray(120, 170), 50);
  const found = await findRepeats([planted], known, 50);
  assert.equal(found.exact, 1 / 5);
  assert.equal(found.exactAll, 1 / 5);
  assert.equal(found.nearest[2], 0);

  planted[1]![60] = planted[1]![60]! + 1; // only the second codebook differs
  const first = await findRepeats([planted], known, 50);
  assert.deepEqual([first.exact, first.exactAll], [1 / 5, 0]);

  planted[0]![60] = planted[0]![60]! + 1;
  planted[0]![80] = planted[0]![80]! + 1;
  const close = await findRepeats([planted], known, 50);
  assert.equal(close.exact, 0);
  assert.equal(close.nearest[2], 2 / 50);
});

test("edit distance counts changes, insertions and deletions", () => {
  assert.equal(editDistance([1, 2, 3], [1, 2, 3]), 0);
  assert.equal(editDistance([1, 2, 3], [1, 9, 3]), 1);
  assert.equal(editDistance([1, 2, 3], [2, 3, 4]), 2);
  assert.equal(editDistance([], [1, 2]), 2);
});

test("spectral distances: 0 for the same sound, the logarithm of the gain for a louder one", () => {
  const random = dice(5);
  const noise = Float32Array.from({ length: 16000 }, () => 2 * random() - 1);
  assert.equal(melDistance(noise, noise, 32000), 0);
  assert.equal(logSpectralDistance(noise, noise), 0);
  const louder = noise.map((x) => 10 * x);
  close(melDistance(louder, noise, 32000), 1, 0.01); // but for bands that hold no bin
  close(logSpectralDistance(louder, noise), 2, 1e-5);
  close(
    logSpectralDistance(
      noise.map((x) => -x),
      noise,
    ),
    0,
    1e-9,
  );
});

test("a sound that came back late, or early, is moved to where it was", () => {
  const random = dice(6);
  const real = Float32Array.from({ length: 40000 }, () => random() - 0.5);
  const sound = (samples: Float32Array) => ({ sampleRate: 32000, channels: [samples] });
  for (const late of [0, 1105, -70]) {
    const made = Float32Array.from({ length: 41000 }, (_, i) => 0.8 * (real[i - late] ?? 0));
    const [back] = aligned(sound(made), sound(real)).channels as [Float32Array];
    assert.ok(
      real.every((x, i) => i < 100 || i > 39000 || Math.abs(back[i]! - 0.8 * x) < 1e-6),
      `${late}`,
    );
  }
});
