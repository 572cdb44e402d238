import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFile } from "#platform";
import { memorySource } from "../../test/memory.js";
import { elementCount, tensor } from "../tensor.js";
import { writeSafetensors } from "../weights/safetensors.js";
import { loadState, saveState } from "./state.js";

const folder = mkdtempSync(join(tmpdir(), "hocket-state-"));
after(() => rmSync(folder, { recursive: true }));

const shapes = new Map([
  ["a.weight", [2, 3]],
  ["a.weight.mean", [2, 3]],
  ["b", [1]],
]);
const state = (step: number) => ({
  step,
  tensors: Object.fromEntries(
    [...shapes].map(([name, shape]) => [
      name,
      tensor(
        "float32",
        shape,
        Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.PI * (i - 1)),
      ),
    ]),
  ),
});

test("there and back is the identity, and saving again replaces it whole", async () => {
  const path = join(folder, "state.safetensors");
  for (const step of [7, 8]) {
    await saveState(path, state(step));
    const file = await openFile(path);
    assert.deepEqual(await loadState(file, shapes), state(step));
    await file.close();
    assert.deepEqual(readdirSync(folder), ["state.safetensors"]);
  }
  // A save that fails half-way leaves the last good one.
  const before = readFileSync(path);
  const broken = { step: 9, tensors: { ...state(9).tensors, b: tensor("float32", [1]) } };
  Object.defineProperty(broken.tensors, "b", { enumerable: true, get: () => assert.fail("the disk is full") });
  await assert.rejects(saveState(path, broken));
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(folder), ["state.safetensors"]);
});

test("a state of another configuration, or a file that is none, is refused by name", async () => {
  const { tensors } = state(1);
  const file = (changed: object, metadata = { step: "1" }) =>
    memorySource("run/state", writeSafetensors({ ...tensors, ...changed }, metadata));
  await assert.rejects(
    loadState(file({ b: tensor("float32", [2]) }), shapes),
    /run\/state: this run learns b of shape \[1\], the state has \[2\]/,
  );
  const { b: _, ...without } = tensors;
  const missing = memorySource("run/state", writeSafetensors(without, { step: "1" }));
  await assert.rejects(loadState(missing, shapes), /learns b of shape \[1\], the state has none/);
  await assert.rejects(loadState(file({}, { step: "x" }), shapes), /does not say at which step/);
});
