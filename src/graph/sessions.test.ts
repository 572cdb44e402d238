import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime, Session, Tensors } from "../platform/platform.js";
import { tensor } from "../tensor.js";
import * as ops from "./ops.js";
import { Sessions } from "./sessions.js";
import { input, type Scope } from "./value.js";

/** A runtime that makes nothing, fails where told to, and counts. */
function fakeRuntime() {
  const count = { made: 0, disposed: 0, failures: 0 };
  const createSession = async () => {
    if (count.failures-- > 0) throw new Error("no room");
    count.made++;
    return { run: async (inputs: Tensors) => inputs, dispose: async () => void count.disposed++ } as unknown as Session;
  };
  return { count, runtime: { device: "cpu", external: String, createSession } as unknown as Runtime };
}
const describe = (_: Scope) => ({ y: ops.relu(input("x", "float32", [1])) });

test("a session is compiled once, and again after it was disposed of", async () => {
  const { runtime, count } = fakeRuntime();
  const sessions = new Sessions(runtime, async () => new Map(), {});
  const [a, again, b] = await Promise.all([
    sessions.get("a", describe),
    sessions.get("a", describe),
    sessions.get("b", describe),
  ]);
  assert.equal(a, again);
  assert.notEqual(a, b);
  await sessions.dispose((name) => name === "a");
  assert.deepEqual([count.made, count.disposed], [2, 1]);
  assert.notEqual(await sessions.get("a", describe), a);
  assert.equal(await sessions.get("b", describe), b);
  await sessions.dispose();
  assert.deepEqual([count.made, count.disposed], [3, 3]);
});

test("a failure is not kept, and there is nothing to dispose of", async () => {
  const { runtime, count } = fakeRuntime();
  const sessions = new Sessions(runtime, async () => new Map(), {});
  count.failures = 2;
  await assert.rejects(sessions.get("a", describe), /no room/);
  const failing = assert.rejects(sessions.get("a", describe), /no room/);
  await sessions.dispose();
  await failing;
  await sessions.get("a", describe);
  await sessions.dispose();
  assert.deepEqual([count.made, count.disposed], [1, 1]);
});

test("of sessions that run rarely, large ones are let go of when the last who waits has been answered", async () => {
  const { runtime, count } = fakeRuntime();
  const sessions = new Sessions(runtime, async () => new Map(), {});
  const weighing = (numbers: number) => (p: Scope) => ({ y: ops.relu(p.weight("w", [numbers])) });
  const given = { x: tensor("float32", [1], Float32Array.of(3)) };
  const [large, small] = [weighing(2 ** 25), weighing(2 ** 10)];
  const both = [sessions.once("large", large, given), sessions.once("large", large, given)];
  assert.deepEqual(await Promise.all(both), [given, given]);
  assert.deepEqual([count.made, count.disposed], [1, 1]);
  assert.deepEqual(await sessions.once("large", large, given), given);
  assert.deepEqual([count.made, count.disposed], [2, 2]);
  for (let i = 0; i < 2; i++) await sessions.once("small", small, given);
  assert.deepEqual([count.made, count.disposed], [3, 2]);
  count.failures = 1;
  await assert.rejects(sessions.once("large", large, given), /no room/);
  assert.deepEqual(await sessions.once("large", large, given), given);
  assert.deepEqual([count.made, count.disposed], [4, 3]);
});
