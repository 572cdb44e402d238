import assert from "node:assert/strict";
import { test } from "node:test";
import { philox, uniform } from "./random.js";

test("Philox4x32-10 gives the published words (Random123, kat_vectors)", () => {
  const ones = 0xffffffff;
  assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.deepEqual(philox([ones, ones, ones, ones], [ones, ones]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  assert.deepEqual(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

test("every bit of the seed, the step and the codebook counts", () => {
  const seeds = [0, ...Array.from({ length: 53 }, (_, bit) => 2 ** bit), Number.MAX_SAFE_INTEGER];
  const drawn = new Set<number>();
  for (const seed of seeds)
    for (let step = 0; step < 8; step++)
      for (let codebook = 0; codebook < 8; codebook++) drawn.add(uniform(seed, step, codebook));
  assert.equal(drawn.size, seeds.length * 64);
  assert.equal(uniform(0, 0, 0), ((0x6627e8d5 >>> 5) * 2 ** 26 + (0xe169c58d >>> 6)) / 2 ** 53);
});

test("numbers of neighbouring steps and codebooks are even and unrelated", () => {
  const draws = 64_000;
  const bins = new Float64Array(64);
  let [sum, product] = [0, 0];
  for (let step = 0; step < draws / 4; step++)
    for (let codebook = 0; codebook < 4; codebook++) {
      const u = uniform(7, step, codebook);
      assert.ok(u >= 0 && u < 1);
      bins[Math.floor(u * 64)]!++;
      sum += u - 0.5;
      product += (u - 0.5) * (uniform(7, step, codebook + 1) - 0.5);
    }
  const expected = draws / 64;
  const chiSquare = bins.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare > 30 && chiSquare < 110, `chi-square of 63 degrees of freedom is ${chiSquare}`);
  // Standard deviations: 1/sqrt(12) per draw, 1/12 per product.
  assert.ok(Math.abs(sum) < 4 * Math.sqrt(draws / 12), `sum ${sum}`);
  assert.ok(Math.abs(product) < 4 * Math.sqrt(draws / 144), `product ${product}`);
});
