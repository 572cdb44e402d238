import assert from "node:assert/strict";
import { test } from "node:test";
import { codes } from "../codes.js";
import { misread } from "./misread.js";

const grid = codes(Array.from({ length: 4 }, (_, k) => Int32Array.from({ length: 200 }, (_, t) => (7 * t + k) % 1024)));
const items = Array.from({ length: 300 }, () => grid);
const setting = { share: 0.4, bins: 1024, seed: 5 };

test("as many items as asked are misread, each in 10 to 80 % of its codes; the same number, the same way", () => {
  const read = misread(items, setting, 9);
  const wrong = read.map(
    (other) => other.reduce((sum, row, k) => sum + row.filter((code, t) => code !== grid[k]![t]).length, 0) / 800,
  );
  const some = wrong.filter((share) => share > 0);
  assert.ok(Math.abs(some.length / 300 - 0.4) < 0.1, `${some.length} of 300`);
  assert.ok(Math.min(...some) > 0.05 && Math.max(...some) < 0.85);
  assert.ok(read.every((other) => other.every((row) => row.every((code) => code >= 0 && code < 1024))));
  assert.deepEqual(misread(items, setting, 9), read);
  assert.notDeepEqual(misread(items, setting, 10), read);
});

test("none are, where none are asked for", () => {
  assert.equal(misread(items, { ...setting, share: 0 }, 1), items);
});
