import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "../platform/node.js";
import { tensor } from "../tensor.js";
import { toFloat32 } from "../weights/float32.js";
import { compile, declaredWeights } from "./compile.js";
import { graphOf, type StoredWeight } from "./onnx.js";
import * as ops from "./ops.js";
import { Message } from "./protobuf.js";
import { constant, input, Scope, type Value } from "./value.js";

const runtime = createRuntime();
const folder = mkdtempSync(join(tmpdir(), "hocket-onnx-"));
after(async () => {
  await runtime.dispose();
  rmSync(folder, { recursive: true });
});

const x = input("x", "float32", [2]);
const two = tensor("float32", [2], Float32Array.of(1, -2));

test("a graph holds what its outputs need, each once, inputs before outputs", () => {
  const p = new Scope();
  const used = p.weight("used", [2]);
  p.weight("unused", [2]);
  const shared = ops.mul(x, used);
  const sum = ops.add(shared, shared);
  ops.relu(sum); // nobody asks for it
  const graph = graphOf({ sum, again: sum, shared, x });
  assert.deepEqual([...graph.inputs.keys()], ["x"]);
  assert.deepEqual(declaredWeights(graph), [{ name: "used", shape: [2] }]);
  assert.deepEqual(
    graph.nodes.map((node) => node.op),
    ["Mul", "Add"],
  );
});

test("any graph is ordered so that it computes", () => {
  const picks = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(picks, (pairs) => {
      const values: Value[] = [x];
      for (const [a, b] of pairs) values.push(ops.add(values[a % values.length]!, values[b % values.length]!));
      const { nodes } = graphOf({ last: values.at(-1)!, middle: values[values.length >> 1]! });
      assert.equal(new Set(nodes).size, nodes.length);
      for (const [place, node] of nodes.entries())
        for (const { origin } of node.inputs as Value[])
          if (origin.kind === "node") assert.ok(nodes.indexOf(origin.node) < place && nodes.includes(origin.node));
    }),
  );
});

test("two inputs of one name are refused", () => {
  assert.throws(() => graphOf({ y: ops.add(x, input("x", "float32", [2])) }), /two different values are called x/);
});

const chain = (depth: number): Value => {
  let y: Value = x;
  for (let i = 0; i < depth; i++) y = ops.add(y, x);
  return y;
};

test("a graph may be deeper than the call stack", async () => {
  assert.equal(graphOf({ y: chain(100_000) }).nodes.length, 100_000);
  const session = await compile(runtime, { y: chain(11_000) }, async () => new Map());
  assert.deepEqual((await session.run({ x: two })).y!.data, Float32Array.of(11_001, -22_002));
});

test("an input, a weight and a constant may be outputs, under the names of the caller", async () => {
  const p = new Scope();
  const weight = p.weight("w", [2]);
  const bytes = new Uint8Array(Float32Array.of(5, 6).buffer);
  const session = await compile(
    runtime,
    { x, w: weight, "a/b": x, three: ops.scalar(3) },
    async () => new Map<string, StoredWeight>([["w", { dtype: "float32", data: bytes }]]),
  );
  const { w, three, ...rest } = await session.run({ x: two });
  assert.deepEqual(rest, { x: two, "a/b": two });
  assert.deepEqual([w!.data, three!.data], [Float32Array.of(5, 6), Float32Array.of(3)]);
});

test("an output may also be padded and convolved", async () => {
  const x = input("x", "float32", [1, 4, 2]);
  const kernel = constant(tensor("float32", [1, 2, 3], Float32Array.of(1, 1, 1, 1, 1, 1)));
  const turned = ops.transpose(ops.neg(x), [0, 2, 1]);
  const y = ops.conv(ops.padLast(turned, 1, 1, "constant"), kernel, undefined);
  const session = await compile(runtime, { turned, y }, async () => new Map());
  const result = await session.run({ x: tensor("float32", [1, 4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)) });
  assert.deepEqual([...(result.turned!.data as Float32Array)], [-1, -3, -5, -7, -2, -4, -6, -8]);
  assert.deepEqual([...(result.y!.data as Float32Array)], [-10, -21, -33, -26]);
});

test("weights are read where they lie: two files, odd offsets, every float type", async () => {
  const bits = Uint16Array.from({ length: 300 }, (_, i) => (i * 211) % 0x7c00); // finite as float16 and as bfloat16
  const stored = {
    single: tensor(
      "float32",
      [300],
      Float32Array.from({ length: 300 }, (_, i) => Math.sin(i)),
    ),
    double: tensor(
      "float64",
      [300],
      Float64Array.from({ length: 300 }, (_, i) => Math.cos(i)),
    ),
    half: tensor("float16", [300], bits),
    brain: tensor("bfloat16", [300], bits),
  };
  const places = new Map<string, StoredWeight>();
  for (const [file, names] of [
    ["one.bin", ["single", "half"]],
    ["two.bin", ["brain", "double"]],
  ] as const) {
    const pieces: Uint8Array[] = [Uint8Array.of(1, 2, 3)];
    let offset = 3; // no type is aligned there
    for (const name of names) {
      const { dtype, data } = stored[name];
      const bytes = new Uint8Array(data.buffer);
      places.set(name, { dtype, data: { location: join(folder, file), offset, length: bytes.length } });
      pieces.push(bytes, Uint8Array.of(9));
      offset += bytes.length + 1;
    }
    writeFileSync(join(folder, file), Buffer.concat(pieces));
  }
  const p = new Scope();
  const zero = ops.scalar(0);
  const outputs = Object.fromEntries(Object.keys(stored).map((name) => [name, ops.add(p.weight(name, [300]), zero)]));
  const session = await compile(runtime, outputs, async () => places);
  const results = await session.run({});
  for (const [name, target] of Object.entries(stored)) assert.deepEqual(results[name], toFloat32(target), name);
});

test("a weight that nobody binds is fed at each run", async () => {
  const w = new Scope().weight("w", [2]);
  const session = await compile(runtime, { y: ops.add(w, w) }, async () => new Map());
  const { y } = await session.run({ w: tensor("float32", [2], Float32Array.of(1, 2)) });
  assert.deepEqual([...(y!.data as Float32Array)], [2, 4]);
});

// --- the wire format; hand-computed after protobuf.dev, "Encoding" ---

const bytes = (message: Message) => Buffer.from(message.finish()).toString("hex");

test("whole numbers", () => {
  assert.equal(bytes(new Message().int(1, 150)), "089601"); // the example of the specification
  assert.equal(bytes(new Message().int(1, 0)), "0800");
  assert.equal(bytes(new Message().int(1, 127)), "087f");
  assert.equal(bytes(new Message().int(20, 128)), "a0018001");
  assert.equal(bytes(new Message().int(1, -1)), "08ffffffffffffffffff01");
  assert.equal(bytes(new Message().int(1, -2)), "08feffffffffffffffff01");
  assert.equal(bytes(new Message().int(3, 2 ** 32)), "188080808010");
  assert.equal(bytes(new Message().int(1, Number.MAX_SAFE_INTEGER)), "08ffffffffffffff0f");
  assert.equal(bytes(new Message().ints(6, [3, 270, 86942])), "3206038e029ea705"); // the specification's packed field
  assert.equal(bytes(new Message().ints(8, [])), "4200");
});

test("floats, text, bytes and messages in messages", () => {
  assert.equal(bytes(new Message().float(2, 1)), "150000803f");
  assert.equal(bytes(new Message().float(2, -0.1)), "15cdccccbd"); // the nearest single
  assert.equal(bytes(new Message().string(2, "testing")), "120774657374696e67"); // the specification's
  assert.equal(bytes(new Message().string(1, "é")), "0a02c3a9");
  assert.equal(bytes(new Message().bytes(9, new Uint8Array(0))), "4a00");
  assert.equal(bytes(new Message().message(3, new Message().int(1, 150))), "1a03089601"); // the specification's
  const long = new Message().bytes(1, new Uint8Array(5000)).finish();
  assert.equal(Buffer.from(long.subarray(0, 3)).toString("hex"), "0a8827");
  assert.equal(long.length, 5003);
});

test("whole numbers can be read back, seven bits at a time", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const [, ...varint] = new Message().int(1, value).finish();
      const read = varint.reduce((sum, byte, i) => sum | (BigInt(byte & 127) << BigInt(7 * i)), 0n);
      assert.equal(BigInt.asIntN(64, read), BigInt(value));
      assert.ok(varint.every((byte, i) => byte > 127 === i < varint.length - 1));
    }),
  );
});

test("what is added to a weight is added while the graph is loaded, whatever the weight is stored as", async () => {
  const weight = new Scope().weight("w", [2, 3]);
  const added = {
    up: tensor("float32", [2, 1], Float32Array.of(1, -2)),
    down: tensor("float32", [1, 3], Float32Array.of(1, 0, 0.5)),
  };
  const expected = [2, 1, 1.5, -1, 1, 0];
  const halves = new Uint8Array(Uint16Array.from({ length: 6 }, () => 0x3c00).buffer); // ones
  const singles = new Uint8Array(Float32Array.from({ length: 6 }, () => 1).buffer);
  for (const stored of [
    { dtype: "float16", data: halves },
    { dtype: "float32", data: singles },
  ] as const) {
    const session = await compile(runtime, { weight }, async () => new Map([["w", { ...stored, added }]]));
    assert.deepEqual([...(await session.run({})).weight!.data], expected);
    await session.dispose();
  }
});
