import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryFolder } from "../../test/memory.js";
import { HocketError } from "../errors.js";
import { tensor } from "../tensor.js";
import { openCheckpoint } from "./checkpoint.js";
import { writeSafetensors } from "./safetensors.js";

const a = tensor("float32", [2], new Float32Array([1, 2]));
const b = tensor("float32", [1, 2], new Float32Array([3, 4]));
const index = (map: unknown) => new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map: map }));
const shards = {
  "model-1-of-2.safetensors": writeSafetensors({ a }),
  "model-2-of-2.safetensors": writeSafetensors({ b }),
};
const whole = { a: "model-1-of-2.safetensors", b: "model-2-of-2.safetensors" };

test("shards and one file hold the same tensors", async () => {
  const one = await openCheckpoint(memoryFolder({ "model.safetensors": writeSafetensors({ a, b }) }));
  const two = await openCheckpoint(memoryFolder({ ...shards, "model.safetensors.index.json": index(whole) }));
  for (const checkpoint of [one, two]) {
    assert.deepEqual([...checkpoint.tensors.keys()], ["a", "b"]);
    assert.deepEqual(await checkpoint.read("a"), a);
    assert.deepEqual(await checkpoint.read("b"), b);
    assert.deepEqual(new Float32Array((await checkpoint.readBytes("b", 4, 4)).slice().buffer), new Float32Array([4]));
    await checkpoint.close();
  }
  assert.equal(two.tensors.get("b")!.file, "model-2-of-2.safetensors");
  assert.equal(two.tensors.get("b")!.location, "memory/model-2-of-2.safetensors");
});

const refused: [what: string, files: Record<string, Uint8Array>, message: RegExp, code?: string][] = [
  ["an empty folder", {}, /memory holds no model.safetensors: is it a model's folder\?/],
  [
    "a folder of pickles",
    { "pytorch_model.bin": new Uint8Array() },
    /PyTorch weights \(pytorch_model.bin\).*save_pretrained/,
    "unsupported",
  ],
  ["audiocraft's export", { "state_dict.bin": new Uint8Array() }, /PyTorch weights \(state_dict.bin\)/, "unsupported"],
  [
    "a missing shard",
    { "model-1-of-2.safetensors": shards["model-1-of-2.safetensors"], "model.safetensors.index.json": index(whole) },
    /names model-2-of-2.safetensors, which is not there; download the model again/,
  ],
  [
    "a tensor that its shard lacks",
    { ...shards, "model.safetensors.index.json": index({ ...whole, c: "model-2-of-2.safetensors" }) },
    /says that c is in model-2-of-2.safetensors, and it is not/,
  ],
  [
    "an index that leads out of the folder",
    { ...shards, "model.safetensors.index.json": index({ a: "../a.safetensors" }) },
    /has no weight_map/,
  ],
  ["an index that is none", { "model.safetensors.index.json": index(null) }, /has no weight_map of tensors to files/],
  ["a damaged file", { "model.safetensors": new Uint8Array(3) }, /memory\/model.safetensors: 3 bytes/, "bad-file"],
];
for (const [what, files, message, code = "bad-checkpoint"] of refused)
  test(`${what} is refused`, async () => {
    await assert.rejects(openCheckpoint(memoryFolder(files)), (error: unknown) => {
      assert(error instanceof HocketError);
      assert.match(error.message, message);
      assert.equal(error.code, code);
      return true;
    });
  });
