import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { memorySource } from "../../test/memory.js";
import { HocketError } from "../errors.js";
import type { ByteSource } from "../platform/platform.js";
import { arrayFor, bytesPerElement, type DType, elementCount, type Tensor, tensor } from "../tensor.js";
import { numbersIn, readHeader, readTensor, safetensorsChunks, writeSafetensors } from "./safetensors.js";

const kinds: DType[] = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "bool",
];

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(...kinds),
    shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    seed: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  })
  .map(({ dtype, shape, seed }): Tensor => {
    const bytes = Uint8Array.from(
      { length: elementCount(shape) * bytesPerElement(dtype) },
      (_, i) => seed[i % seed.length]!,
    );
    return tensor(dtype, shape, new (arrayFor(dtype))(bytes.buffer) as never);
  });
const anyTensors = fc.dictionary(fc.string(), anyTensor, { maxKeys: 6 });
const anyMetadata = fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), { nil: undefined });

/** Reads everything, through a source that refuses what lies outside of the file. */
async function readAll(bytes: Uint8Array) {
  const inner = memorySource("file", bytes);
  const source: ByteSource = {
    ...inner,
    read: (offset, length) => {
      assert(offset >= 0 && offset + length <= bytes.length, `read ${offset}+${length} of ${bytes.length}`);
      return inner.read(offset, length);
    },
  };
  const { tensors, metadata } = await readHeader(source);
  const read: Record<string, Tensor> = {};
  for (const [name, entry] of tensors)
    Object.defineProperty(read, name, { value: await readTensor(source, entry), enumerable: true });
  return { tensors: read, metadata };
}

const bitsOf = (tensors: Record<string, Tensor>) =>
  Object.keys(tensors)
    .sort()
    .map((name) => {
      const { dtype, shape, data } = tensors[name]!;
      return [name, dtype, [...shape], [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]];
    });

test("what is written is read back, at any alignment", async () => {
  await fc.assert(
    fc.asyncProperty(anyTensors, anyMetadata, fc.nat({ max: 7 }), async (tensors, metadata, shift) => {
      const file = writeSafetensors(tensors, metadata);
      const moved = new Uint8Array(file.length + shift).subarray(shift);
      moved.set(file);
      const read = await readAll(moved);
      assert.deepEqual(bitsOf(read.tensors), bitsOf(tensors));
      assert.deepEqual(Object.entries(read.metadata), Object.entries(metadata ?? {}));
      assert.deepEqual(writeSafetensors(read.tensors, metadata), file, "and written again, it is the same file");
    }),
    { numRuns: 200 },
  );
});

test("written tensors lie where their numbers can be used in place", async () => {
  const tensors = {
    a: tensor("int8", [3]),
    b: tensor("float64", [1]),
    c: tensor("float16", [1]),
    d: tensor("float32", [1]),
  };
  const { tensors: entries } = await readHeader(memorySource("file", writeSafetensors(tensors)));
  assert.deepEqual([...entries.keys()], ["a", "b", "c", "d"]);
  for (const { dtype, offset } of entries.values()) assert.equal(offset % bytesPerElement(dtype), 0);
  const [header] = [...safetensorsChunks(tensors)];
  assert.equal(header!.length % 8, 0);
});

test("the reference's files are read, and written back whole", async () => {
  for (const folder of ["encodec_tiny_mono", "musicgen_tiny", "t5_tiny"]) {
    const url = new URL(`../../../test/golden/${folder}/model.safetensors`, import.meta.url);
    const bytes = new Uint8Array(readFileSync(url));
    const { tensors, metadata } = await readAll(bytes);
    const again = await readAll(writeSafetensors(tensors, metadata));
    assert.deepEqual(bitsOf(again.tensors), bitsOf(tensors));
    assert.deepEqual(again.metadata, { format: "pt" });
    assert.equal(writeSafetensors(tensors, metadata).length, bytes.length);
  }
});

/** A file whose header is this text, followed by `data` bytes. */
function fileOf(header: unknown, data = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const entry = (dtype: unknown, shape: unknown, from: unknown, to: unknown) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const announcing = (length: bigint) => {
  const file = new Uint8Array(16);
  new DataView(file.buffer).setBigUint64(0, length, true);
  return file;
};

const damaged: [what: string, file: Uint8Array, message: RegExp, code?: string][] = [
  ["no header", new Uint8Array(7), /file: 7 bytes are too few/],
  ["an absurd header", announcing(2n ** 64n - 1n), /18446744073709551615 bytes is more than any model has/],
  ["a header beyond the file", announcing(9n), /needs 9 bytes, 8 are there: the file was cut short/],
  ["not text", fileOf("{").map((byte, i) => (i === 8 ? 0xff : byte)), /not JSON/],
  ["not JSON", fileOf("{]"), /not JSON/],
  ["not an object", fileOf("[]"), /not a JSON object/],
  ["a header that starts with a space", fileOf(" {}"), /not a JSON object/],
  [
    "a name twice",
    fileOf(
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    ),
    /names a twice/,
  ],
  ["a field twice", fileOf('{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'), /names dtype twice/],
  ["metadata that is no text", fileOf({ __metadata__: { a: 1 } }), /__metadata__/],
  ["an entry that is no object", fileOf({ a: 1 }), /tensor a: its entry/],
  ["no dtype", fileOf({ a: { shape: [], data_offsets: [0, 0] } }), /tensor a: its dtype is missing/],
  [
    "an unknown dtype",
    fileOf({ a: entry("F8_E4M3", [1], 0, 1) }, 1),
    /tensor a has dtype F8_E4M3; Hocket reads F64/,
    "unsupported",
  ],
  [
    "a dtype that every object has",
    fileOf({ a: entry("constructor", [1], 0, 1) }, 1),
    /dtype constructor/,
    "unsupported",
  ],
  ["a negative size", fileOf({ a: entry("U8", [-1], 0, 1) }, 1), /tensor a: its shape must be whole/],
  ["half a size", fileOf({ a: entry("U8", [0.5], 0, 1) }, 1), /tensor a: its shape must be whole/],
  [
    "a shape beyond numbers",
    fileOf({ a: entry("U8", [2 ** 40, 2 ** 40], 0, 1) }, 1),
    /\[1099511627776, 1099511627776\] is too large/,
  ],
  ["offsets backwards", fileOf({ a: entry("U8", [1], 1, 0) }, 1), /tensor a: its data_offsets hold -1 bytes/],
  [
    "one offset",
    fileOf({ a: { dtype: "U8", shape: [1], data_offsets: [0] } }, 1),
    /tensor a: its data_offsets must be two/,
  ],
  ["a length unlike the shape", fileOf({ a: entry("F32", [2, 3], 0, 20) }, 20), /hold 20 bytes, F32 \[2, 3\] needs 24/],
  [
    "a tensor beyond the end",
    fileOf({ a: entry("U8", [9], 0, 9) }, 8),
    /tensor a ends at byte \d+, the file at \d+: it was cut short/,
  ],
  ["an overlap", fileOf({ a: entry("U8", [3], 0, 3), b: entry("U8", [2], 2, 4) }, 4), /tensor b overlaps/],
  [
    "a hole",
    fileOf({ a: entry("U8", [1], 0, 1), b: entry("U8", [1], 2, 3) }, 3),
    /1 bytes before tensor b belong to no tensor/,
  ],
  ["a hole at the start", fileOf({ a: entry("U8", [1], 1, 2) }, 2), /1 bytes before tensor a/],
  ["bytes at the end", fileOf({ a: entry("U8", [1], 0, 1) }, 3), /the last 2 bytes belong to no tensor/],
  ["a name with a line break", fileOf({ "a\nb": 1 }), /tensor a\\nb: its entry/],
];
for (const [what, file, message, code = "bad-file"] of damaged)
  test(`${what} is refused in one line`, async () => {
    await assert.rejects(readAll(file), (error: unknown) => {
      assert(error instanceof HocketError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert(error.message.startsWith("file: ") && !error.message.includes("\n"), error.message);
      return true;
    });
  });

test("a header that is too long is refused without reading it", async () => {
  const source: ByteSource = {
    location: "huge",
    size: 2e9,
    read: async (offset, length) => {
      assert.deepEqual([offset, length], [0, 8]);
      return announcing(10_000_001n).subarray(0, 8);
    },
    close: async () => {},
  };
  await assert.rejects(readHeader(source), /huge: a header of 10000001 bytes/);
});

test("any bytes are read or refused, and never more than the file", async () => {
  const text = fc.oneof(fc.json(), fc.constant('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'), fc.string());
  const anyFile = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.tuple(text, fc.nat({ max: 8 })).map(([header, data]) => fileOf(header, data)),
  );
  await fc.assert(fc.asyncProperty(anyFile, refusedOrRead), { numRuns: 1000 });
});

test("a valid file with a few bytes changed, or cut, is read or refused", async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(anyTensors, changes, fc.option(fc.nat()), async (tensors, edits, cut) => {
      const file = writeSafetensors(tensors, { made: "here" });
      for (const [at, byte] of edits) file[at % file.length] = byte;
      await refusedOrRead(cut === null ? file : file.subarray(0, cut % file.length));
    }),
    { numRuns: 1000 },
  );
});

async function refusedOrRead(file: Uint8Array): Promise<void> {
  try {
    const { tensors } = await readAll(file);
    const size = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
    assert(size <= file.length);
  } catch (error) {
    assert(error instanceof HocketError && error.code !== "internal", String(error));
  }
}

test("numbers may start anywhere in memory, of Node's own bytes too", () => {
  const whole = Buffer.from([9, 1, 0, 0, 0, 2, 0, 0, 0]);
  for (const bytes of [whole.subarray(1), new Uint8Array(whole).subarray(1)])
    assert.deepEqual(numbersIn("int32", bytes), Int32Array.of(1, 2));
});
