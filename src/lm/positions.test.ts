import assert from "node:assert/strict";
import { test } from "node:test";
import { floats, integers, largestDifference, named, readGolden, rowsOf } from "../../test/golden.js";
import { positionRows } from "./positions.js";

const positions = integers(readGolden("sinusoids", "inputs.safetensors"), "positions");
const expected = readGolden("sinusoids");

// A last place of a frequency is 1.2e-4 of an angle at position 2047: so far are the two references from each other.
for (const name of ["hf.dim8", "hf.dim48", "hf.dim1024", "hf.dim7_odd", "audiocraft.dim8", "audiocraft.dim48"])
  test(`${name}: the rows are the reference's`, () => {
    const width = named(expected, name).shape[1]!;
    const target = rowsOf(floats(expected, name) as Float32Array, width);
    assert.equal(target.length, positions.length);
    for (const [i, position] of positions.entries()) {
      const difference = largestDifference(positionRows(position, 1, width), target[i]!);
      assert.ok(difference < (position < 10 ? 1e-6 : 2e-4), `position ${position}: ${difference}`);
    }
  });

test("rows in one go are the rows one by one", () => {
  const all = positionRows(5, 7, 48);
  for (const [i, row] of rowsOf(all, 48).entries()) assert.deepEqual(row, positionRows(5 + i, 1, 48));
  assert.equal(positionRows(3, 0, 48).length, 0);
});
