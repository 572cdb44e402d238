/** @file For tests: what every platform's runtime must do, whatever executes its graphs. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { compile } from "../graph/compile.js";
import { graphOf, toOnnx } from "../graph/onnx.js";
import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import type { Kept, Resident, Runtime, Session, State } from "./platform.js";

/**
 * Registers the tests that `createRuntime` must pass.
 * @param size of the matrices of which a product takes long enough to be overtaken
 */
export function runtimeConformance(name: string, createRuntime: () => Runtime, size = 512): void {
  const runtime = createRuntime();
  after(() => runtime.dispose());
  const check = (what: string, body: () => Promise<unknown>) =>
    test(`${name}: ${what}`, async () => void (await body()));
  const session = (outputs: Record<string, Value>, on = runtime) => compile(on, outputs, async () => new Map());

  const x = input("x", "float32", ["N", 2]);
  const rows = (...values: number[]) => tensor("float32", [values.length / 2, 2], Float32Array.from(values));
  const doubled = { y: ops.add(x, x) };
  const square: Tensor = tensor("float32", [size, size]);
  const works = async (on: Session) => assert.deepEqual(await on.run({ x: rows(1, 2) }), { y: rows(2, 4) });

  check("a session runs as often as asked, and not after it was disposed of", async () => {
    const double = await session(doubled);
    for (const values of [[1, 2], [3, 4, 5, 6], []]) {
      const expected = values.map((value) => 2 * value);
      assert.deepEqual(await double.run({ x: rows(...values) }), { y: rows(...expected) });
    }
    await double.dispose();
    await rejected(double.run({ x: rows(1, 2) }), /session has been disposed of/);
    await double.dispose(); // again: nothing to do
  });

  check("calls that are made at once are answered in order, each with its own", async () => {
    const double = await session(doubled);
    const answered: number[] = [];
    const calls = Array.from({ length: 20 }, async (_, i) => {
      assert.deepEqual(await double.run({ x: rows(i, -i) }), { y: rows(2 * i, -2 * i) });
      answered.push(i);
    });
    await Promise.all([...calls, double.dispose()]); // after them, though nobody waited
    assert.deepEqual(answered, [...Array(20).keys()]);
  });

  check("what is passed in is read as it is, and left as it was", async () => {
    const double = await session(doubled);
    const whole = Float32Array.of(9, 9, 1, 2, 9);
    const part = tensor("float32", [1, 2], whole.subarray(2, 4));
    const { y } = await double.run({ x: part });
    (y!.data as Float32Array).fill(0);
    await works(double);
    assert.deepEqual([...whole, ...part.data], [9, 9, 1, 2, 9, 1, 2]);
  });

  check("bytes that are no model are refused, and the runtime lives on", async () => {
    const double = await session(doubled);
    const model = toOnnx(graphOf(doubled), new Map(), String);
    const broken = [0, 1, model.length >> 1, model.length - 1].map((length) => model.slice(0, length));
    broken.push(Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) >> 3));
    for (const bytes of broken) await rejected(runtime.createSession(bytes), /runtime failed: ./);
    await works(double);
  });

  check("inputs that do not fit are refused by name, and the session lives on", async () => {
    const double = await session(doubled);
    const y = rows(1, 2);
    await rejected(double.run({}), /\bx\b/);
    await rejected(double.run({ y }), /\bx\b/);
    await rejected(double.run({ x: rows(1, 2), y }), /\by\b/);
    await rejected(double.run({ x: tensor("float32", [1, 3]) }), /\bx\b.*3.*2/s);
    await rejected(double.run({ x: tensor("float32", [2]) }), /\bx\b/);
    await rejected(double.run({ x: int64([1, 2], [1, 2]) }), /\bx\b|int64/);
    await rejected(double.run({ x: { ...y, shape: [2, 2] } }), /\bx\b|length/);
    await works(double);
  });

  check("whole numbers of 64 bits, truths, and tensors without elements pass both ways", async () => {
    const n = input("n", "int64", ["N"]);
    const yes = input("yes", "bool", ["N"]);
    const kinds = await session({
      n,
      next: ops.add(n, ops.ints([1])),
      yes,
      less: ops.less(n, ops.ints([0])),
      empty: ops.slice(n, 0, 0, 0),
    });
    for (const values of [[5n, -7n, 2n ** 53n + 1n, -(2n ** 63n)], []]) {
      const size = values.length;
      const numbers = tensor("int64", [size], BigInt64Array.from(values));
      const truths = tensor(
        "bool",
        [size],
        Uint8Array.from(values, (_, i) => i % 2),
      );
      assert.deepEqual(await kinds.run({ n: numbers, yes: truths }), {
        n: numbers,
        next: tensor(
          "int64",
          [size],
          BigInt64Array.from(values, (value) => value + 1n),
        ),
        yes: truths,
        less: tensor(
          "bool",
          [size],
          Uint8Array.from(values, (value) => Number(value < 0n)),
        ),
        empty: int64([0], []),
      });
    }
  });

  check("what a state holds is fed to every run with it", async () => {
    const h = input("h", "float32", [1, 2]);
    const sum = await session({ y: ops.add(x, h) });
    const [one, ten] = [await sum.open({ h: rows(1, 1) }, []), await sum.open({ h: rows(10, 10) }, [])];
    for (const [state, expected] of [
      [one, rows(6, 7)],
      [ten, rows(15, 16)],
      [one, rows(6, 7)],
    ] as const)
      assert.deepEqual(await sum.run({ x: rows(5, 6) }, state), { y: expected });
    await one.dispose();
    await rejected(sum.run({ x: rows(5, 6) }, one), /state has been disposed of/);
    assert.deepEqual(await sum.run({ x: rows(5, 6) }, ten), { y: rows(15, 16) });
    await one.dispose();
  });

  check("a kept output is what the next run reads, in each of several states", async () => {
    const sum = input("sum", "float32", [2]);
    const added = input("added", "float32", [2]);
    const next = ops.add(sum, added);
    const adding = await session({ twice: ops.add(next, next), next });
    const kept: Kept[] = [
      { output: "twice", dtype: "float32", shape: [2] },
      { output: "next", input: "sum", dtype: "float32", shape: [2] },
    ];
    const pair = (a: number, b: number) => tensor("float32", [2], Float32Array.of(a, b));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.nat(100), fc.nat(100))), async (steps) => {
        const states: State[] = [];
        for (let i = 0; i < 3; i++) states.push(await adding.open({}, kept));
        const sums = [0, 1, 2].map(() => [0, 0]);
        const earlier: { twice: Tensor; copy: number[] }[] = [];
        for (const [s, a, b] of steps) {
          const results = await adding.run({ added: pair(a, b) }, states[s]!);
          assert.deepEqual(Object.keys(results), ["twice"]); // what the next run reads is not returned
          sums[s] = [sums[s]![0]! + a, sums[s]![1]! + b];
          assert.deepEqual(results.twice, pair(2 * sums[s][0]!, 2 * sums[s][1]!));
          earlier.push({ twice: results.twice!, copy: Array.from(results.twice!.data as Float32Array) });
        }
        for (const { twice, copy } of earlier) assert.deepEqual(Array.from(twice.data as Float32Array), copy);
        for (const state of states) await state.dispose();
      }),
      { numRuns: 15 },
    );
    const wrong = await adding.open({}, [{ output: "nothing", dtype: "float32", shape: [2] }]);
    await rejected(adding.run({ added: pair(1, 2), sum: pair(1, 2) }, wrong), /no output out:nothing/);
    const small = await adding.open({}, [{ output: "next", input: "sum", dtype: "float32", shape: [1] }]);
    await rejected(adding.run({ added: pair(1, 2) }, small), /runtime failed/);
  });

  check("what stays is what was computed, for any session, until it is let go", async () => {
    const h = input("h", "float32", ["N", 2]);
    const both = await session({ sum: ops.add(x, h), product: ops.mul(x, h) });
    const double = await session(doubled);
    const wanted = (count: number) =>
      ["sum", "product"].map((output) => ({
        output,
        dtype: "float32" as const,
        shape: [count, 2],
        stays: output === "sum",
      }));
    const start = rows(1, 2);
    let sum = await runtime.place(start);
    const seen = [sum];
    const expected: Tensor[] = [start];
    for (const [a, b] of [
      [5, 6],
      [7, 8],
      [9, 10],
    ] as const) {
      const made = await both.leave({ x: sum, h: rows(a, b) }, wanted(1));
      const before = expected.at(-1)!.data as Float32Array;
      assert.deepEqual(made.product, rows(before[0]! * a, before[1]! * b));
      sum = made.sum as Resident;
      seen.push(sum);
      expected.push(rows(before[0]! + a, before[1]! + b));
    }
    // Nothing was written over: each is what it was.
    for (const [i, each] of seen.entries()) assert.deepEqual(await runtime.read(each), expected[i]);
    (start.data as Float32Array).fill(0);
    ((await runtime.read(sum)).data as Float32Array).fill(0);
    assert.deepEqual(await double.run({ x: sum }), { y: rows(44, 52) });
    // The memory of what was let go serves again, and what is still held stays as it is.
    await runtime.release(seen.slice(0, 2));
    await runtime.release(seen.slice(0, 1)); // again: nothing to do
    await rejected(runtime.read(seen[0]!), /let go/);
    await rejected(double.run({ x: seen[1]! }), /let go/);
    const more = await both.leave({ x: sum, h: sum }, wanted(1));
    assert.deepEqual(await runtime.read(more.sum as Resident), rows(44, 52));
    for (const i of [2, 3]) assert.deepEqual(await runtime.read(seen[i]!), expected[i]);
    // Of another size, of no such name.
    await rejected(both.leave({ x: rows(1, 2, 3, 4), h: rows(1, 2, 3, 4) }, wanted(1)), /runtime failed/);
    const nothing = { output: "nothing", dtype: "float32", shape: [1, 2], stays: true } as const;
    await rejected(both.leave({ x: rows(1, 2), h: sum }, [nothing]), /no output out:nothing/);
    assert.deepEqual(await runtime.read(sum), expected[3]);
  });

  check("the caller's thread goes on while a graph runs", async () => {
    const long = await session({ y: heavy(size) });
    const run = long.run({ m: square }).then(() => "run");
    const timer = new Promise((resolve) => setTimeout(resolve, 1, "timer"));
    assert.equal(await Promise.race([run, timer]), "timer");
    await run;
  });

  check("a runtime beside another computes meanwhile, and ends with it", async () => {
    const first = createRuntime();
    const beside = first.beside();
    assert.equal(first.beside(), beside);
    const [long, double] = [await session({ y: heavy(size) }, first), await session(doubled, beside)];
    const run = long.run({ m: square }).then(() => "run");
    assert.equal(await Promise.race([run, works(double).then(() => "beside")]), "beside");
    await run;
    await first.dispose();
    await rejected(double.run({ x: rows(1, 2) }), /runtime has been disposed of/);
  });

  check("disposing of a runtime refuses what is in flight and what comes later", async () => {
    const other = createRuntime();
    const long = await session({ y: heavy(size) }, other);
    const state = await long.open({}, []);
    const run = rejected(long.run({ m: square }), /runtime has been disposed of/);
    await other.dispose();
    await run;
    await rejected(long.run({ m: square }), /runtime has been disposed of/);
    await rejected(session(doubled, other), /runtime has been disposed of/);
    // What belonged to it is gone already, so whoever cleans up need not know the order.
    await Promise.all([state.dispose(), long.dispose(), other.dispose()]);
    await works(await session(doubled));
  });
}

// --- internal ---

const rejected = (promise: Promise<unknown>, message: RegExp): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof HocketError, `${error}`);
    assert.match(error.message, message);
    return true;
  });

/** A product of many matrices: a good part of a second. */
function heavy(size: number): Value {
  const m = input("m", "float32", [size, size]);
  let y: Value = m;
  for (let i = 0; i < 60; i++) y = ops.matmul(y, m);
  return y;
}
