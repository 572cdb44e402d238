import assert from "node:assert/strict";
import { test } from "node:test";
import { HocketError } from "./errors.js";
import { int64, tensor } from "./tensor.js";

test("a tensor refuses data that does not fill its shape", () => {
  assert.throws(() => tensor("float32", [2, 3], new Float32Array(5)), HocketError);
  assert.deepEqual([...tensor("float32", [2]).data], [0, 0]);
  assert.deepEqual([...int64([2], [1, -2]).data], [1n, -2n]);
});
