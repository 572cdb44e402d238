import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryFolder } from "../../test/memory.js";
import { type DType, type Tensor, tensor } from "../tensor.js";
import { openCheckpoint } from "./checkpoint.js";
import { findNonFinite } from "./finite.js";
import { writeSafetensors } from "./safetensors.js";

const checkpointOf = (tensors: Record<string, Tensor>) =>
  openCheckpoint(memoryFolder({ "model.safetensors": writeSafetensors(tensors) }));

const LENGTH = 600_001; // odd, and more than one piece of every kind
const bad: Partial<Record<DType, number[]>> = {
  float32: [Infinity, -Infinity, NaN],
  float64: [Infinity, -Infinity, NaN],
  float16: [0x7c00, 0xfc00, 0x7e01, 0xffff],
  bfloat16: [0x7f80, 0xff80, 0x7fc1, 0xffff],
};
const largest: Partial<Record<DType, number>> = { float32: 3e38, float64: -1e308, float16: 0xfbff, bfloat16: 0xff7f };

for (const [dtype, values] of Object.entries(bad) as [DType, number[]][])
  test(`the first ${dtype} that is no number is found, wherever it is`, async () => {
    const x = tensor(dtype, [LENGTH]);
    (x.data as Float32Array).fill(largest[dtype]!);
    assert.equal(await findNonFinite(await checkpointOf({ x })), undefined, "the largest number is one");
    for (const [i, value] of values.entries())
      for (const index of [0, 1, 131_072 + i, LENGTH - 1]) {
        const data = x.data.slice() as Float32Array<ArrayBuffer>;
        data[index] = value;
        data[LENGTH - 1] = value;
        const found = await findNonFinite(
          await checkpointOf({ a: tensor("int64", [1]), x: tensor(dtype, [LENGTH], data) }),
        );
        assert.deepEqual(found, { name: "x", index });
      }
  });

test("only the named tensors are looked at", async () => {
  const checkpoint = await checkpointOf({
    a: tensor("float32", [1], new Float32Array([NaN])),
    b: tensor("float32", [0]),
  });
  assert.equal(await findNonFinite(checkpoint, ["b"]), undefined);
  assert.deepEqual(await findNonFinite(checkpoint, ["b", "a"]), { name: "a", index: 0 });
});

test("tensors that are read together are told apart", async () => {
  const alone = (value: number) => tensor("float32", [3], Float32Array.of(1, value, 2));
  for (const name of ["b", "d"]) {
    const tensors: Record<string, Tensor> = {
      a: alone(1),
      b: alone(1),
      c: tensor("int64", [1]),
      d: alone(1),
      e: tensor("float32", [0]),
    };
    tensors[name] = alone(Number.NaN);
    assert.deepEqual(await findNonFinite(await checkpointOf(tensors)), { name, index: 1 });
  }
});
