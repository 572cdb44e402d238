import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFile, openFolder } from "#platform";
import type { Binder } from "../graph/compile.js";
import type { StoredNumbers, StoredWeight } from "../graph/onnx.js";
import { uniform } from "../lm/random.js";
import { type DType, type Tensor, tensor } from "../tensor.js";
import { bindWeights } from "./bind.js";
import { openCheckpoint } from "./checkpoint.js";
import { toFloat32 } from "./float32.js";
import { changed } from "./lora.js";
import { type Coding, quantise } from "./quantise.js";
import { type Quantising, quantised } from "./quantised.js";
import { readHeader, writeSafetensors } from "./safetensors.js";

const root = mkdtempSync(join(tmpdir(), "hocket-quantised-"));
after(() => rmSync(root, { recursive: true }));

const shapes: Record<string, readonly [DType, ...number[]]> = {
  "a.weight": ["float32", 24, 64],
  "b.weight": ["float16", 8, 50],
  "c.weight": ["bfloat16", 16, 32],
  "table.weight": ["float32", 9, 32],
};
const declared = Object.entries(shapes).map(([name, [, ...shape]]) =>
  name === "table.weight" ? { name, shape } : { name, shape, multiplies: true },
);
const numbers = (seed: number): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, [dtype, ...shape]], t) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const draw = (i: number) => uniform(seed, i, t) - 0.5;
      if (dtype === "float32")
        return [
          name,
          tensor(
            dtype,
            shape,
            Float32Array.from({ length: count }, (_, i) => draw(i)),
          ),
        ];
      return [
        name,
        tensor(
          dtype,
          shape,
          Uint16Array.from(
            { length: count },
            (_, i) => 0x3000 + 2 ** 15 * (draw(i) > 0 ? 1 : 0) + Math.floor(0x7ff * Math.abs(draw(i))),
          ),
        ),
      ];
    }),
  );

let serial = 0;
/** A model's folder, and one for what is made of it. */
function place(seed = 1) {
  const path = mkdtempSync(join(root, `${serial++}-`));
  const [model, folder] = [join(path, "model.safetensors"), join(path, "kept")];
  writeFileSync(model, writeSafetensors(numbers(seed)));
  const bind: Binder = async (declared) => {
    const checkpoint = await openCheckpoint(await openFolder(path));
    const bound = await bindWeights(declared, checkpoint);
    await checkpoint.close();
    return bound;
  };
  return { model, folder, bind, kept: () => join(folder, readdirSync(folder).join()) };
}

const coding: Coding = { bits: 4, size: 32, search: true };

/** Binds, and counts the matrices that had to be made. */
async function load(bind: Binder, options: Partial<Quantising> & { folder: string }) {
  let made = 0;
  const onProgress = () => {
    made++;
  };
  const bound = await quantised(bind, { coding: () => coding, onProgress, ...options })(declared);
  return { bound, made };
}

async function bytesAt(data: StoredNumbers): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data;
  const file = await openFile(data.location);
  const bytes = await file.read(data.offset, data.length);
  await file.close();
  return bytes;
}

/** Every matrix is in blocks, and they are those of `tensors`. */
async function isOf(bound: ReadonlyMap<string, StoredWeight>, tensors: Record<string, Tensor>, how = coding) {
  for (const { name, shape, multiplies } of declared) {
    const { blocks } = bound.get(name)!;
    assert.equal(blocks !== undefined, multiplies === true, name);
    if (blocks === undefined) continue;
    const { packed, scales } = quantise(toFloat32(tensors[name]!).data, shape[1]!, how);
    assert.deepEqual([blocks.bits, blocks.size], [how.bits, how.size]);
    assert.deepEqual(Buffer.from(await bytesAt(blocks.packed)), Buffer.from(packed), name);
    assert.deepEqual(Buffer.from(await bytesAt(blocks.scales)), Buffer.from(scales.buffer), name);
  }
}

test("made once, kept, and read in place from then on", async () => {
  const { bind, folder, kept } = place();
  const first = await load(bind, { folder });
  assert.equal(first.made, 3);
  await isOf(first.bound, numbers(1));
  const [before, { ino }] = [readFileSync(kept()), statSync(kept())];
  const second = await load(bind, { folder });
  assert.equal(second.made, 0);
  await isOf(second.bound, numbers(1));
  assert.deepEqual(second.bound, first.bound);
  for (const { blocks } of second.bound.values()) assert.ok(!(blocks?.packed instanceof Uint8Array));
  assert.deepEqual([readFileSync(kept()), statSync(kept()).ino], [before, ino]);
  const source = await openFile(kept());
  await readHeader(source); // a safetensors file like any other
  await source.close();
});

test("another coding is another file; back again, the first is still there", async () => {
  const { bind, folder } = place();
  const eight: Coding = { bits: 8, size: 64, search: false };
  await load(bind, { folder });
  const other = await load(bind, { folder, coding: () => eight });
  assert.equal(other.made, 3);
  await isOf(other.bound, numbers(1), eight);
  assert.equal((await load(bind, { folder })).made, 0);
  assert.equal(readdirSync(folder).length, 2);
});

test("made anew when the weights are written over, in place of what was kept", async () => {
  const { bind, folder, model } = place();
  await load(bind, { folder });
  const { atime, mtime } = statSync(model);
  writeFileSync(model, writeSafetensors(numbers(2))); // a step of training: as many bytes, other numbers
  utimesSync(model, atime, mtime); // and within the same second
  const trained = await load(bind, { folder });
  assert.equal(trained.made, 3);
  await isOf(trained.bound, numbers(2));
  assert.equal(readdirSync(folder).length, 1);

  const edited = numbers(2);
  edited["a.weight"]!.data[300] = 0.123; // one number, where no sample is taken
  writeFileSync(model, writeSafetensors(edited));
  utimesSync(model, atime, new Date(mtime.getTime() + 5000));
  const after = await load(bind, { folder });
  assert.equal(after.made, 3);
  await isOf(after.bound, edited);
});

const damages: Record<string, (bytes: Buffer) => Uint8Array> = {
  "cut short": (bytes) => bytes.subarray(0, -40),
  empty: () => new Uint8Array(),
  "of noise": (bytes) => bytes.map((_, i) => (i * 73) % 251),
  "with one bit turned": (bytes) => bytes.map((byte, i) => (i === bytes.length - 500 ? byte ^ 4 : byte)),
  "a digest turned": (bytes) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 128 : byte)),
  "with other tensors": () => writeSafetensors({ "a.weight": tensor("float32", [2]) }, { source: "elsewhere" }),
};
for (const [what, damage] of Object.entries(damages))
  test(`a kept file that is ${what} is made anew`, async () => {
    const { bind, folder, kept } = place();
    await load(bind, { folder });
    const good = readFileSync(kept());
    writeFileSync(kept(), damage(good));
    const again = await load(bind, { folder });
    assert.equal(again.made, 3);
    await isOf(again.bound, numbers(1));
    assert.deepEqual(readFileSync(kept()), good);
  });

test("where nothing can be kept, it is made at each load", async () => {
  const { bind, model } = place();
  for (let i = 0; i < 2; i++) {
    const { bound, made } = await load(bind, { folder: join(model, "kept") }); // a file is no folder
    assert.equal(made, 3);
    await isOf(bound, numbers(1));
  }
});

test("what an adapter adds is added before, and nothing of it is kept", async () => {
  const { bind, folder } = place();
  await load(bind, { folder });
  const factor = (shape: readonly number[], seed: number) =>
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => uniform(seed, i, 0) - 0.5),
    );
  const changes = new Map([["a.weight", { up: factor([24, 2], 5), down: factor([2, 64], 6) }]]);
  const base = numbers(1);
  const whole = (base["a.weight"]!.data as Float32Array).slice();
  const { up, down } = changes.get("a.weight")!;
  for (let i = 0; i < whole.length; i++)
    for (let r = 0; r < 2; r++) whole[i]! += up.data[2 * Math.floor(i / 64) + r]! * down.data[64 * r + (i % 64)]!;
  const { bound, made } = await load(changed(bind, changes), { folder });
  assert.equal(made, 1);
  await isOf(bound, { ...base, "a.weight": tensor("float32", [24, 64], whole) });
  const alone = await load(bind, { folder });
  assert.equal(alone.made, 0);
  await isOf(alone.bound, base);
});

test("threads make what one alone makes", async () => {
  const path = mkdtempSync(join(root, "large-"));
  const matrix = (seed: number) =>
    tensor(
      "float16",
      [2048, 2050],
      Uint16Array.from({ length: 2048 * 2050 }, (_, i) => 0x2c00 | ((i * seed) & 0x83ff)),
    );
  const tensors = Object.fromEntries(["p", "q", "r", "s"].map((name, i) => [name, matrix(2654435 + 2 * i)]));
  writeFileSync(join(path, "model.safetensors"), writeSafetensors(tensors));
  const checkpoint = await openCheckpoint(await openFolder(path));
  const wanted = Object.keys(tensors).map((name) => ({ name, shape: [2048, 2050], multiplies: true }));
  const plain: Coding = { bits: 8, size: 32, search: false };
  const made = [];
  for (const threads of [1, 2]) {
    const folder = join(path, `${threads}`);
    await quantised((declared) => bindWeights(declared, checkpoint), { coding: () => plain, folder, threads })(wanted);
    made.push(readFileSync(join(folder, readdirSync(folder).join())));
  }
  await checkpoint.close();
  assert.ok(made[0]!.equals(made[1]!));
});
